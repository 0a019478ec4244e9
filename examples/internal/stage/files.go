package stage

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/signet-ml/signet/examples/internal/files"
	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/client"
	"github.com/signet-ml/signet/fhe/program"
)

// Limits on what a step reads, far above what the examples write.
const (
	maxParameters = 1 << 16
	maxProgram    = 1 << 28
	maxConstants  = 1 << 32
	maxKeys       = 1 << 36
	maxSecret     = 1 << 24
	maxBundle     = 1 << 34
)

// Dirs are the folders that steps meet in. A server has the first four only; Weights and Model are used where the
// weights are encrypted too.
type Dirs struct{ Public, In, Out, Weights, Secret, Data, Model string }

// At returns the usual folders below dir.
func At(dir string) Dirs {
	sub := func(name string) string { return filepath.Join(dir, name) }
	return Dirs{sub("public"), sub("in"), sub("out"), sub("weights"), sub("secret"), sub("data"), sub("model")}
}

// Suffix ends the names of bundles.
const Suffix = ".bundle"

func writeTo(path string, v io.WriterTo) error {
	return files.Write(path, 0o644, func(w io.Writer) error { _, err := v.WriteTo(w); return err })
}

func (d Dirs) parameters() (fhe.Parameters, error) {
	return files.Read(filepath.Join(d.Public, "parameters"), "compile", func(r io.Reader) (fhe.Parameters, error) {
		return fhe.ReadParameters(r, maxParameters)
	})
}

func (d Dirs) program() (*program.Program, error) {
	p, err := d.parameters()
	if err != nil {
		return nil, err
	}
	return files.Read(filepath.Join(d.Public, "program"), "compile", func(r io.Reader) (*program.Program, error) {
		return program.ReadProgram(r, p, maxProgram)
	})
}

func (d Dirs) constants(p *program.Program) (*program.Constants, error) {
	return files.Read(filepath.Join(d.Public, "constants"), "compile", func(r io.Reader) (*program.Constants, error) {
		c, err := program.ReadConstants(r, maxConstants)
		if err != nil {
			return nil, err
		}
		return c, p.CheckConstants(c)
	})
}

func (d Dirs) keys(p *program.Program) (*fhe.EvaluationKeys, error) {
	return files.Read(filepath.Join(d.Public, "keys"), "keygen", func(r io.Reader) (*fhe.EvaluationKeys, error) {
		k, err := fhe.ReadEvaluationKeys(r, p.Parameters(), maxKeys)
		if err != nil {
			return nil, err
		}
		var missing *fhe.MissingKeyError
		if err := p.CheckKeys(k); errors.As(err, &missing) {
			return nil, fmt.Errorf("made for another program than public/program %s: %w; remove it and run stage keygen again", p.Digest().Short(), err)
		} else if err != nil {
			return nil, err
		}
		return k, nil
	})
}

func (d Dirs) secretPath() string { return filepath.Join(d.Secret, "key") }

func (d Dirs) secretKey(p fhe.Parameters) (*client.SecretKey, error) {
	sk, err := files.Read(d.secretPath(), "keygen", func(r io.Reader) (*client.SecretKey, error) {
		return client.ReadSecretKey(r, p, maxSecret)
	})
	var mismatch *fhe.MismatchError
	var format *fhe.FormatError
	switch {
	case errors.As(err, &mismatch):
		return nil, fmt.Errorf("secret/key was made for another compile (%w): a key is never overwritten; take another -dir, or remove secret/ and public/keys yourself", err.(*files.Error).Err)
	case errors.As(err, &format):
		return nil, fmt.Errorf("secret/key is damaged (%w): restore it from a copy; what is encrypted under it is lost without it", err.(*files.Error).Err)
	}
	return sk, err
}

func readBundle(path, step string, p *program.Program) (*fhe.Bundle, error) {
	return files.Read(path, step, func(r io.Reader) (*fhe.Bundle, error) {
		b, err := fhe.ReadBundle(r, p.Parameters(), maxBundle)
		if err != nil {
			return nil, err
		}
		if d := b.Program(); d != p.Digest() {
			return nil, &fhe.MismatchError{What: "program", Want: p.Digest().Short(), Have: d.Short()}
		}
		return b, nil
	})
}

// bundles lists the names of the bundles in a folder, without their suffix, in order. None is an error.
func bundles(dir, step string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), Suffix); ok && !strings.HasPrefix(name, ".") {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s/ holds no %s file: run stage %s first", filepath.Base(dir), Suffix, step)
	}
	slices.Sort(names)
	return names, nil
}

// removeBundles removes what an earlier run of a step left, so that nobody takes it for the result of this one.
func removeBundles(dir string) error {
	names, err := filepath.Glob(filepath.Join(dir, "*"+Suffix))
	if err != nil {
		return err
	}
	for _, n := range names {
		if err := os.Remove(n); err != nil {
			return err
		}
	}
	return nil
}

// FindSecrets returns the files below dir that begin as a secret key does.
func FindSecrets(dir string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		var magic [4]byte
		if _, err := io.ReadFull(f, magic[:]); err == nil && string(magic[:]) == "SGSK" {
			found = append(found, path)
		}
		return nil
	})
	return found, err
}
