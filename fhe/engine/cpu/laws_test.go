package cpu_test

import (
	"testing"

	"github.com/signet-ml/signet/fhe/engine/cpu"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/program"
)

func TestLaws(t *testing.T) {
	fhetest.RunLaws(t, func(t *testing.T) program.Engine {
		e, err := cpu.Open(cpu.Config{})
		if err != nil {
			t.Fatal(err)
		}
		return e
	})
}
