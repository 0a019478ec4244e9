package program

import (
	"fmt"
	"math"
	"slices"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/internal/wire"
)

// Port describes how a tensor crosses the border of a program: as Count ciphertexts of the stated level, degree, scale
// and slots, packed by Layout. Packing is data, so a client needs to know nothing about the model.
type Port struct {
	Name     string
	Count    int // ciphertexts
	Level    int
	Degree   int // 1; an output may have 2
	LogSlots int
	Scale    fhe.Scale
	Bound    float64 // the largest magnitude of a value, as it enters; Encrypt refuses more
	Layout   Layout
	Features Features // what is made of the values before; of input ports

	// Program is the digest of the program that the port belongs to. It is set by Program.Inputs and Outputs, not
	// part of the port's encoding, and binds bundles to the program.
	Program fhe.Digest
}

// Layout says which slot holds which element of a tensor. Slots in no run are zero on encryption and ignored on
// decryption. An element may occur in several runs (replicas). A slot belongs to one run: the runs of a ciphertext have
// at most as many elements together as it has real slots, and every ciphertext has a run.
type Layout struct {
	Shape []int // row-major
	Runs  []Run
}

// Run places Length elements: element Index + i·IndexStep lies in slot Slot + i·SlotStep of ciphertext Ciphertext.
// A slot number s in [n, 2n), for n slots, is the imaginary part of slot s - n. In a run of several elements SlotStep is
// not 0; in a run of one element a program keeps both steps as 0.
type Run struct {
	Ciphertext       int
	Slot, SlotStep   int
	Index, IndexStep int
	Length           int
}

// Limits of ports, in the encoding and in the Builder.
const (
	maxPorts    = 256
	maxName     = 256
	maxCount    = 1 << 14
	maxDims     = 8
	maxElements = 1 << 28
	maxRuns     = 1 << 18
)

// Len returns the number of elements of the tensor.
func (l Layout) Len() int {
	n := 1
	for _, d := range l.Shape {
		n *= d
	}
	return n
}

// own returns a copy that shares nothing with the caller, with runs in canonical form.
func (p Port) own() Port {
	p.Program = fhe.Digest{}
	p.Layout.Shape, p.Layout.Runs = slices.Clone(p.Layout.Shape), slices.Clone(p.Layout.Runs)
	p.Features = p.Features.own()
	for i := range p.Layout.Runs {
		if r := &p.Layout.Runs[i]; r.Length == 1 {
			r.SlotStep, r.IndexStep = 0, 0
		}
	}
	return p
}

// check validates the port's own fields and that every run stays inside tensor, ciphertexts and slots.
func (p *Port) check(params fhe.Parameters, output bool) error {
	maxDegree := 1
	if output {
		maxDegree = fhe.MaxDegree
	}
	if err := wire.CheckName(p.Name, maxName); err != nil {
		return err
	}
	switch {
	case p.Count < 1 || p.Count > maxCount:
		return fmt.Errorf("%d ciphertexts, need 1 to %d", p.Count, maxCount)
	case p.Count > len(p.Layout.Runs):
		// So the memory that a port takes is in proportion to its bytes.
		return fmt.Errorf("%d ciphertexts in %d runs: every ciphertext needs one", p.Count, len(p.Layout.Runs))
	case p.Level < 0 || p.Level > params.MaxLevel():
		return fmt.Errorf("level %d, the parameters have 0 to %d", p.Level, params.MaxLevel())
	case p.Degree < 1 || p.Degree > maxDegree:
		return fmt.Errorf("degree %d, need 1 to %d", p.Degree, maxDegree)
	case p.LogSlots < 0 || p.LogSlots > params.LogMaxSlots():
		return fmt.Errorf("2^%d slots, the parameters have up to 2^%d", p.LogSlots, params.LogMaxSlots())
	case !p.Scale.Valid():
		return fmt.Errorf("invalid scale")
	case !(p.Bound > 0) || math.IsInf(p.Bound, 0):
		return fmt.Errorf("bound %g is not positive and finite", p.Bound)
	case len(p.Layout.Shape) == 0 || len(p.Layout.Shape) > maxDims:
		return fmt.Errorf("tensor of %d dimensions, need 1 to %d", len(p.Layout.Shape), maxDims)
	case len(p.Layout.Runs) == 0 || len(p.Layout.Runs) > maxRuns:
		return fmt.Errorf("%d runs, need 1 to %d", len(p.Layout.Runs), maxRuns)
	}
	n := 1
	for _, d := range p.Layout.Shape {
		if d < 1 || d > maxElements/n {
			return fmt.Errorf("tensor shape %v is empty or too large", p.Layout.Shape)
		}
		n *= d
	}
	if err := p.Features.check(n); err != nil {
		return err
	}
	within := func(first, step, length, limit int) bool {
		if first < 0 || first >= limit || length < 1 || length > maxElements {
			return false
		}
		if length > 1 && (step > limit || step < -limit) {
			return false
		}
		last := int64(first) + int64(length-1)*int64(step) // below 2^57 in magnitude
		return last >= 0 && last < int64(limit)
	}
	used := make([]int, p.Count)
	for i, r := range p.Layout.Runs {
		if r.Ciphertext < 0 || r.Ciphertext >= p.Count ||
			!within(r.Slot, r.SlotStep, r.Length, 2<<p.LogSlots) || !within(r.Index, r.IndexStep, r.Length, n) ||
			r.Length > 2<<p.LogSlots {
			return fmt.Errorf("run %d leaves tensor, ciphertexts or slots", i)
		}
		if r.Length > 1 && r.SlotStep == 0 {
			return fmt.Errorf("run %d puts %d elements into one slot", i, r.Length)
		}
		if used[r.Ciphertext] += r.Length; used[r.Ciphertext] > 2<<p.LogSlots {
			return fmt.Errorf("run %d: ciphertext %d has more elements than the %d real slots", i, r.Ciphertext, 2<<p.LogSlots)
		}
	}
	for i, n := range used {
		if n == 0 {
			return fmt.Errorf("ciphertext %d is in no run", i)
		}
	}
	return nil
}

