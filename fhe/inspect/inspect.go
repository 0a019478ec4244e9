package inspect

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

// Options change what File prints. The zero value is text, with parameters looked for beside the file.
type Options struct {
	JSON       bool
	Parameters string // file of the parameters; "" looks for "parameters" beside the file and in the folder "public" beside its folder
}

// ErrSecret says that a file holds a secret key, which is not printed.
var ErrSecret = errors.New("inspect: this is a secret key; it is not printed, and the server must not have it")

// kinds are the magics of the wire forms.
var kinds = map[string]string{
	"SGPA": "parameters", "SGPR": "program", "SGCO": "constants", "SGEK": "evaluation keys", "SGBU": "bundle",
	"SGCT": "ciphertext", "SGPK": "public key", "SGSK": "secret key",
}

// Kind returns what the file is by its first four bytes, or an error that lists what would be known.
func Kind(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("inspect: %w", err)
	}
	defer f.Close()
	var magic [4]byte
	if _, err := io.ReadFull(f, magic[:]); err == nil {
		if k, ok := kinds[string(magic[:])]; ok {
			return k, nil
		}
	} else if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", fmt.Errorf("inspect: %w", err)
	}
	return "", fmt.Errorf("inspect: %s is no wire file: it begins with none of SGPA (parameters), SGPR (program), SGCO (constants), SGEK (evaluation keys), SGBU (bundle), SGCT (ciphertext), SGPK (public key)", path)
}

// File prints the file. It reads it whole, checking it as any receiver does, so a damaged file is an error.
func File(w io.Writer, path string, o Options) error {
	kind, err := Kind(path)
	if err != nil {
		return err
	}
	if kind == "secret key" {
		return ErrSecret
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("inspect: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return fmt.Errorf("inspect: %w", err)
	}
	bw := bufio.NewWriter(w)
	p := &printer{w: bw, json: o.JSON, enc: json.NewEncoder(bw)}
	p.enc.SetEscapeHTML(false)
	if err := p.print(kind, bufio.NewReaderSize(f, 1<<20), st.Size(), func() (fhe.Parameters, error) { return parameters(path, o.Parameters) }); err != nil {
		return fmt.Errorf("inspect: %s: %w", path, err)
	}
	return bw.Flush()
}

// parameters reads the parameters that a file was written under.
func parameters(path, given string) (fhe.Parameters, error) {
	tries := []string{given}
	if given == "" {
		dir := filepath.Dir(path)
		tries = []string{filepath.Join(dir, "parameters"), filepath.Join(dir, "..", "public", "parameters")}
	}
	for _, name := range tries {
		f, err := os.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fhe.Parameters{}, err
		}
		defer f.Close()
		p, err := fhe.ReadParameters(f, 1<<16)
		if err != nil {
			return p, fmt.Errorf("parameters in %s: %w", name, err)
		}
		return p, nil
	}
	return fhe.Parameters{}, fmt.Errorf("the parameters are needed to read it and are not in %v: name their file", tries)
}

type printer struct {
	w    *bufio.Writer
	enc  *json.Encoder
	json bool
}

// line prints v as JSON, or the text.
func (p *printer) line(v any, format string, args ...any) error {
	if p.json {
		return p.enc.Encode(v)
	}
	_, err := fmt.Fprintf(p.w, format+"\n", args...)
	return err
}

func (p *printer) print(kind string, r io.Reader, size int64, params func() (fhe.Parameters, error)) error {
	switch kind {
	case "parameters":
		x, err := fhe.ReadParameters(r, size)
		if err != nil {
			return err
		}
		return p.parameters(x)
	case "constants":
		x, err := program.ReadConstants(r, 64*size) // integers of one bit
		if err != nil {
			return err
		}
		return p.constants(x)
	}
	under, err := params()
	if err != nil {
		return err
	}
	switch kind {
	case "program":
		x, err := program.ReadProgram(r, under, size)
		if err != nil {
			return err
		}
		return p.program(x)
	case "evaluation keys":
		x, err := fhe.ReadEvaluationKeys(r, under, size)
		if err != nil {
			return err
		}
		return p.keys(x)
	case "bundle":
		x, err := fhe.ReadBundle(r, under, size)
		if err != nil {
			return err
		}
		return p.bundle(x)
	case "public key":
		x, err := fhe.ReadPublicKey(r, under, size)
		if err != nil {
			return err
		}
		return p.publicKey(x)
	}
	x, err := fhe.ReadCiphertext(r, under, size)
	if err != nil {
		return err
	}
	return p.line(ciphertext(x, "", 0), "ciphertext %v", describe(x))
}

