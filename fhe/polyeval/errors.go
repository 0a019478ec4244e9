package polyeval

import (
	"fmt"
	"math"

	"github.com/signet-ml/signet/fhe"
)

// LevelError says that a value has too few levels left.
type LevelError struct {
	Have, Need int    // levels of the value, and levels that the evaluation consumes
	Name       string // of what was to be evaluated
}

// Missing returns how many levels are missing.
func (e *LevelError) Missing() int { return e.Need - e.Have }

func (e *LevelError) Error() string {
	return fmt.Sprintf("polyeval: %s consumes %d levels, the value has %d: %d missing, which a bootstrap before it would give", e.Name, e.Need, e.Have, e.Missing())
}

// ScaleError says that a result of scale Target cannot be made from a value of scale Input.
type ScaleError struct {
	Input, Target fhe.Scale
	Err           error
}

func (e *ScaleError) Error() string {
	return fmt.Sprintf("polyeval: from scale %v to %v: %v", e.Input, e.Target, e.Err)
}

func (e *ScaleError) Unwrap() error { return e.Err }

// ToleranceError says that no approximation is as close as was asked.
type ToleranceError struct {
	Name      string  // of the function, and where
	Tolerance float64 // as asked
	Best      float64 // smallest largest error within reach
	Detail    string  // what reaches it
}

func (e *ToleranceError) Error() string {
	return fmt.Sprintf("polyeval: %s: the error is 2^%.1f at best, %s, wanted 2^%.1f", e.Name, math.Log2(e.Best), e.Detail, math.Log2(e.Tolerance))
}