// encode writes a port in a program of the version.
func (p *Port) encode(w *wire.Writer, version int) {
	w.String(p.Name)
	w.Uvarint(uint64(p.Count))
	w.U8(uint8(p.Level))
	w.U8(uint8(p.Degree))
	w.U8(uint8(p.LogSlots))
	encodeScale(w, p.Scale)
	w.U64(math.Float64bits(p.Bound))
	w.Uvarint(uint64(len(p.Layout.Shape)))
	for _, d := range p.Layout.Shape {
		w.Uvarint(uint64(d))
	}
	w.Uvarint(uint64(len(p.Layout.Runs)))
	for _, r := range p.Layout.Runs {
		w.Uvarint(uint64(r.Ciphertext))
		w.Uvarint(uint64(r.Slot))
		w.Varint(int64(r.SlotStep))
		w.Uvarint(uint64(r.Index))
		w.Varint(int64(r.IndexStep))
		w.Uvarint(uint64(r.Length))
	}
	if version > 1 {
		p.Features.encode(w)
	}
}

func decodePort(r *wire.Reader, version int) (p Port) {
	p.Name = r.String(maxName, "port name")
	p.Count = r.Len(maxCount, "ciphertexts of a port")
	p.Level, p.Degree, p.LogSlots = int(r.U8()), int(r.U8()), int(r.U8())
	p.Scale = decodeScale(r)
	p.Bound = math.Float64frombits(r.U64())
	for i, n := 0, r.Len(maxDims, "dimensions"); i < n && r.Err() == nil; i++ {
		p.Layout.Shape = append(p.Layout.Shape, r.Len(maxElements, "dimension"))
	}
	for i, n := 0, r.Len(maxRuns, "runs"); i < n && r.Err() == nil; i++ {
		run := Run{Ciphertext: r.Len(maxCount, "ciphertext"), Slot: r.Len(1<<20, "slot")}
		run.SlotStep = int(r.Varint())
		run.Index = r.Len(maxElements, "index")
		run.IndexStep = int(r.Varint())
		run.Length = r.Len(maxElements, "run length")
		p.Layout.Runs = append(p.Layout.Runs, run)
	}
	if version > 1 {
		p.Features = decodeFeatures(r)
	}
	return p
}

func encodeScale(w *wire.Writer, s fhe.Scale) {
	hi, lo, exp := s.Words()
	w.U64(hi)
	w.U64(lo)
	w.U32(uint32(exp))
}

func decodeScale(r *wire.Reader) fhe.Scale {
	hi, lo, exp := r.U64(), r.U64(), int32(r.U32())
	if r.Err() != nil {
		return fhe.Scale{}
	}
	s, err := fhe.ScaleFromWords(hi, lo, exp)
	if err != nil {
		r.Fail("%v", err)
	}
	return s
}
