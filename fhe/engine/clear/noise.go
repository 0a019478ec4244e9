package clear

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"math"

	"github.com/signet-ml/signet/fhe/program"
)

// simulator adds the error of every operation as the noise model has it: Gaussian, independent from slot to slot, of
// the standard deviation that the operation itself adds. What comes before is in the operands already, with all that it
// has in common, so a simulation is right where the model's independence is not.
type simulator struct {
	noise  []program.Noise
	stream cipher.Stream
	buf    [16 * 256]byte
	left   []byte
}

func newSimulator(p *program.Program, c *program.Constants, seed uint64) (*simulator, error) {
	// The integers of the constants are what a machine computes with: their rounding is no error here.
	noise, err := p.Noise(c, program.NoiseHints{Exact: true})
	if err != nil {
		return nil, err
	}
	key := sha256.Sum256(binary.LittleEndian.AppendUint64([]byte("signet/clear/noise/v1"), seed))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return &simulator{noise: noise, stream: cipher.NewCTR(block, make([]byte, aes.BlockSize))}, nil
}

// doubleError is what encoding, decoding and adding up in double precision cost, relative to the values.
const doubleError = 0x1p-50

// share says which part of the error of an encryption a machine adds to its inputs.
type share int

const (
	whole   share = iota
	outside       // of the message's coefficients: the values of its slots were measured and have theirs
	inside        // the other part
)

// disturb returns all slots of operation i, whose message has n, with a share of its error.
func (s *simulator) disturb(i, n int, slots []complex128, part share) []complex128 {
	// Its share of the coefficients makes the error in n slots smaller than that in all.
	std := complex(math.Hypot(s.noise[i].Added*math.Sqrt(float64(len(slots))/float64(n)), rms(slots)*doubleError), 0)
	if std == 0 || part == outside && n == len(slots) {
		return slots
	}
	out := make([]complex128, len(slots))
	for j := range out {
		out[j] = std * s.gaussian()
	}
	if part != whole {
		message := project(out, n)
		for j := range out {
			if e := message[j&(n-1)]; part == outside {
				out[j] -= e
			} else {
				out[j] = e
			}
		}
	}
	for j, z := range slots {
		out[j] += z
	}
	return out
}

// ofInputs returns a simulator of the errors of encryption alone, under another seed.
func ofInputs(p *program.Program, c *program.Constants, seed uint64) (*simulator, error) {
	s, err := newSimulator(p, c, ^seed)
	if err != nil {
		return nil, err
	}
	for i := range s.noise {
		if p.Ops()[i].Code != program.Input {
			s.noise[i].Added = 0
		}
	}
	return s, nil
}

// gaussian returns two independent standard normal numbers: [Box, Muller 1958].
func (s *simulator) gaussian() complex128 {
	if len(s.left) == 0 {
		clear(s.buf[:])
		s.stream.XORKeyStream(s.buf[:], s.buf[:])
		s.left = s.buf[:]
	}
	u, v := binary.LittleEndian.Uint64(s.left), binary.LittleEndian.Uint64(s.left[8:])
	s.left = s.left[16:]
	r := math.Sqrt(-2 * math.Log(float64(u>>11+1)*0x1p-53))
	sin, cos := math.Sincos(2 * math.Pi * float64(v>>11) * 0x1p-53)
	return complex(r*cos, r*sin)
}
