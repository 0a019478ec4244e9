package notebook

import (
	"maps"
	"path/filepath"
	"slices"

	"github.com/signet-ml/signet/ml/report"
)

// Join adds to s the figures, checks and files of a part that was written into the folder name, under that name, and the
// part's own summary, which it writes.
func (r *Recorder) Join(s *report.Summary, name string, part *report.Summary) error {
	if err := part.Write(filepath.Join(r.dir, name, "summary.json")); err != nil {
		return err
	}
	for _, c := range part.Checks {
		s.Check(name+": "+c.Name, c.Pass)
	}
	for _, f := range part.Figures {
		f.Name = name + "_" + f.Name
		s.Add(f)
	}
	for _, a := range part.Artifacts {
		a.Path = name + "/" + a.Path
		s.Artifacts = append(s.Artifacts, a)
	}
	return s.Attach(r.dir, name+"/summary.json", "application/json")
}

// Finish attaches files of Dir, by name and media type, and the pictures to a summary, and prints its figures and
// checks.
func (r *Recorder) Finish(s *report.Summary, files map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := s.Attach(r.dir, name, files[name]); err != nil {
			return err
		}
	}
	for _, name := range r.Images() {
		if err := s.Attach(r.dir, name, "image/png"); err != nil {
			return err
		}
	}
	r.Println()
	if err := s.Table(r); err != nil {
		return err
	}
	for _, c := range s.Checks {
		r.Printf("  %s  %s\n", map[bool]string{true: "pass", false: "FAIL"}[c.Pass], c.Name)
	}
	return nil
}