func (p *printer) parameters(x fhe.Parameters) error {
	s := x.Security()
	type security struct {
		Row        string  `json:"row"`
		Limit      float64 `json:"limit"`
		Value      float64 `json:"value"`
		Borderline bool    `json:"borderline,omitempty"`
	}
	return p.line(struct {
		Kind     string   `json:"kind"`
		Digest   string   `json:"digest"`
		LogN     int      `json:"logN"`
		LogQ     float64  `json:"logQ"`
		LogP     float64  `json:"logP"`
		Q        []uint64 `json:"q"`
		P        []uint64 `json:"p"`
		Roots    []uint64 `json:"roots"`
		Secret   string   `json:"secret"`
		Scale    float64  `json:"scale"`
		Security security `json:"security"`
	}{"parameters", x.Digest().String(), x.LogN(), x.LogQ(), x.LogP(), x.Q(), x.P(), x.Roots(), x.Secret().String(), x.DefaultScale().Float64(),
		security{s.Row, s.Limit, s.Value, s.Borderline}},
		"parameters %s\n%v\nQ %v\nP %v\nsecret %v, default scale %v", x.Digest(), x, x.Q(), x.P(), x.Secret(), x.DefaultScale())
}

func (p *printer) constants(x *program.Constants) error {
	for i, c := range x.All() {
		info := c.Info()
		kind := "polynomials"
		if info.Kind == program.Weights {
			kind = "weights"
		}
		slots := 0
		if info.Kind == program.Polynomials {
			slots = 1 << info.LogSlots
		}
		err := p.line(struct {
			Kind   string  `json:"kind"`
			I      int     `json:"i"`
			Digest string  `json:"digest"`
			Type   string  `json:"type"`
			Rows   int     `json:"rows"`
			Width  int     `json:"width"`
			Scale  float64 `json:"scale"`
			Slots  int     `json:"slots,omitempty"`
			Bytes  int64   `json:"bytes"`
		}{"constant", i, info.Digest.String(), kind, info.Rows, info.Width, info.Scale.Float64(), slots, c.Bytes()},
			"constant c%d %s %s %d × %d at scale %v, %d bytes", i, info.Digest, kind, info.Rows, info.Width, info.Scale, c.Bytes())
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *printer) keys(x *fhe.EvaluationKeys) error {
	params := x.Parameters()
	err := p.line(struct {
		Kind       string `json:"kind"`
		Key        string `json:"key"`
		Parameters string `json:"parameters"`
		Count      int    `json:"count"`
		Bytes      int64  `json:"bytes"`
	}{"evaluation keys", x.Key().String(), params.Digest().String(), len(x.Elements()), x.Bytes()},
		"evaluation keys of secret key %v under parameters %s: %d keys, %d bytes", x.Key(), params.Digest(), len(x.Elements()), x.Bytes())
	for _, g := range x.Elements() {
		if err != nil {
			return err
		}
		k := x.Get(g)
		rotation, conj, _ := params.Rotation(g)
		name := fmt.Sprintf("rotation %d", rotation)
		switch {
		case g == 0:
			name = "relinearisation"
		case conj:
			name += ", conjugation"
		}
		_, seeded := k.Seed()
		err = p.line(struct {
			Kind      string `json:"kind"`
			Galois    uint64 `json:"galois"`
			Rotation  int    `json:"rotation"`
			Conjugate bool   `json:"conjugate"`
			Level     int    `json:"level"`
			Digits    int    `json:"digits"`
			Seeded    bool   `json:"seeded"`
			Bytes     int64  `json:"bytes"`
			Digest    string `json:"digest"`
		}{"evaluation key", g, rotation, conj, k.Level(), k.Digits(), seeded, k.Bytes(), k.Digest().String()},
			"element %d (%s): level %d, %d digits, %d bytes%s, %s", g, name, k.Level(), k.Digits(), k.Bytes(), withSeed(k), k.Digest())
	}
	return err
}

// withSeed says that a key or ciphertext travels with a seed.
func withSeed(x interface{ Seed() (fhe.Seed, bool) }) string {
	if _, ok := x.Seed(); ok {
		return " with a seed"
	}
	return ""
}

func (p *printer) publicKey(x *fhe.PublicKey) error {
	return p.line(struct {
		Kind       string `json:"kind"`
		Digest     string `json:"digest"`
		Key        string `json:"key"`
		Parameters string `json:"parameters"`
		Bytes      int64  `json:"bytes"`
	}{"public key", x.Digest().String(), x.Key().String(), x.Parameters().Digest().String(), x.Bytes()},
		"public key %s\nof secret key %v under parameters %s, %d bytes", x.Digest(), x.Key(), x.Parameters().Digest(), x.Bytes())
}

type ciphertextLine struct {
	Kind   string  `json:"kind"`
	Port   string  `json:"port,omitempty"`
	Index  int     `json:"index"`
	Level  int     `json:"level"`
	Degree int     `json:"degree"`
	Scale  float64 `json:"scale"`
	Slots  int     `json:"slots"`
	Seeded bool    `json:"seeded"`
	Bytes  int64   `json:"bytes"`
	Digest string  `json:"digest"`
}

func ciphertext(x *fhe.Ciphertext, port string, i int) ciphertextLine {
	_, seeded := x.Seed()
	return ciphertextLine{"ciphertext", port, i, x.Level(), x.Degree(), x.Scale().Float64(), 1 << x.LogSlots(), seeded, x.Bytes(), x.Digest().String()}
}

func describe(x *fhe.Ciphertext) string {
	return fmt.Sprintf("level %d, degree %d, scale %v, 2^%d slots, %d bytes%s, %s", x.Level(), x.Degree(), x.Scale(), x.LogSlots(), x.Bytes(), withSeed(x), x.Digest())
}

func (p *printer) bundle(x *fhe.Bundle) error {
	err := p.line(struct {
		Kind       string   `json:"kind"`
		Digest     string   `json:"digest"`
		Key        string   `json:"key"`
		Program    string   `json:"program"`
		Parameters string   `json:"parameters"`
		Ports      []string `json:"ports"`
	}{"bundle", x.Digest().String(), x.Key().String(), x.Program().String(), x.Parameters().Digest().String(), x.Ports()},
		"bundle %s\nsecret key %v, program %s, parameters %s", x.Digest(), x.Key(), x.Program(), x.Parameters().Digest())
	for _, port := range x.Ports() {
		for i, ct := range x.Get(port) {
			if err != nil {
				return err
			}
			err = p.line(ciphertext(ct, port, i), "%q[%d] %s", port, i, describe(ct))
		}
	}
	return err
}

// op is one line of a program. Scale is rounded to a float64; ScaleExact is the number itself, in hexadecimal.
type op struct {
	I          int             `json:"i"`
	Op         string          `json:"op"`
	Args       []program.Value `json:"args"`
	Level      int             `json:"level"`
	Scale      float64         `json:"scale"`
	ScaleExact string          `json:"scale_exact"`
	Slots      int             `json:"slots"`
	Degree     int             `json:"degree"`
	Scope      string          `json:"scope"`
	Galois     []uint64        `json:"galois,omitempty"`
	Const      any             `json:"const,omitempty"`
	Diagonals  []int           `json:"diagonals,omitempty"`
	N1         int             `json:"n1,omitempty"`
	Port       string          `json:"port,omitempty"`
	Index      *int            `json:"index,omitempty"`
	Out        int             `json:"out"` // the value that the operation defines
}

// table names rows of a constant; scalar is a + b·X^(N/2) and, for MAC_CONST, the accumulator's factor m.
type table struct {
	Digest string `json:"digest"`
	Rows   []int  `json:"rows"`
}

type scalar struct {
	A     string  `json:"a"`
	B     string  `json:"b"`
	M     string  `json:"m,omitempty"`
	Scale float64 `json:"scale,omitempty"`
}

func (p *printer) program(x *program.Program) error {
	if !p.json {
		return x.Dump(p.w)
	}
	consts, ins, outs := x.Constants(), x.Inputs(), x.Outputs()
	for i := range x.Ops() {
		o := &x.Ops()[i]
		l := op{I: i, Op: o.Code.String(), Args: []program.Value{}, Level: o.Level, Slots: 1 << o.LogSlots, Degree: o.Degree,
			Scope: x.Scope(program.Value(i)), Galois: o.Galois, Diagonals: o.Diagonals, N1: o.N1, Out: i}
		if o.Scale.Valid() {
			l.Scale, l.ScaleExact = o.Scale.Float64(), o.Scale.Big().Text('p', 0)
		}
		for v := range o.Operands() {
			l.Args = append(l.Args, v)
		}
		switch o.Code {
		case program.Input:
			l.Port, l.Index = ins[o.Port].Name, &o.Index
		case program.Output:
			l.Port, l.Index = outs[o.Port].Name, &o.Index
		case program.AddPt, program.SubPt, program.MulPt, program.Lincomb, program.Lintrans:
			l.Const = table{consts[o.Const].Digest.String(), o.Rows}
		case program.AddConst:
			l.Const = scalar{A: o.A.String(), B: o.B.String()}
		case program.MulConst:
			l.Const = scalar{A: o.A.String(), B: o.B.String(), Scale: o.By.Float64()}
		case program.MacConst:
			l.Const = scalar{A: o.A.String(), B: o.B.String(), M: o.M.String(), Scale: o.By.Float64()}
		}
		if err := p.enc.Encode(l); err != nil {
			return err
		}
	}
	return nil
}
