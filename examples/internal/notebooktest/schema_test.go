package notebooktest_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/signet-ml/signet/examples/internal/notebooktest"
)

// TestValidateRefuses: the checker is not one that accepts everything.
func TestValidateRefuses(t *testing.T) {
	b, err := os.ReadFile("../notebook/testdata/sample.ipynb")
	if err != nil {
		t.Fatal(err)
	}
	cell := func(nb any, i int) map[string]any { return nb.(map[string]any)["cells"].([]any)[i].(map[string]any) }
	for name, break_ := range map[string]func(nb any){
		"no-format":      func(nb any) { delete(nb.(map[string]any), "nbformat") },
		"format-3":       func(nb any) { nb.(map[string]any)["nbformat"] = 3.0 },
		"same-id":        func(nb any) { cell(nb, 1)["id"] = cell(nb, 0)["id"] },
		"no-id":          func(nb any) { delete(cell(nb, 0), "id") },
		"bad-id":         func(nb any) { cell(nb, 0)["id"] = "a b" },
		"long-id":        func(nb any) { cell(nb, 0)["id"] = strings.Repeat("a", 65) },
		"cell-type":      func(nb any) { cell(nb, 0)["cell_type"] = "html" },
		"unknown-key":    func(nb any) { cell(nb, 0)["colour"] = "red" },
		"source":         func(nb any) { cell(nb, 0)["source"] = []any{1.0} },
		"no-outputs":     func(nb any) { delete(cell(nb, 2), "outputs") },
		"count":          func(nb any) { cell(nb, 2)["execution_count"] = "1" },
		"output-type":    func(nb any) { cell(nb, 2)["outputs"] = []any{map[string]any{"output_type": "text"}} },
		"kernel-no-name": func(nb any) { nb.(map[string]any)["metadata"].(map[string]any)["kernelspec"] = map[string]any{} },
	} {
		t.Run(name, func(t *testing.T) {
			var nb any
			if err := json.Unmarshal(b, &nb); err != nil {
				t.Fatal(err)
			}
			break_(nb)
			broken, err := json.Marshal(nb)
			if err != nil {
				t.Fatal(err)
			}
			if notebooktest.Validate(broken) == nil {
				t.Error("accepted")
			}
		})
	}
}
