package data

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestDecimalComma(t *testing.T) {
	comma := CSVOptions{Decimal: ','}
	with := func(change func(*CSVOptions)) CSVOptions {
		o := comma
		change(&o)
		return o
	}
	names := with(func(o *CSVOptions) { o.Header = HeaderNames })
	alone := with(func(o *CSVOptions) { o.LabelColumn = NoLabel })
	for name, c := range map[string]struct {
		text string
		o    CSVOptions
		want []float64 // all features
		y    []int
	}{
		"semicolons":                {"1,5;2;0\n3,25;4;1\n", comma, []float64{1.5, 2, 3.25, 4}, []int{0, 1}},
		"one feature":               {"1,5;0\n3,25;1\n", comma, []float64{1.5, 3.25}, []int{0, 1}},
		"tabs":                      {"1,5\t0\n3,25\t1\n", comma, []float64{1.5, 3.25}, []int{0, 1}},
		"spaces":                    {"1,5  0\n3,25 1\n", comma, []float64{1.5, 3.25}, []int{0, 1}},
		"three decimals":            {"1,250;0\n3,125;1\n", comma, []float64{1.25, 3.125}, []int{0, 1}},
		"whole numbers":             {"1;0\n3;1\n", comma, []float64{1, 3}, []int{0, 1}},
		"commas in quotes":          {"\"1,5\",0\n\"3,25\",1\n", comma, []float64{1.5, 3.25}, []int{0, 1}},
		"commas, no decimals":       {"1,2,0\n3,4,1\n", comma, []float64{1, 2, 3, 4}, []int{0, 1}},
		"names":                     {"a;b;y\n1,5;2;0\n", names, []float64{1.5, 2}, []int{0}},
		"names with commas":         {"a, cm;b, cm;y\n1,5;2;0\n", names, []float64{1.5, 2}, []int{0}},
		"names with commas, tabs":   {"a, cm\tb, cm\ty\n1,5\t2\t0\n", names, []float64{1.5, 2}, []int{0}},
		"names with semicolons":     {"a;b\tc;d\ty\n1,5\t2\t0\n", names, []float64{1.5, 2}, []int{0}},
		"counts":                    {"1;2;no;yes\n1,5;2;1\n", with(func(o *CSVOptions) { o.Header = HeaderCounts }), []float64{1.5, 2}, []int{1}},
		"labels with tabs":          {"1,5;a\tb\n2,5;c\td\n", comma, []float64{1.5, 2.5}, []int{0, 1}},
		"labels with semicolons":    {"1,5\ta;b\n2,5\tc;d\n", comma, []float64{1.5, 2.5}, []int{0, 1}},
		"one column":                {"1,5\n2,25\n-3\n", alone, []float64{1.5, 2.25, -3}, nil},
		"one column of targets":     {"151,0\n75,0\n", alone, []float64{151, 75}, nil},
		"one column, named":         {"price\n1,5\n2,25\n", with(func(o *CSVOptions) { o.LabelColumn, o.Header = NoLabel, HeaderNames }), []float64{1.5, 2.25}, nil},
		"one column, named a, cm":   {"a, cm\n1,5\n", with(func(o *CSVOptions) { o.LabelColumn, o.Header = NoLabel, HeaderNames }), []float64{1.5}, nil},
		"one column, end of number": {"1,5", alone, []float64{1.5}, nil},
	} {
		d, err := ReadCSV(strings.NewReader(c.text), c.o)
		if err != nil || !slices.Equal(d.X.Data, c.want) || !slices.Equal(d.Y, c.y) {
			t.Errorf("%s: %v, %v, %v", name, d.X, d.Y, err)
		}
	}
	for name, c := range map[string]struct {
		text, want string
		o          CSVOptions
	}{
		"point":               {"1.5;0\n", `line 1: column 1: "1.5" has a decimal point`, comma},
		"thousands too":       {"1.234,5;0\n", `line 1: column 1: "1.234,5"`, comma},
		"two commas":          {"1,2,3;0\n", `line 1: column 1: "1,2,3" is not a finite number`, comma},
		"one column, label":   {"1,5\n2,5\n", "one column where features and a label should be", comma},
		"one column, a point": {"1,5\n2.5\n", `line 2: column 1: "2.5" has a decimal point`, alone},
		"no separator fits":   {"1,5;x;0\t1\n", `column 2: "x" is not`, comma},
	} {
		_, err := ReadCSV(strings.NewReader(c.text), c.o)
		var ce *CSVError
		if !errors.As(err, &ce) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestSeparatorInNames recognises separators of samples when the names of columns hold others.
func TestSeparatorInNames(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"commas":            {"a;x, cm;y\n1;2;0\n", []string{"a", "x, cm"}},
		"semicolons":        {"a,x;z,y\n1,2,0\n", []string{"a", "x;z"}},
		"tabs":              {"a,x\tz,y\n1,2,0\n", []string{"a", "x\tz"}},
		"tabs in quotes":    {"a,\"x\tz\",y\n1,2,0\n", []string{"a", "x\tz"}},
		"commas in quotes":  {"a\t\"x, cm\"\ty\n1\t2\t0\n", []string{"a", "x, cm"}},
		"lines in quotes":   {"a;\"x\nz\";y\n1;2;0\n", []string{"a", "x\nz"}},
		"spaces":            {"a,x z,y\n1,2,0\n", []string{"a", "x z"}},
		"more than columns": {"a;x, in, cm, or, so;y\n1;2;0\n", []string{"a", "x, in, cm, or, so"}},
	} {
		d, err := ReadCSV(strings.NewReader(c.text), CSVOptions{Header: HeaderNames})
		if err != nil || !slices.Equal(d.Features, c.want) || !slices.Equal(d.X.Data, []float64{1, 2}) {
			t.Errorf("%s: %q, %v, %v", name, d.Features, d.X.Data, err)
		}
	}
}

func TestSpacesAndDecimalCommas(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		o    CSVOptions
		want []float64
	}{
		"three columns":     {"1,5  2,5 0\n3,25 4 1\n", CSVOptions{}, []float64{1.5, 2.5, 3.25, 4}},
		"padded":            {" 1,5  2,5 0 \n\n3 4,5 1 \n", CSVOptions{}, []float64{1.5, 2.5, 3, 4.5}},
		"targets":           {"1,5  2 7,5\n3,25 4 1\n", CSVOptions{Target: TargetNumbers}, []float64{1.5, 2, 3.25, 4}},
		"features alone":    {"1,5  2\n3,25 4\n", CSVOptions{LabelColumn: NoLabel}, []float64{1.5, 2, 3.25, 4}},
		"commas said":       {"1,5  2 0\n3,25 4 1\n", CSVOptions{Comma: ','}, []float64{1, 3}},
		"spaces said":       {"1,5  2 0\n3,25 4 1\n", CSVOptions{Comma: ' '}, []float64{1.5, 2, 3.25, 4}},
		"decimals said":     {"1,5  2 0\n3,25 4 1\n", CSVOptions{Decimal: ','}, []float64{1.5, 2, 3.25, 4}},
		"points said":       {"1,5 kg\n3,25 kg\n", CSVOptions{Decimal: '.'}, []float64{1, 3}},
		"spaces for beauty": {"1, 5, 0\n3, 4, 1\n", CSVOptions{}, []float64{1, 5, 3, 4}},
		"spaces in labels":  {"1,5,red 1\n3,4,blue 1\n", CSVOptions{}, []float64{1, 5, 3, 4}},
		"no decimals":       {"1,red 1\n3,blue 1\n", CSVOptions{}, []float64{1, 3}},
	} {
		d, err := ReadCSV(strings.NewReader(c.text), c.o)
		if err != nil || !slices.Equal(d.X.Data, c.want) {
			t.Errorf("%s: %v, %v, want %v", name, d.X.Data, err, c.want)
		}
	}
	for text, want := range map[string]string{
		"1,5 2 0\n3,25 4 1\n":    "columns may be separated by ',' or by ' ': say which in CSVOptions.Comma",
		"1,5 kg\n3,25 kg\n":      "columns may be separated by ',' or by ' '",
		"1,234 5,1 0\n5 x,2 1\n": `"234 5" is not a finite number`,
		"1, x, 0\n":              `"x" is not a finite number`,
	} {
		_, err := ReadCSV(strings.NewReader(text), CSVOptions{})
		var ce *CSVError
		if !errors.As(err, &ce) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestTabsInQuotes(t *testing.T) {
	d, err := ReadCSV(strings.NewReader("1\t\"a\tb\"\n2\t\"c\td\"\n"), CSVOptions{})
	if err != nil || !slices.Equal(d.Classes, []string{"a\tb", "c\td"}) {
		t.Errorf("tabs: classes %q, %v", d.Classes, err)
	}
	d, err = ReadCSV(strings.NewReader("1,\"a\tb\"\n2,\"c\td\"\n"), CSVOptions{})
	if err != nil || !slices.Equal(d.Classes, []string{"a\tb", "c\td"}) {
		t.Errorf("commas: classes %q, %v", d.Classes, err)
	}
	var ce *CSVError
	if _, err = ReadCSV(strings.NewReader("1\t\"2\t3\"\t0\n"), CSVOptions{}); !errors.As(err, &ce) || ce.Column != 2 {
		t.Errorf("tab between numbers in quotes: %v", err)
	}
}

// TestLongTables reads tables of which only the first 64 KiB are seen when the separator is
// chosen, cut at every place of a line.
func TestLongTables(t *testing.T) {
	const n = windowLen/10 + 40
	for _, sep := range []string{",", ";", "\t", " "} {
		for pad := range 14 {
			var b strings.Builder
			fmt.Fprintf(&b, "%s%sb%slabel\n", strings.Repeat("a", 1+pad), sep, sep)
			for i := range n {
				fmt.Fprintf(&b, "%d.5%s%d%s%d\n", i%1000, sep, 1000+i%7, sep, i%2)
			}
			if b.Len() <= windowLen {
				t.Fatalf("a table of %d bytes is not long", b.Len())
			}
			d, err := ReadCSV(strings.NewReader(b.String()), CSVOptions{Header: HeaderNames})
			if err != nil || d.Len() != n || d.X.Row(n - 1)[0] != float64((n-1)%1000)+0.5 || d.Y[n-1] != (n-1)%2 {
				t.Fatalf("separator %q, %d bytes in front: %d samples, %v", sep, pad, d.Len(), err)
			}
		}
	}
	line := strings.Repeat("1;2;0\n", windowLen/6+1)
	for tail, want := range map[string]string{
		"1,5;2;1\n": "",
		"1,2,0\n":   fmt.Sprintf("line %d: 1 fields, want 3", windowLen/6+2),
		"1;2\n":     fmt.Sprintf("line %d: 2 fields, want 3", windowLen/6+2),
		"1;x;0\n":   fmt.Sprintf(`line %d: column 2: "x" is not`, windowLen/6+2),
	} {
		_, err := ReadCSV(strings.NewReader(line+tail), CSVOptions{})
		var ce *CSVError
		if (want == "") != (err == nil) || err != nil && (!errors.As(err, &ce) || !strings.Contains(err.Error(), want)) {
			t.Errorf("tail %q: %v, want %q", tail, err, want)
		}
	}
	// One line longer than the window.
	d, err := ReadCSV(strings.NewReader(strings.Repeat("1;", windowLen)+"1\n"), CSVOptions{})
	if err != nil || !slices.Equal(d.X.Shape, []int{1, windowLen}) {
		t.Errorf("a long line: %v, %v", d.X.Shape, err)
	}
}
