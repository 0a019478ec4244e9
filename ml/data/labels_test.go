package data

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// labelled returns a table of one feature whose labels are given by their index.
func labelled(n int, label func(int) string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d;%s\n", i, label(i))
	}
	return b.String()
}

func format(verb string, mod int) func(int) string {
	return func(i int) string { return fmt.Sprintf(verb, i%mod) }
}

func names(verb string, n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf(verb, i))
	}
	return out
}

func TestClasses(t *testing.T) {
	among := func(l ...string) func(int) string { return func(i int) string { return l[i%len(l)] } }
	for name, c := range map[string]struct {
		n       int
		label   func(int) string
		classes []string // of the options
		y       []int    // first ones
		want    []string
	}{
		"two":                     {6, format("%d", 2), nil, []int{0, 1, 0}, nil},
		"digits":                  {40, format("%d", 10), nil, []int{0, 1, 2}, nil},
		"ten labels, ten samples": {10, format("%d", 10), nil, []int{0, 1, 2}, nil},
		"ten names, ten samples":  {10, format("n%d", 10), nil, []int{0, 1, 2}, names("n%d", 10)},
		"eleven labels, two each": {22, format("%d", 11), nil, []int{0, 1, 2}, nil},
		"a hundred numbers":       {200, format("%d", 100), nil, []int{0, 1, 2}, nil},
		"two hundred names":       {400, format("n%03d", 200), nil, []int{0, 1, 2}, names("n%03d", 200)},
		"largest number":          {2, among("65535"), nil, []int{65535}, nil},
		"decimals of zeros":       {4, among("0.0", "1.0", "2.", "1e0"), nil, []int{0, 1, 2, 1}, nil},
		"decimal comma of zeros":  {4, among("0,0", "1,0"), nil, []int{0, 1, 0, 1}, nil},
		"signs":                   {4, among("-1", "+1"), nil, []int{0, 1, 0, 1}, []string{"-1", "1"}},
		"one number, two texts":   {4, among("-1", "1", "-1.0", "+1.0"), nil, []int{0, 1, 0, 1}, []string{"-1", "1"}},
		"order of numbers":        {4, among("10", "-10", "9", "-9"), nil, []int{3, 0, 2, 1}, []string{"-10", "-9", "9", "10"}},
		"names that start so":     {3, among("1e", "0x1p2", "-"), nil, []int{2, 1, 0}, []string{"-", "0x1p2", "1e"}},
		"names and numbers":       {3, among("1", "none", "2"), nil, []int{0, 2, 1}, []string{"1", "2", "none"}},
		"infinite is a name":      {3, among("inf", "fin"), nil, []int{1, 0}, []string{"fin", "inf"}},
		"given decimals":          {3, among("1.5", "0.5"), []string{"0.5", "1.5"}, []int{1, 0, 1}, []string{"0.5", "1.5"}},
		"given, as decimals":      {3, among("1.0", "0.0"), []string{"a", "b"}, []int{1, 0, 1}, []string{"a", "b"}},
	} {
		d, err := ReadCSV(strings.NewReader(labelled(c.n, c.label)), CSVOptions{Classes: c.classes})
		if err != nil || !slices.Equal(d.Y[:len(c.y)], c.y) {
			t.Errorf("%s: %v, %v", name, d.Y, err)
			continue
		}
		if !slices.Equal(d.Classes, c.want) {
			t.Errorf("%s: classes %q, want %q", name, d.Classes, c.want)
		}
		if err := d.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestClassesRefuse(t *testing.T) {
	then := func(n int, before func(int) string, last string) string {
		return labelled(n, before) + "99;" + last + "\n"
	}
	const target, other = "CSVOptions.Target to TargetNumbers", "CSVOptions.LabelColumn"
	for name, c := range map[string]struct{ text, want, advice string }{
		"decimals":             {then(4, format("%d", 2), "1.5"), `line 5: column 2: label "1.5" is not the number of a class`, target},
		"decimal comma":        {then(4, format("%d", 2), "1,5"), `line 5: column 2: label "1,5" is not the number`, target},
		"thousands":            {then(4, format("%d", 2), "12,500"), `label "12,500" is not the number`, target},
		"small":                {then(4, format("%d", 2), "1e-300"), `label "1e-300" is not the number`, target},
		"65,536":               {then(4, format("%d", 2), "65536"), `line 5: column 2: label "65536" is not the number`, target},
		"below -65,535":        {then(4, format("%d", 2), "-65536"), `label "-65536" is not the number`, target},
		"beyond integers":      {then(4, format("%d", 2), "99999999999999999999"), "is not the number", target},
		"beyond floats":        {then(4, format("%d", 2), "1e999"), "is not the number of a class", ""},
		"exponents":            {then(4, format("%d", 2), "1.5e9"), `label "1.5e9" is not the number`, target},
		"decimals among names": {then(4, format("n%d", 2), "1.5"), `line 5: column 2: label "1.5" is not the number`, target},
		"101 numbers":          {labelled(303, format("%d", 101)), `line 101: column 2: label "100" is number 101 of different ones`, target},
		"101 numbers below 0":  {labelled(303, format("-%d", 101)), `label "-100" is number 101`, target},
		"sparse numbers":       {labelled(21, format("%d", 11)), "line 1: column 2: 11 different labels for 21 samples", target},
		"years":                {labelled(30, func(i int) string { return fmt.Sprint(1990 + i) }), "30 different labels for 30 samples", target},
		"mixed":                {then(10, format("%d", 10), "no"), "11 different labels for 11 samples", target},
		"names of samples":     {labelled(30, format("n%d", 30)), "30 different labels for 30 samples: another column?", other},
	} {
		d, err := ReadCSV(strings.NewReader(c.text), CSVOptions{})
		var ce *CSVError
		if !errors.As(err, &ce) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.advice) || d.Y != nil {
			t.Errorf("%s: %v, want *CSVError with %q and %q", name, err, c.want, c.advice)
		}
		if name == "names of samples" {
			continue
		}
		// The advice is right: the same table has numbers to predict, unless it has names too.
		_, err = ReadCSV(strings.NewReader(c.text), CSVOptions{Target: TargetNumbers})
		if names := strings.Contains(c.text, "n"); (err != nil) != (names || name == "thousands" || name == "beyond floats") {
			t.Errorf("%s: as numbers: %v", name, err)
		}
	}
	// Names that the options give are not judged.
	given := CSVOptions{Classes: names("n%d", 30)}
	if d, err := ReadCSV(strings.NewReader(labelled(30, format("n%d", 30))), given); err != nil || d.Y[29] != 29 {
		t.Errorf("given names: %v", err)
	}
	for _, l := range []string{"2", "-1", "1.5", "c", "1e9"} {
		_, err := ReadCSV(strings.NewReader("1;"+l+"\n"), CSVOptions{Classes: []string{"a", "b"}})
		if err == nil || !strings.Contains(err.Error(), "is not one of the classes") {
			t.Errorf("label %s of two given classes: %v", l, err)
		}
	}
}
