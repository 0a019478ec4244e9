package zk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/signet-ml/signet/zk/commit"
)

// maxReference bounds a reference string's file: 2^26 points and their headers.
const maxReference = 64<<26 + 4096

// reference returns the reference string for a layout: the one given, or a local one, kept in the cache folder because
// model commitments made with it must stay verifiable.
func (s *setup) reference(ctx context.Context, layout commit.Layout) (*commit.SRS, error) {
	if s.srs != nil {
		if err := s.srs.Serves(layout); err != nil {
			return nil, err
		}
		return s.srs, s.srs.Check(ctx)
	}
	if s.dir == "" {
		return commit.NewLocalSRS(s.form, layout)
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	d := layout.Digest()
	path := filepath.Join(s.dir, fmt.Sprintf("srs-%d-%s", s.form, hex.EncodeToString(d[:])))
	srs, err := readReference(path, s.form, layout)
	if err == nil {
		return srs, nil
	}
	if s.existing {
		return nil, fmt.Errorf("%w: reference string: %w", ErrNoKeys, err)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		if err := os.Remove(path); err != nil { // damaged: a miss
			return nil, fmt.Errorf("cache: %w", err)
		}
	}
	if srs, err = commit.NewLocalSRS(s.form, layout); err != nil {
		return nil, err
	}
	return keepReference(path, srs, layout)
}

// keepReference writes srs to path, unless another process was first: then it returns that one's.
func keepReference(path string, srs *commit.SRS, layout commit.Layout) (*commit.SRS, error) {
	var b bytes.Buffer
	b.Write(make([]byte, sha256.Size))
	if _, err := srs.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	sum := sha256.Sum256(b.Bytes()[sha256.Size:])
	copy(b.Bytes(), sum[:])
	tmp, err := os.CreateTemp(filepath.Dir(path), "tmp-srs-*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(b.Bytes())
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	err = os.Link(tmp.Name(), path) // fails if path exists, which a rename would not
	if errors.Is(err, fs.ErrExist) {
		return readReference(path, srs.Form(), layout)
	}
	if err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	return srs, nil
}

// readReference reads what keepReference wrote and checks that nothing of it has changed.
func readReference(path string, form commit.Form, layout commit.Layout) (*commit.SRS, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxReference || info.Size() < sha256.Size {
		return nil, fmt.Errorf("cache: %s has a wrong size", filepath.Base(path))
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(b) < sha256.Size || sha256.Sum256(b[sha256.Size:]) != [sha256.Size]byte(b) {
		return nil, fmt.Errorf("cache: %s has changed since it was written", filepath.Base(path))
	}
	srs, err := commit.ReadSRS(bytes.NewReader(b[sha256.Size:]), maxReference)
	if err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	if srs.Form() != form {
		return nil, fmt.Errorf("cache: %s has another form", filepath.Base(path))
	}
	return srs, srs.Serves(layout)
}
