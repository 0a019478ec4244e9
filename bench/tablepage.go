package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/signet-ml/signet/ml/report"
)

// tableRow is a model of a table in one form, as figures named table/model/form/… state it.
type tableRow struct {
	name    [3]string
	clear   string    // accuracy in float64
	cells   [3]string // by mode
	refusal [3]string
	refused [3]string // samples
}

// tableRows returns the rows of a summary in the order in which they were measured.
func tableRows(sum *report.Summary) []*tableRow {
	var out []*tableRow
	for _, f := range sum.Figures {
		part := strings.Split(f.Name, "/")
		if len(part) < 4 {
			continue
		}
		name := [3]string(part[:3])
		if len(out) == 0 || out[len(out)-1].name != name {
			out = append(out, &tableRow{name: name})
		}
		r := out[len(out)-1]
		if part[3] == "accuracy_clear" {
			if r.clear = report.Format(f.Value, f.Unit); f.Unit == "" {
				r.clear = "R² " + r.clear
			}
			continue
		}
		for i, m := range modes {
			if m.name != part[3] || len(part) != 5 {
				continue
			}
			switch part[4] {
			case "agreement":
				r.cells[i] = report.Format(f.Value, f.Unit)
			case "bits":
				r.cells[i] += ", " + report.Format(f.Value, f.Unit)
			case "integers":
				if f.Value > float64(widths[0]) {
					r.cells[i] += fmt.Sprintf(" (%.0f)", f.Value)
				}
			case "refused":
				r.cells[i] += fmt.Sprintf(", %.0f refused", f.Value)
				r.refused[i] = f.Note
			case "refusal":
				r.cells[i], r.refusal[i] = "refused", f.Note
			}
		}
	}
	return out
}

var tableHead = []string{"table", "model", "columns", "float64", "single", "batch", "proof"}

func (r *tableRow) line() []string { return append(append(r.name[:], r.clear), r.cells[:]...) }

// remarks returns what was refused, a line each.
func remarks(rows []*tableRow) []string {
	var out []string
	for _, r := range rows {
		for i, m := range modes {
			for _, why := range []string{r.refusal[i], r.refused[i]} {
				if why != "" {
					out = append(out, strings.Join(r.name[:], ", ")+", "+m.name+": "+why)
				}
			}
		}
	}
	return out
}

// printTables prints one row for each table, model and form.
func printTables(w io.Writer, sum *report.Summary) error {
	var b bytes.Buffer
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, strings.Join(tableHead, "\t"))
	rows := tableRows(sum)
	for _, r := range rows {
		fmt.Fprintln(tw, strings.Join(r.line(), "\t"))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for _, r := range remarks(rows) {
		fmt.Fprintln(&b, r)
	}
	if f, ok := sum.Get("total_s"); ok {
		fmt.Fprintf(&b, "%d of %d checks passed in %.0f s\n", len(sum.Checks)-len(sum.Failed()), len(sum.Checks), f.Value)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// tables writes what printTables prints as a part of the page.
func (p *page) tables(sum *report.Summary) {
	p.line("\nLabels, or predictions within a hundredth of the target's range, that agree with the model in float64 on samples that it")
	p.line("was not trained on, and bits by `Plan.Fidelity`, for proofs the same of the integers. Columns are as measured: `raw` has the")
	p.line("scaler multiplied into the first layer, `scaler` as a layer in front. A single sample and a batch are encrypted: notes in the")
	p.line("file say how many, and the ring. What a client refuses to encrypt does not count, and is listed. Integers of a proof have")
	p.line("8 bits, or as many as stand in parentheses, where 8 would change more than one answer of 200.\n")
	for _, name := range sum.Failed() {
		p.line("- check FAILED: %s", name)
	}
	p.line("- checks passed: %d of %d\n", len(sum.Checks)-len(sum.Failed()), len(sum.Checks))
	p.line("| %s |\n|%s", strings.Join(tableHead, " | "), strings.Repeat("---|", len(tableHead)))
	rows := tableRows(sum)
	for _, r := range rows {
		p.line("| %s |", strings.Join(r.line(), " | "))
	}
	if all := remarks(rows); len(all) > 0 {
		p.line("")
		for _, r := range all {
			p.line("- %s", r)
		}
	}
}

// withoutTables returns the results of scenarios.
func withoutTables(all []result) []result {
	var out []result
	for _, r := range all {
		if r.Name != tablesName {
			out = append(out, r)
		}
	}
	return out
}
