package gnarkx

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
)

// The versions that the formats of keys and proofs belong to. A test compares them with go.mod.
const (
	gnarkVersion       = "v0.16.0"
	gnarkCryptoVersion = "v0.21.0"
)

// Files of an entry. The sum file is in the format of sha256sum.
const (
	provingFile   = "proving.dump"
	verifyingFile = "verifying.key"
	sumFile       = "sha256"
)

// A cache is one entry of the key cache: a folder for the user alone, named after everything that the keys depend on.
// An entry is written beside its place and renamed, so it is there with all its files or not at all.
//
// The dump of the proving key is an image of gnark's memory: reading it is fast and trusts every byte. So the sums are
// compared first. They guard against damage, not against somebody who can write as this user.
type cache struct {
	dir    string
	name   string // of the entry
	system *System
}

// openCache returns the system's entry in dir, which it creates.
func openCache(dir string, s *System) (*cache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("gnarkx: key cache: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("gnarkx: key cache: %w", err)
	}
	if hasModes && info.Mode()&0o022 != 0 {
		return nil, fmt.Errorf("gnarkx: key cache: others may write in %s", dir)
	}
	return &cache{dir, entryName(s), s}, nil
}

// entryName returns the name of the system's entry: a digest of everything that its keys depend on.
func entryName(s *System) string {
	h := sha256.New()
	for _, part := range []string{"signet/zk/keys/v1", "groth16", "bn254", gnarkVersion, gnarkCryptoVersion, string(s.digest[:])} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		io.WriteString(h, part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Cached reports whether Setup would look at an entry of cacheDir for the system. It does not check the entry: a
// damaged one is a miss after all. It creates nothing.
func Cached(s *System, cacheDir string) bool {
	info, err := os.Lstat(filepath.Join(cacheDir, entryName(s)))
	return err == nil && info.IsDir()
}

// hasModes says whether the system keeps Unix permissions.
const hasModes = runtime.GOOS != "windows"

func (c *cache) entry() string { return filepath.Join(c.dir, c.name) }

// sums returns what the sum file holds for these files: they belong together, and to this entry.
func (c *cache) sums(proving, verifying []byte) string {
	return fmt.Sprintf("# signet/zk/keys/v1 %s\n%x  %s\n%x  %s\n", c.name, proving, provingFile, verifying, verifyingFile)
}

// load returns the keys of the entry. An error says why there are none.
func (c *cache) load() (*Keys, error) {
	info, err := os.Lstat(c.entry())
	if err != nil {
		return nil, err
	}
	if !info.IsDir() || hasModes && info.Mode().Perm() != 0o700 {
		return nil, errors.New("the entry is no folder for the user alone")
	}
	verifying, err := c.read(verifyingFile, VerifyingKeySize)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(filepath.Join(c.entry(), provingFile))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	proving := sha256.New()
	if _, err := io.Copy(proving, file); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(verifying)
	want := c.sums(proving.Sum(nil), sum[:])
	if got, err := c.read(sumFile, len(want)); err != nil || string(got) != want {
		return nil, errors.Join(errors.New("the sums differ"), err)
	}

	k := &Keys{system: c.system, pk: new(groth16.ProvingKey)}
	if k.vk, err = UnmarshalVerifyingKey(verifying); err != nil {
		return nil, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	if err := k.pk.ReadDump(bufio.NewReader(file)); err != nil {
		return nil, err
	}
	return k, k.match()
}

// read returns a file of the entry, which has this size.
func (c *cache) read(name string, size int) ([]byte, error) {
	file, err := os.Open(filepath.Join(c.entry(), name))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, int64(size)+1))
}

// match returns an error unless the two keys are of one setup, for this system.
func (k *Keys) match() error {
	pk, vk, wires, committed := k.pk, k.vk.key, k.system.wires(), k.system.Committed()
	if len(pk.InfinityA) != wires || len(pk.InfinityB) != wires ||
		uint64(len(pk.G1.A))+pk.NbInfinityA != uint64(wires) || uint64(len(pk.G1.B))+pk.NbInfinityB != uint64(wires) ||
		len(pk.G2.B) != len(pk.G1.B) || len(pk.G1.K)+committed+len(vk.G1.K) != wires ||
		pk.Domain.Cardinality != uint64(k.system.Domain()) || len(pk.G1.Z)+1 != k.system.Domain() ||
		len(pk.CommitmentKeys) != 1 || len(pk.CommitmentKeys[0].Basis) != committed || len(pk.CommitmentKeys[0].BasisExpSigma) != committed {
		return errors.New("gnarkx: the proving key is of another system")
	}
	if pk.G1.Alpha != vk.G1.Alpha || pk.G1.Beta != vk.G1.Beta || pk.G1.Delta != vk.G1.Delta ||
		pk.G2.Beta != vk.G2.Beta || pk.G2.Delta != vk.G2.Delta {
		return errors.New("gnarkx: the proving and the verifying key are of two setups")
	}
	pedersen := pk.CommitmentKeys[0]
	one, err := bn254.PairingCheck([]bn254.G1Affine{pedersen.Basis[0], pedersen.BasisExpSigma[0]},
		[]bn254.G2Affine{vk.CommitmentKeys[0].GSigmaNeg, vk.CommitmentKeys[0].G})
	if err != nil || !one {
		return errors.Join(errors.New("gnarkx: the commitment keys are of two setups"), err)
	}
	return nil
}

// store puts the keys into the entry and returns them, unless another process was faster: then it returns that one's.
func (c *cache) store(k *Keys) (*Keys, error) {
	dir, err := os.MkdirTemp(c.dir, "new-*") // mode 0700
	if err != nil {
		return nil, fmt.Errorf("gnarkx: key cache: %w", err)
	}
	defer os.RemoveAll(dir)
	proving, err := writeFile(filepath.Join(dir, provingFile), k.pk.WriteDump)
	if err != nil {
		return nil, fmt.Errorf("gnarkx: key cache: %w", err)
	}
	verifying, err := writeFile(filepath.Join(dir, verifyingFile), k.vk.writeTo)
	if err != nil {
		return nil, fmt.Errorf("gnarkx: key cache: %w", err)
	}
	sums := c.sums(proving, verifying)
	if _, err := writeFile(filepath.Join(dir, sumFile), func(w io.Writer) error {
		_, err := io.WriteString(w, sums)
		return err
	}); err != nil {
		return nil, fmt.Errorf("gnarkx: key cache: %w", err)
	}
	for range 3 {
		if err = os.Rename(dir, c.entry()); err == nil {
			return k, nil
		}
		if other, bad := c.load(); bad == nil {
			return other, nil
		}
		// A damaged entry is in the way. Another process may be doing the same, so a failure here means nothing.
		if aside := dir + ".old"; os.Rename(c.entry(), aside) == nil {
			os.RemoveAll(aside)
		}
	}
	return nil, fmt.Errorf("gnarkx: key cache: %w", err)
}

// writeFile writes a new file for the user alone and returns its SHA-256.
func writeFile(path string, write func(io.Writer) error) (sum []byte, err error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	h, buffered := sha256.New(), bufio.NewWriter(file)
	err = errors.Join(write(io.MultiWriter(buffered, h)), buffered.Flush(), file.Close())
	return h.Sum(nil), err
}
