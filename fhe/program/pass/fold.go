package pass

import (
	"math/big"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

var one = big.NewInt(1)

func fold(e *edit) {
	for v := range program.Value(len(e.old)) {
		o := e.mapped(v)
		if w := e.simplify(&o); w != gone {
			e.replace(v, w)
		} else {
			e.put(v, o)
		}
	}
}

// simplify changes o, whose operands are in the new list, into an operation with the same result that costs less, or
// returns the value that has that result already. Operands have been simplified, so one look at them is enough.
func (e *edit) simplify(o *program.Op) program.Value {
	arg := func(i int) *program.Op { return &e.out[o.Args[i]] }
	if o.Code == program.MacConst && arg(0).Code == program.Zero {
		// The accumulator adds nothing, if it does not lower the level or widen degree and slots either.
		x := arg(1)
		if shape(o) == shape(x) && o.Scale == x.Scale.Mul(o.By) {
			o.Code, o.Args, o.M = program.MulConst, o.Args[1:], nil
		}
	}
	if o.Code == program.MulConst && o.A.Cmp(one) == 0 && o.B.Sign() == 0 {
		o.Code, o.A, o.B, o.By = program.SetScale, nil, nil, fhe.Scale{}
	}
	switch o.Code {
	case program.Neg:
		if x := arg(0); x.Code == program.Neg {
			return x.Args[0]
		}
	case program.Drop:
		if x := arg(0); x.Code == program.Drop {
			o.Args = x.Args
		}
	case program.SetScale:
		if x := arg(0); x.Code == program.SetScale {
			o.Args = x.Args
		}
		if o.Scale == arg(0).Scale {
			return o.Args[0]
		}
	case program.AddConst:
		if o.A.Sign() == 0 && o.B.Sign() == 0 {
			return o.Args[0]
		}
	case program.Add, program.Sub:
		for i := range 2 {
			if zero := arg(1-i).Code == program.Zero; zero && shape(o) == shape(arg(i)) && o.Scale == arg(i).Scale &&
				(i == 0 || o.Code == program.Add) {
				return o.Args[i]
			}
		}
	}
	return gone
}

// shape is what a ciphertext has besides its scale.
func shape(o *program.Op) [3]int { return [3]int{o.Level, o.Degree, o.LogSlots} }
