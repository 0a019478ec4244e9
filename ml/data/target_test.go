package data

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/signet-ml/signet/ml"
)

func TestReadCSVTargets(t *testing.T) {
	numbers := CSVOptions{Target: TargetNumbers}
	with := func(change func(*CSVOptions)) CSVOptions {
		o := numbers
		change(&o)
		return o
	}
	for name, c := range map[string]struct {
		text    string
		o       CSVOptions
		x, want []float64
	}{
		"last column":      {"1,2,10.5\n3,4,-2e3\n", numbers, []float64{1, 2, 3, 4}, []float64{10.5, -2000}},
		"first column":     {"10.5,1\n7,3\n", with(func(o *CSVOptions) { o.LabelColumn = 1 }), []float64{1, 3}, []float64{10.5, 7}},
		"names":            {"a;price\n1;10\n3;11\n", with(func(o *CSVOptions) { o.Header = HeaderNames }), []float64{1, 3}, []float64{10, 11}},
		"counts":           {"2,1\n1,10\n3,11\n", with(func(o *CSVOptions) { o.Header = HeaderCounts }), []float64{1, 3}, []float64{10, 11}},
		"decimal commas":   {"1;10,5\n3;2,25\n", numbers, []float64{1, 3}, []float64{10.5, 2.25}},
		"commas, not tabs": {"1,5\t2\n3,5\t4\n", numbers, []float64{1.5, 3.5}, []float64{2, 4}},
		"spaces":           {"  1 10.5\n 3 7\n", numbers, []float64{1, 3}, []float64{10.5, 7}},
	} {
		d, err := ReadCSV(strings.NewReader(c.text), c.o)
		if err != nil || !slices.Equal(d.X.Data, c.x) || !slices.Equal(d.Targets, c.want) || d.Y != nil || d.Classes != nil {
			t.Errorf("%s: %+v, %v", name, d, err)
			continue
		}
		if err := d.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReadCSVTargetsRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		text, want string
		o          CSVOptions
	}{
		"class":            {"1,10\n2,high\n", `line 2: column 2: "high" is not a finite number (a class? see CSVOptions.Target)`, CSVOptions{}},
		"missing":          {"1,10\n2,none\n", `line 2: column 2: missing target "none": remove the line`, CSVOptions{}},
		"empty":            {"1,10\n2,\n", `line 2: column 2: missing target ""`, CSVOptions{}},
		"infinite":         {"1,10\n2,-Inf\n", `line 2: column 2: "-Inf" is not a finite number`, CSVOptions{}},
		"too large":        {"1,10\n2,1e999\n", `"1e999" is not a finite number`, CSVOptions{}},
		"thousands":        {"1;1,250\n2;3,500\n", `line 1: column 2: "1,250" has three decimals or is in thousands`, CSVOptions{}},
		"two decimals":     {"1.5;1,25\n", `"1,25" here and "1.5" in line 1`, CSVOptions{}},
		"one column":       {"151\n75\n", "one column where features and a label should be", CSVOptions{}},
		"no column":        {"1,2\n", "options: TargetNumbers without a label column", CSVOptions{LabelColumn: NoLabel}},
		"classes":          {"1,2\n", `options: TargetNumbers with classes ["a"]`, CSVOptions{Classes: []string{"a"}}},
		"classes of count": {"1,1,no,yes\n1,0\n", `line 1: column 3: class "no" in the header of a table of TargetNumbers`, CSVOptions{Header: HeaderCounts}},
		"unknown":          {"1,2\n", "options: target 3", CSVOptions{Target: 3}},
		"negative":         {"1,2\n", "options: target -1", CSVOptions{Target: -1}},
	} {
		if c.o.Target == 0 {
			c.o.Target = TargetNumbers
		}
		d, err := ReadCSV(strings.NewReader(c.text), c.o)
		var ce *CSVError
		if !errors.As(err, &ce) || !strings.Contains(err.Error(), c.want) || d.X.Data != nil {
			t.Errorf("%s: %v, want *CSVError with %q", name, err, c.want)
		}
	}
}

