package fhe

import (
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/signet-ml/signet/fhe/internal/wire"
)

// KeyID names a secret key without saying anything about it: 16 random bytes that travel with everything that was made
// under the key, so that a mix-up is refused by name instead of decrypting to noise.
type KeyID [16]byte

// String returns the id in hexadecimal.
func (id KeyID) String() string { return hex.EncodeToString(id[:]) }

// Bundle is a set of named ciphertexts, one list per port of a program, with the id of their key, their parameters
// and, if it is bound to one, the digest of the program. It is what crosses between data owner and server.
type Bundle struct {
	params  Parameters
	key     KeyID
	program Digest
	ports   []bundlePort
}

type bundlePort struct {
	name string
	cts  []*Ciphertext
}

// Limits of the wire form.
const (
	bundleMagic   = "SGBU"
	bundleVersion = 2
	maxPorts      = 1024
	maxPortName   = 256
	maxPortCount  = 1 << 20
)

// NewBundle returns an empty bundle. A zero program digest binds it to no program.
func NewBundle(p Parameters, key KeyID, program Digest) *Bundle {
	return &Bundle{params: p, key: key, program: program}
}

// Add adds a port; ports are kept in the order of their names, so that equal bundles have equal digests. It fails on a
// second port of the same name and on ciphertexts of other parameters.
func (b *Bundle) Add(port string, cts ...*Ciphertext) error {
	if err := wire.CheckName(port, maxPortName); err != nil {
		return fmt.Errorf("fhe: bundle: port: %w", err)
	}
	if len(cts) == 0 || len(cts) > maxPortCount || len(b.ports) >= maxPorts {
		return fmt.Errorf("fhe: bundle: port %d, %q, with %d ciphertexts is not allowed", len(b.ports), port, len(cts))
	}
	if b.Get(port) != nil {
		return fmt.Errorf("fhe: bundle: port %q twice", port)
	}
	for _, ct := range cts {
		if ct == nil {
			return fmt.Errorf("fhe: bundle: port %q: nil ciphertext", port)
		}
		if !ct.params.Equal(b.params) {
			return &MismatchError{What: "parameters", Want: b.params.Digest().Short(), Have: ct.params.Digest().Short()}
		}
	}
	at, _ := slices.BinarySearchFunc(b.ports, port, func(p bundlePort, name string) int { return strings.Compare(p.name, name) })
	b.ports = slices.Insert(b.ports, at, bundlePort{port, slices.Clone(cts)})
	return nil
}

// Merge adds the ports of o, which must be under the same key, parameters and program. On error b is unchanged.
func (b *Bundle) Merge(o *Bundle) error {
	switch {
	case !b.params.Equal(o.params):
		return &MismatchError{What: "parameters", Want: b.params.Digest().Short(), Have: o.params.Digest().Short()}
	case b.key != o.key:
		return &MismatchError{What: "key", Want: b.key.String(), Have: o.key.String()}
	case b.program != o.program:
		return &MismatchError{What: "program", Want: b.program.Short(), Have: o.program.Short()}
	}
	before := slices.Clone(b.ports)
	for _, p := range o.ports {
		if err := b.Add(p.name, p.cts...); err != nil {
			b.ports = before
			return err
		}
	}
	return nil
}

