package data

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// How to go on with a first line that is something else.
const (
	adviceSample = "a sample? set CSVOptions.Header to HeaderNone"
	adviceTitles = "names of the columns? set CSVOptions.Header to HeaderNames"
	adviceCounts = "counts of samples and features? set CSVOptions.Header to HeaderCounts"
)

// minNumbered is how many features may be named by numbers in a row, such as 0, 1, 2.
// Fewer of them are rather a sample.
const minNumbered = 3

// counts takes a line of counts and class names.
func (t *table) counts(rec []string) error {
	if len(rec) < 2 {
		return fmt.Errorf("header has %d fields, want samples, features and class names", len(rec))
	}
	for i, p := range []*int{&t.samples, &t.features} {
		n, err := strconv.Atoi(strings.TrimSpace(rec[i]))
		if err != nil || n < 1 {
			return t.at(i, "%q is not a count (%s)", rec[i], t.notCounts(rec))
		}
		*p = n
	}
	if t.o.Classes == nil {
		n := len(rec)
		for n > 2 && strings.TrimSpace(rec[n-1]) == "" {
			n--
		}
		for i, c := range rec[2:n] {
			c, err := t.name(c, i+2)
			if err != nil {
				return err
			}
			switch {
			case c == "":
				return t.at(i+2, "a class without a name")
			case t.o.Target == TargetNumbers:
				return t.at(i+2, "class %q in the header of a table of TargetNumbers", c)
			}
			t.o.Classes = append(t.o.Classes, c)
		}
	}
	return nil
}

// notCounts asks what a first line is that does not start with two counts.
func (t *table) notCounts(rec []string) string {
	if _, ok := t.plainNumber(strings.TrimSpace(rec[0])); ok {
		return adviceSample
	}
	return adviceTitles
}

// numbersCounted asks whether a line of counts is a sample, when its classes are numbers.
func (t *table) numbersCounted() string {
	for _, c := range t.o.Classes {
		if _, ok := t.plainNumber(c); !ok {
			return ""
		}
	}
	if len(t.o.Classes) == 0 {
		return ""
	}
	return " (" + adviceSample + ")"
}

// takeNames takes the line of names that waits, if there is one. It waits for the first
// sample, nil when there is none, because the line alone does not tell whether it holds
// counts.
func (t *table) takeNames(sample []string) error {
	rec := t.names0
	if rec == nil {
		return nil
	}
	t.names0 = nil
	err := t.notNames(rec, sample)
	if err == nil {
		err = t.columns(rec)
	}
	if err == nil {
		return nil
	}
	ce := asCSVError(err)
	ce.Line = t.names0Line
	return ce
}

// notNames reports a line of names that is rather a sample, or a line of counts. The
// label does not count: its class may have a name like that of a column. Numbers in a row
// are names, which some programs give to columns that have none; the label's column may
// leave a gap of one between them.
func (t *table) notNames(rec, sample []string) error {
	rec = unpadded(rec)
	label := t.o.LabelColumn - 1
	if t.o.LabelColumn == 0 {
		label = len(rec) - 1
	}
	found, numbers, others := 0, 0, 0
	first, last, row := 0.0, math.Inf(-1), true // row: whole numbers such as 0, 1, 2
	for i, f := range rec {
		f = strings.TrimSpace(f)
		v, ok := t.plainNumber(f)
		switch {
		case i == label || f != "" && !ok && missing(f):
			continue
		case !ok:
			others++
			continue
		case numbers == 0:
			found, first = i, v
		}
		row = row && v == math.Trunc(v) && v > last
		numbers, last = numbers+1, v
	}
	if others == 0 && numbers >= minNumbered && row && last-first < float64(len(rec)) {
		return nil
	}
	words := others > 0 || len(rec) == 2 // names of classes behind counts, or none
	if samples, features := countsOf(rec); samples > 1 && words && t.hasFeatures(sample, features) {
		return t.at(0, "%q and %q are the counts of samples and features, where names should be: "+
			"set CSVOptions.Header to HeaderCounts", rec[0], rec[1])
	}
	if others > 0 || numbers == 0 {
		return nil
	}
	return t.at(found, "%q where the name of a column should be: if the line is a sample set CSVOptions.Header to HeaderNone, "+
		"if it names the columns put a letter before each number", rec[found])
}

// countsOf returns the samples and features that a line promises, or 0 and 0.
func countsOf(rec []string) (samples, features int) {
	if len(rec) < 2 {
		return 0, 0
	}
	samples, err1 := strconv.Atoi(strings.TrimSpace(rec[0]))
	features, err2 := strconv.Atoi(strings.TrimSpace(rec[1]))
	if err1 != nil || err2 != nil || samples < 1 || features < 1 {
		return 0, 0
	}
	return samples, features
}

// hasFeatures reports whether a sample has that many features.
func (t *table) hasFeatures(sample []string, features int) bool {
	n := len(unpadded(sample))
	if t.o.LabelColumn != NoLabel {
		n--
	}
	return features > 0 && n == features
}

// unpadded returns a line without empty fields at its end.
func unpadded(rec []string) []string {
	for len(rec) > 1 && strings.TrimSpace(rec[len(rec)-1]) == "" {
		rec = rec[:len(rec)-1]
	}
	return rec
}

// notSample asks what a first line is that is no sample.
func (t *table) notSample(rec []string) string {
	if samples, _ := countsOf(rec); samples > 0 && len(rec) > 2 {
		if _, ok := t.plainNumber(strings.TrimSpace(rec[2])); !ok {
			return adviceCounts
		}
	}
	return adviceTitles
}

// onlyWords reports whether a line holds words where a sample has numbers.
func (t *table) onlyWords(rec []string) bool {
	words := false
	for _, f := range rec {
		f = strings.TrimSpace(f)
		if _, ok := t.plainNumber(f); ok {
			return false
		}
		words = words || !missing(f)
	}
	return words
}

// columns takes a line of names.
func (t *table) columns(rec []string) error {
	rec, err := t.trim(rec)
	if err != nil {
		return err
	}
	label, err := t.label()
	if err != nil {
		return err
	}
	var names, features []string
	for i, f := range rec {
		f, err := t.name(f, i)
		if err != nil {
			return err
		}
		if names = append(names, f); i == label {
			continue
		}
		if f == "" && t.o.Features == nil {
			return t.at(i, "no name in the header: name the column, or leave it out of the file when it numbers the lines")
		}
		features = append(features, f)
	}
	t.names = names
	if t.o.Features == nil {
		t.o.Features = features
	}
	return nil
}
