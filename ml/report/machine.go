package report

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
)

// Machine is where a run took place.
type Machine struct {
	OS     string `json:"os"`
	Arch   string `json:"arch"`
	CPU    string `json:"cpu"`    // model name, or "unknown"
	Cores  int    `json:"cores"`  // that Go may use
	Memory int64  `json:"memory"` // bytes, 0 if unknown
	Go     string `json:"go"`
}

// ThisMachine describes the machine that the process runs on, without its name.
func ThisMachine() Machine {
	m := Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPU: "unknown", Cores: runtime.GOMAXPROCS(0), Go: runtime.Version()}
	if v := field("/proc/cpuinfo", "model name"); v != "" {
		m.CPU = v
	}
	m.Memory = kilobytes(field("/proc/meminfo", "MemTotal"))
	return m
}

// PeakBytes returns the largest resident size that this process had so far (VmHWM), or 0 where the system does not say.
func PeakBytes() int64 { return kilobytes(field("/proc/self/status", "VmHWM")) }

// Load returns the number of processes that wanted a processor, averaged over the last minute, or false where the
// system does not say. Before a measurement it is other people's work: times taken beside it are doubtful.
func Load() (float64, bool) {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0, false
	}
	first, _, _ := strings.Cut(string(b), " ")
	v, err := strconv.ParseFloat(first, 64)
	return v, err == nil
}

// field returns the first value of "name : value" in a file of /proc, or "".
func field(path, name string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		if k, v, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func kilobytes(v string) int64 {
	n, err := strconv.ParseInt(strings.TrimSuffix(v, " kB"), 10, 64)
	if err != nil {
		return 0
	}
	return n * 1024
}

// Commit returns the revision that the program was built from, with "+dirty" after it if files differed. "go run" does
// not record it, so if the working directory lies in this module's repository git is asked. "unknown" if neither says.
func Commit() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		set := map[string]string{}
		for _, s := range info.Settings {
			set[s.Key] = s.Value
		}
		if r := set["vcs.revision"]; r != "" {
			return revision(r, set["vcs.modified"] == "true")
		}
	}
	root := moduleRoot()
	if root == "" {
		return "unknown"
	}
	git := func(args ...string) (string, error) {
		out, err := exec.Command("git", append([]string{"-C", root}, args...)...).Output()
		return strings.TrimSpace(string(out)), err
	}
	r, err := git("rev-parse", "HEAD")
	if err != nil {
		return "unknown"
	}
	status, err := git("status", "--porcelain", "--untracked-files=no")
	return revision(r, err != nil || status != "")
}

func revision(r string, dirty bool) string {
	if dirty {
		return r + "+dirty"
	}
	return r
}

// moduleRoot returns the folder above the working directory whose go.mod is this module's, or "".
func moduleRoot() string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	for {
		if b, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil {
			if bytes.HasPrefix(b, []byte("module github.com/signet-ml/signet\n")) {
				return dir
			}
			return ""
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}
