package data

import (
	"cmp"
	"errors"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Bounds on labels that nobody named. Beyond them a column of classes is less likely
// than one of measured numbers, or of names of samples.
const (
	maxClasses       = 1 << 16 // above every number of a class
	maxNumberClasses = 100     // different numbers; data sets of more classes name them
	maxSparseClasses = 10      // different labels with fewer than two samples each on average
)

// How to go on with labels that are no classes.
const (
	adviceNumbers = "for numbers to predict set CSVOptions.Target to TargetNumbers; " +
		"if these are classes name them in CSVOptions.Classes; another column? see CSVOptions.LabelColumn"
	adviceNames = "another column? see CSVOptions.LabelColumn; if these are classes name them in CSVOptions.Classes"
)

// classes returns the number of each label and the names of the classes, which are those
// of the options, or come from the labels.
func (t *table) classes() (y []int, names []string, err error) {
	label, err := t.label()
	if err != nil {
		return nil, nil, err
	}
	if names = slices.Clone(t.o.Classes); len(names) == 0 {
		if names, err = t.classNames(label); err != nil {
			return nil, nil, err
		}
	}
	byName := make(map[string]int, len(names))
	for i, c := range names {
		byName[c] = i
	}
	y = make([]int, len(t.labels))
	for i, l := range t.labels {
		k, ok := byName[l]
		if !ok {
			v, number := t.plainNumber(l)
			if !number || v != math.Trunc(v) || v < 0 || v >= maxClasses || len(names) > 0 && v >= float64(len(names)) {
				e := t.at(label, "label %q is not one of the classes %q", l, names)
				e.Line = t.lines[i]
				return nil, nil, e
			}
			k = int(v)
		}
		y[i] = k
	}
	return y, names, nil
}

// classNames returns the names of the classes that the labels have, nil when the labels
// are numbers of classes. It fails when they look like something else.
func (t *table) classNames(label int) ([]string, error) {
	texts, numbers := make(map[string]bool), make(map[float64]bool)
	fail := func(i int, format string, args ...any) error {
		e := t.at(label, format, args...)
		e.Line = t.lines[i]
		return e
	}
	for i, l := range t.labels {
		v, ok := t.plainNumber(l)
		if !ok {
			texts[l] = true
			continue
		}
		numbers[v] = true
		switch {
		case v != math.Trunc(v) || math.Abs(v) >= maxClasses:
			return nil, fail(i, "label %q is not the number of a class: "+adviceNumbers, l)
		case len(numbers) > maxNumberClasses:
			return nil, fail(i, "label %q is number %d of different ones: "+adviceNumbers, l, len(numbers))
		}
	}
	if n := len(texts) + len(numbers); n > maxSparseClasses && len(t.labels) < 2*n {
		advice := adviceNumbers
		if len(numbers) == 0 {
			advice = adviceNames
		}
		return nil, fail(0, "%d different labels for %d samples: "+advice, n, len(t.labels))
	}
	switch {
	case len(texts) > 0:
		return slices.Compact(slices.Sorted(slices.Values(t.labels))), nil
	case slices.Min(slices.Collect(maps.Keys(numbers))) >= 0:
		return nil, nil
	}
	// Numbers from below 0, such as -1 and +1, are names. One number is one class however
	// it is written.
	for i, l := range t.labels {
		v, _ := t.plainNumber(l)
		t.labels[i] = strconv.Itoa(int(v))
	}
	var names []string
	for _, v := range slices.SortedFunc(maps.Keys(numbers), cmp.Compare[float64]) {
		names = append(names, strconv.Itoa(int(v)))
	}
	return names, nil
}

// plainNumber returns the number that a label or a name is. Words such as "inf", and hexadecimal
// numbers, are names.
func (t *table) plainNumber(l string) (float64, bool) {
	if strings.Trim(l, "+-.,0123456789eE") != "" {
		return 0, false
	}
	if t.decimalComma(l, t.comma) {
		l = strings.Replace(l, ",", ".", 1)
	}
	v, err := strconv.ParseFloat(l, 64)
	return v, err == nil || errors.Is(err, strconv.ErrRange)
}