// Rebind returns a bundle of the named ports, or of all if none is named, that is bound to another program: the outputs
// of one become the inputs of the next, which names its ports alike. Ciphertexts are shared with b. Whoever rebinds
// vouches that the ports mean the same; shapes are checked by the run. It fails with a *MismatchError on a port that b
// lacks, and on a name given twice.
func (b *Bundle) Rebind(program Digest, ports ...string) (*Bundle, error) {
	if len(ports) == 0 {
		ports = b.Ports()
	}
	out := NewBundle(b.params, b.key, program)
	for _, name := range ports {
		cts := b.Get(name)
		if cts == nil {
			return nil, &MismatchError{What: "port", Want: fmt.Sprintf("%q", name), Have: fmt.Sprintf("%q", b.Ports())}
		}
		if err := out.Add(name, cts...); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Parameters returns the parameters of all ciphertexts.
func (b *Bundle) Parameters() Parameters { return b.params }

// Key returns the id of the key under which all ciphertexts are encrypted.
func (b *Bundle) Key() KeyID { return b.key }

// Program returns the digest of the program that the bundle belongs to, or zero.
func (b *Bundle) Program() Digest { return b.program }

// Ports returns the names of the ports in ascending order.
func (b *Bundle) Ports() []string {
	out := make([]string, len(b.ports))
	for i, p := range b.ports {
		out[i] = p.name
	}
	return out
}

// Get returns the ciphertexts of a port, or nil.
func (b *Bundle) Get(port string) []*Ciphertext {
	for _, p := range b.ports {
		if p.name == port {
			return p.cts
		}
	}
	return nil
}

// Digest returns the digest of the bundle: of parameters, key, program, and every port's name and value digests.
func (b *Bundle) Digest() Digest {
	pd := b.params.Digest()
	buf := append(append(append([]byte(nil), pd[:]...), b.key[:]...), b.program[:]...)
	for _, p := range b.ports {
		n := Tagged("signet/port/v1", []byte(p.name))
		buf = append(buf, n[:]...)
		leaves := make([]Digest, len(p.cts))
		for i, ct := range p.cts {
			leaves[i] = ct.Digest()
		}
		root := MerkleRoot(leaves)
		buf = append(buf, root[:]...)
	}
	return Tagged("signet/bundle/v1", buf)
}

// BundleBytes returns the exact size of the wire form of a bundle with one port of count ciphertexts of a degree and
// level, seeded or not: see CiphertextBytes.
func BundleBytes(p Parameters, port string, count, degree, level int, seeded bool) int64 {
	w := wire.NewWriter(io.Discard)
	w.Version(bundleMagic, bundleVersion)
	w.Raw(make([]byte, 32+16+32))
	w.Uvarint(1)
	w.String(port)
	w.Uvarint(uint64(count))
	return w.N() + int64(count)*ciphertextBodyBytes(p, degree, level, seeded)
}

// WriteTo writes the wire form.
func (b *Bundle) WriteTo(w io.Writer) (int64, error) {
	ww := wire.NewWriter(w)
	d := b.params.Digest()
	ww.Version(bundleMagic, bundleVersion)
	ww.Raw(d[:])
	ww.Raw(b.key[:])
	ww.Raw(b.program[:])
	ww.Uvarint(uint64(len(b.ports)))
	for _, p := range b.ports {
		ww.String(p.name)
		ww.Uvarint(uint64(len(p.cts)))
		for _, ct := range p.cts {
			ct.write(ww)
		}
	}
	return ww.N(), ww.Err()
}

// ReadBundle reads the wire form under p, at most limit bytes, to the end of r. A bundle of other parameters is a
// *MismatchError, malformed bytes are a *FormatError. Version 1 of the form is read as well.
func ReadBundle(r io.Reader, p Parameters, limit int64) (*Bundle, error) {
	rd := wire.NewReader(r, "bundle", limit)
	version := rd.Version(bundleMagic, 1, bundleVersion)
	if err := readParametersDigest(rd, p); err != nil {
		return nil, err
	}
	b := &Bundle{params: p}
	rd.Full(b.key[:])
	b.program = readDigest(rd)
	n := rd.Len(maxPorts, "ports")
	for i := 0; i < n && rd.Err() == nil; i++ {
		name := rd.String(maxPortName, "port name")
		var cts []*Ciphertext
		for j, m := 0, rd.Len(maxPortCount, "ciphertexts"); j < m && rd.Err() == nil; j++ {
			cts = append(cts, readCiphertext(rd, version, p))
		}
		if rd.Err() == nil {
			if len(b.ports) > 0 && name <= b.ports[len(b.ports)-1].name {
				rd.Fail("port %q is out of order", name)
				break
			}
			if err := b.Add(name, cts...); err != nil {
				rd.Fail("%v", err)
			}
		}
	}
	rd.End()
	if rd.Err() != nil {
		return nil, rd.Err()
	}
	return b, nil
}