// TestTargetsInTheirOwnFile reads features and targets as two tables, as scikit-learn keeps them.
func TestTargetsInTheirOwnFile(t *testing.T) {
	d, err := ReadCSV(strings.NewReader("59 2\n48 1\n"), CSVOptions{LabelColumn: NoLabel})
	if err != nil {
		t.Fatal(err)
	}
	targets, err := ReadCSV(strings.NewReader("1.51e+02\n7.5e+01\n"), CSVOptions{LabelColumn: NoLabel})
	if err != nil {
		t.Fatal(err)
	}
	d.Targets = targets.X.Data
	if err := d.Validate(); err != nil || !slices.Equal(d.Targets, []float64{151, 75}) {
		t.Errorf("targets %v, %v", d.Targets, err)
	}
	d.Targets = d.Targets[:1]
	if err := d.Validate(); err == nil || !strings.Contains(err.Error(), "1 targets for 2 samples") {
		t.Errorf("file of another length: %v", err)
	}
}

// TestTargetsStayWithTheirSamples sends a set whose target is ten times its feature through
// everything that makes sets.
func TestTargetsStayWithTheirSamples(t *testing.T) {
	d := Dataset{X: ml.Tensor{Shape: []int{6, 2, 2}}}
	for i := range 6 {
		for range 4 {
			d.X.Data = append(d.X.Data, float64(i))
		}
		d.Targets = append(d.Targets, 10*float64(i))
	}
	before := slices.Clone(d.Targets)
	train, test := d.Split(1, 0.5)
	pooled, err := d.MeanPool(2)
	if err != nil {
		t.Fatal(err)
	}
	scaled, scaler := d.Standardize()
	applied, err := scaler.Apply(d)
	if err != nil {
		t.Fatal(err)
	}
	back := func(x float64) float64 { return x*scaler.Std[0] + scaler.Mean[0] }
	same := func(x float64) float64 { return x }
	for name, c := range map[string]struct {
		d       Dataset
		n       int
		feature func(float64) float64
	}{
		"subset":      {d.Subset([]int{4, 4, 1}), 3, same},
		"no subset":   {d.Subset(nil), 0, same},
		"head":        {d.Head(2), 2, same},
		"train":       {train, 3, same},
		"test":        {test, 3, same},
		"pooled":      {pooled, 6, same},
		"standardize": {scaled, 6, back},
		"applied":     {applied, 6, back},
	} {
		if c.d.Targets == nil || len(c.d.Targets) != c.n || c.d.Len() != c.n {
			t.Errorf("%s: targets %v of %d samples, want %d", name, c.d.Targets, c.d.Len(), c.n)
			continue
		}
		for i, v := range c.d.Targets {
			if got := 10 * c.feature(c.d.X.Row(i)[0]); math.Abs(got-v) > 1e-12 {
				t.Errorf("%s: sample %d of target %v, feature says %v", name, i, v, got)
			}
		}
		if name != "head" && c.n > 0 { // Head shares memory, as it says
			c.d.Targets[0] = -1
			if !reflect.DeepEqual(d.Targets, before) {
				t.Fatalf("%s shares memory", name)
			}
		}
	}
	if h := d.Head(2); cap(h.Targets) != 2 {
		t.Errorf("appending to a head of capacity %d would write into the set", cap(h.Targets))
	}
	if _, err := d.Only(1); err == nil || !strings.Contains(err.Error(), "no classes") {
		t.Errorf("only: %v", err)
	}
	if p, err := (Dataset{X: d.X, Y: []int{0, 1, 0, 1, 0, 1}, Targets: d.Targets}).Only(1); err != nil || !slices.Equal(p.Targets, []float64{10, 30, 50}) {
		t.Errorf("only of a set with both: %v, %v", p.Targets, err)
	}
}

func TestValidateRefusesTargets(t *testing.T) {
	for name, c := range map[string]struct {
		want   string
		change func(*Dataset)
	}{
		"few":     {"1 targets for 2 samples", func(d *Dataset) { d.Targets = d.Targets[1:] }},
		"empty":   {"0 targets for 2 samples", func(d *Dataset) { d.Targets = []float64{} }},
		"many":    {"3 targets for 2 samples", func(d *Dataset) { d.Targets = append(d.Targets, 1) }},
		"nan":     {"target of sample 1 is NaN", func(d *Dataset) { d.Targets[1] = math.NaN() }},
		"inf":     {"target of sample 0 is -Inf", func(d *Dataset) { d.Targets[0] = math.Inf(-1) }},
		"labels":  {"targets and classes", func(d *Dataset) { d.Y = []int{0, 1} }},
		"classes": {"targets and classes", func(d *Dataset) { d.Classes = []string{"a"} }},
	} {
		d := Dataset{X: ml.Tensor{Shape: []int{2, 1}, Data: []float64{1, 2}}, Targets: []float64{3, 4}}
		if err := d.Validate(); err != nil {
			t.Fatal(err)
		}
		c.change(&d)
		if err := d.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
