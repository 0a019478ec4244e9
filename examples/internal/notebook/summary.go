package notebook

import (
	"maps"
	"slices"

	"github.com/signet-ml/signet/ml/report"
)

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
