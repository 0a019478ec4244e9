package quickstart_test

import (
	"strings"
	"testing"

	"github.com/signet-ml/signet/examples/internal/quickstart"
	"github.com/signet-ml/signet/examples/internal/stage"
	"github.com/signet-ml/signet/ml/report"
)

func TestRecap(t *testing.T) {
	s := report.New("quickstart")
	for _, f := range []struct {
		name, unit string
		value      float64
	}{{"accuracy", "ratio", 0.98}, {"accuracy_clear", "ratio", 0.97}, {"server_ms", "ms", 9}, {"encrypt_ms", "ms", 1}, {"decrypt_ms", "ms", 2},
		{"input_bytes", "B", 1e5}, {"output_bytes", "B", 2e4}, {"keys_wire_bytes", "B", 3e6}} {
		s.Add(report.Number(f.name, f.unit, f.value, 7, ""), report.Number("lr_"+f.name, f.unit, f.value/2, 5, ""))
	}
	s.Add(report.Number("lr_calibration_error", "ratio", 0.031, 5, ""), report.Number("lr_calibration_error_clear", "ratio", 0.03, 5, ""))
	s.Artifacts = []report.Artifact{{Path: "predictions.csv", Media: "text/csv"}, {Path: "lr/a.png", Media: "image/png"}, {Path: "b.png", Media: "image/png"}}
	for _, c := range []string{stage.CheckNoKey, stage.CheckProcess, stage.CheckSame} {
		s.Check("lr: "+c, true)
	}
	const want = `  predicted  5 tumours and 7 handwritten digits, all encrypted
  by         another process, with the weights and no secret key; a second one gave the same bits
  right      49.00 % and 98.00 %; in the clear 48.50 % and 97.00 %; calibration error 0.031, in the clear 0.030
  took       4.50 ms for all tumours at once and 9.00 ms for each digit; 1.50 ms and 3.00 ms to encrypt and decrypt
  sent       50.0 kB for all tumours at once and 100 kB for each digit; 10.0 kB and 20.0 kB back; 12 keys, once, 4.50 MB
  pictures   in out: lr/a.png, b.png; all figures: summary.json
`
	if got := quickstart.Recap(s, "out"); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}

	for i := range s.Figures {
		if strings.HasSuffix(s.Figures[i].Name, "keys_wire_bytes") {
			s.Figures[i].N = 0
		}
	}
	if got := quickstart.Recap(s, "out"); !strings.Contains(got, "back; no keys\n") {
		t.Errorf("without keys:\n%s", got)
	}

	// What a check disproves is not claimed, in whichever part it failed.
	for _, c := range []struct{ failed, claim, instead string }{
		{stage.CheckNoKey, "no secret key", "A SECRET KEY"},
		{stage.CheckProcess, "another process", "THIS process"},
		{stage.CheckSame, "the same bits", "OTHER BITS"},
	} {
		s := report.New("quickstart-mlp")
		s.Check("lr: "+c.failed, false)
		if got := quickstart.Recap(s, "out"); strings.Contains(got, c.claim) || !strings.Contains(got, c.instead) {
			t.Errorf("%s failed:\n%s", c.failed, got)
		}
	}
}
