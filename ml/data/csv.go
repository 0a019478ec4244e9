package data

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/signet-ml/signet/ml"
)

// Header says what the first line of a table is.
type Header int

// Kinds of first lines.
const (
	HeaderNone   Header = iota // a sample
	HeaderNames                // the names of the columns
	HeaderCounts               // samples, features, class names: the form of scikit-learn's tables
)

// Target says what the label of a sample is.
type Target int

// Kinds of labels.
const (
	TargetClasses Target = iota // the class: its name, or its number from 0
	TargetNumbers               // a number to predict, as for regression
)

// NoLabel is the LabelColumn of a table without labels.
const NoLabel = -1

// CSVOptions says how a table is laid out. The zero value is a table without a header
// whose last column is the label.
type CSVOptions struct {
	Name   string // name of the set; default: the file's name without extensions
	Header Header // what the first line is; default HeaderNone

	// LabelColumn is the label's column, counted from 1. Default 0: the last one.
	// NoLabel: there is none.
	LabelColumn int

	Target Target // what the label is; default TargetClasses

	// Classes are the names of the classes in order. A label is one of the names, or a
	// number from 0. Default nil: those of HeaderCounts, or none if all labels are
	// numbers from 0, or the distinct labels in sorted order. Without names, labels that
	// look like something else are an error: numbers with decimals or from 65,536, more
	// than 100 different numbers, more than ten labels with fewer than two samples each.
	Classes []string

	Features []string // names of the features; default: those of HeaderNames
	// Comma separates columns; ' ' stands for any number of spaces. Default 0: the comma,
	// semicolon, tab or spaces that the lines of the table agree on.
	Comma rune
	// Decimal is '.' or ',', the first character of decimals. Default 0: the point, or the
	// comma where the columns are separated by something else and numbers have commas only.
	Decimal rune
	Limit   int64 // bytes after decompression; default 1 GiB
}

const defaultCSVLimit = 1 << 30

// LoadCSV reads the table in the file at path, plain or gzip-compressed. Errors are
// those of [ReadCSV], and those of opening the file.
func LoadCSV(path string, o CSVOptions) (Dataset, error) {
	f, err := os.Open(path)
	if err != nil {
		return Dataset{}, fmt.Errorf("data: load table: %w", err)
	}
	defer f.Close()
	if o.Name == "" {
		o.Name, _, _ = strings.Cut(filepath.Base(path), ".")
	}
	d, err := ReadCSV(f, o)
	var ce *CSVError
	if errors.As(err, &ce) {
		ce.Name = path
	}
	return d, err
}

// ReadCSV reads a table from r to its end: one sample per line, numbers in all
// columns but the label's, which holds classes unless Target says numbers. Commas,
// semicolons, tabs or spaces separate the columns. Spaces around fields are ignored, as
// are empty lines, and empty fields behind the last column where every line ends in a
// separator. The text is UTF-8, with or without a byte-order mark, and its lines end in a
// line feed, a carriage return or both. It may be compressed with gzip.
//
// It fails with *[CSVError] naming line and column when a field is not a finite number,
// a value or a label is missing ("", "NA", "?" and the like), a label is not one of the
// classes, labels look like numbers to predict (see CSVOptions.Classes), a column has no
// name in a line of names, lines have different lengths, the separator or the decimals
// can be read in two ways, the first line is not what Header says, counts of the header
// are wrong, or there is no sample. It names what is no table for what it is: text in
// UTF-16, a web page, a workbook, a Git LFS pointer. The error wraps [ErrLimit] when the
// table is longer than Limit.
func ReadCSV(r io.Reader, o CSVOptions) (Dataset, error) {
	if o.Limit == 0 {
		o.Limit = defaultCSVLimit
	}
	if err := o.check(); err != nil {
		return Dataset{}, &CSVError{Err: fmt.Errorf("options: %w", err)}
	}
	r, err := decompress(r)
	if err != nil {
		return Dataset{}, &CSVError{Err: fmt.Errorf("gzip: %w", err)}
	}
	text, head, err := textReader(&limitReader{r: r, left: o.Limit})
	if err != nil {
		return Dataset{}, asCSVError(err)
	}
	t := table{o: o, comma: o.Comma, samples: -1, features: -1}
	if t.comma == 0 {
		if t.comma, err = t.separator(head); err != nil {
			return Dataset{}, err
		}
	}
	cr := newCSVReader(text, t.comma)
	cr.ReuseRecord = true
	for first := true; ; {
		rec, err := cr.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			var pe *csv.ParseError
			if errors.As(err, &pe) {
				return Dataset{}, &CSVError{Line: pe.Line, Column: 0, Err: pe.Err}
			}
			return Dataset{}, asCSVError(err)
		}
		line, _ := cr.FieldPos(0)
		if len(rec) == 1 && strings.TrimSpace(rec[0]) == "" {
			continue
		}
		switch {
		case first && o.Header == HeaderNames:
			t.names0, t.names0Line = slices.Clone(rec), line
		case first && o.Header == HeaderCounts:
			err = t.counts(rec)
		default:
			err = t.sample(rec, line)
		}
		if err != nil {
			ce := asCSVError(err)
			if ce.Line == 0 {
				ce.Line = line
			}
			return Dataset{}, ce
		}
		first = false
	}
	return t.finish()
}

// check reports options that no table can have.
func (o CSVOptions) check() error {
	switch {
	case o.Limit < 0 || o.LabelColumn < NoLabel || o.Header < HeaderNone || o.Header > HeaderCounts:
		return fmt.Errorf("limit %d, label column %d, header %d", o.Limit, o.LabelColumn, o.Header)
	case o.Decimal != 0 && o.Decimal != '.' && o.Decimal != ',':
		return fmt.Errorf("decimal %q, want '.' or ','", o.Decimal)
	case o.Target != TargetClasses && o.Target != TargetNumbers:
		return fmt.Errorf("target %d, want TargetClasses or TargetNumbers", o.Target)
	case o.Target == TargetNumbers && o.LabelColumn == NoLabel:
		return errors.New("TargetNumbers without a label column: with numbers in a file of their own, read both files with NoLabel")
	case o.Target == TargetNumbers && o.Classes != nil:
		return fmt.Errorf("TargetNumbers with classes %q", o.Classes)
	}
	return nil
}

// asCSVError returns err as what it is, or with nothing known about the place.
func asCSVError(err error) *CSVError {
	var ce *CSVError
	if errors.As(err, &ce) {
		return ce
	}
	return &CSVError{Err: err}
}

// limitReader is io.LimitedReader with an error instead of a silent end.
type limitReader struct {
	r    io.Reader
	left int64
}

func (l *limitReader) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, ErrLimit
	}
	// One byte more than allowed tells a table of exactly the limit from a longer one.
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return n, ErrLimit
	}
	return n, err
}

// table collects the lines of a CSV file.
type table struct {
	o                 CSVOptions
	comma             rune
	width             int      // columns, from the first line that has samples or names
	names             []string // of the columns; nil when the table has none
	names0            []string // the line of names, until the first sample is known
	names0Line        int
	counted           int  // features that the first sample would promise as a line of counts, else 0
	blank             bool // empty fields behind the last column of the first line were left out
	samples, features int  // promised by HeaderCounts, else -1
	x                 []float64
	labels            []string  // of TargetClasses
	targets           []float64 // of TargetNumbers
	lines             []int     // where each sample is
	decimals          decimals
}

// at returns an error about column i of a line.
func (t *table) at(i int, format string, args ...any) *CSVError {
	e := &CSVError{Column: i + 1, Err: fmt.Errorf(format, args...)}
	if i < len(t.names) {
		e.Field = t.names[i]
	}
	return e
}

// name returns a copy of field i, which is the name of a column or a class. Bytes of
// another encoding would pass through as they are and be lost in the first JSON document.
func (t *table) name(field string, i int) (string, error) {
	if !utf8.ValidString(field) {
		return "", t.at(i, "%q is not UTF-8: save the table as UTF-8", field)
	}
	return strings.Clone(strings.TrimSpace(field)), nil
}

// label returns the index of the label's column, or -1.
func (t *table) label() (int, error) {
	switch c := t.o.LabelColumn; {
	case c == NoLabel:
		return -1, nil
	case c == 0:
		return t.width - 1, nil
	case c > t.width:
		return 0, fmt.Errorf("label column %d of %d", c, t.width)
	default:
		return c - 1, nil
	}
}

// trim leaves out empty fields behind the last column, which lines have that end in a
// separator. The first line decides which column is the last.
func (t *table) trim(rec []string) ([]string, error) {
	for t.comma == ' ' && len(rec) > 1 && rec[len(rec)-1] == "" { // a line that ends in spaces
		rec = rec[:len(rec)-1]
	}
	n, want := len(rec), t.width
	if want == 0 { // the first line: as far as the options and the header do not say more
		want = max(1, t.o.LabelColumn)
		if t.features >= 0 {
			want = t.features
			if t.o.LabelColumn != NoLabel {
				want++
			}
		}
	}
	for n > want && strings.TrimSpace(rec[n-1]) == "" {
		n--
	}
	switch {
	case t.width != 0 && t.blank && n > t.width:
		return nil, t.at(n-1, "%q in a column that the first line leaves empty", rec[n-1])
	case t.width != 0 && n != t.width:
		return nil, fmt.Errorf("%d fields, want %d as in the first line", len(rec), t.width)
	case t.width == 0 && n < len(rec) && t.o.Header == HeaderNone && t.o.LabelColumn == 0:
		// The label may be missing here, or it may be the column before. A guess would
		// make a feature the label.
		return nil, t.at(n, "no label: if it is missing, remove the line; "+
			"if every line ends in a separator, say in CSVOptions.LabelColumn which column is the label")
	case t.width == 0:
		t.width, t.blank = n, n < len(rec)
	}
	return rec[:n], nil
}

func (t *table) sample(rec []string, line int) error {
	if err := t.takeNames(rec); err != nil {
		return err
	}
	if len(t.lines) == 1 && len(unpadded(rec)) != t.width && t.hasFeatures(rec, t.counted) {
		e := t.at(0, "%d features, as the lines below have, in the first line (%s)", t.counted, adviceCounts)
		e.Line = t.lines[0]
		return e
	}
	rec, err := t.trim(rec)
	if err != nil {
		return err
	}
	label, err := t.label()
	if err != nil {
		return err
	}
	t.nameFeatures(label)
	first := len(t.lines) == 0 && t.o.Header == HeaderNone
	if first {
		_, t.counted = countsOf(rec)
	}
	for i, f := range rec {
		if i == label && t.o.Target == TargetClasses {
			l, err := t.name(f, i)
			if err != nil {
				return err
			}
			if noLabel(l) && !slices.Contains(t.o.Classes, l) {
				return t.at(i, "missing label %q: remove the line, or, if that is a class, name it in CSVOptions.Classes", l)
			}
			t.labels = append(t.labels, l)
			continue
		}
		f = strings.TrimSpace(f)
		switch {
		case missing(f) && first && t.onlyWords(rec):
			return t.at(i, "%q is not a finite number (%s)", f, adviceTitles)
		case missing(f) && i == label:
			return t.at(i, "missing target %q: remove the line", f)
		case missing(f):
			return t.at(i, "missing value %q: remove the line, or put a number there, such as the mean of the column", f)
		}
		v, err := t.number(f, i, line)
		if err != nil {
			return err
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return t.at(i, "%q is not a finite number (%s)", f, t.hint(f, rec, i == label))
		}
		if i == label {
			t.targets = append(t.targets, v)
		} else {
			t.x = append(t.x, v)
		}
	}
	t.lines = append(t.lines, line)
	return nil
}

// hint asks what may be wrong with the options, when field f of a sample, or its target,
// is no number.
func (t *table) hint(f string, rec []string, target bool) string {
	switch {
	case strings.ContainsAny(f, ";\t|"):
		return "another separator? see CSVOptions.Comma"
	case strings.ContainsAny(f, ",") && strings.ContainsAny(f, "0123456789"):
		return "a decimal comma or a separator of thousands? see CSVOptions.Decimal"
	case len(t.lines) == 0 && t.o.Header == HeaderNone:
		return t.notSample(rec)
	case target:
		return "a class? see CSVOptions.Target"
	}
	return "a label? see CSVOptions.LabelColumn"
}

// nameFeatures takes the names of columns from the options when the table has none.
func (t *table) nameFeatures(label int) {
	if t.names != nil || len(t.o.Features) == 0 {
		return
	}
	t.names = slices.Clone(t.o.Features)
	if label >= 0 && label <= len(t.names) {
		t.names = slices.Insert(t.names, label, "")
	}
}

// missing reports whether a field stands for a number that nobody measured.
func missing(field string) bool {
	switch strings.ToLower(field) {
	case "-", ".", "-nan", "nil", "none", "null", "missing":
		return true
	}
	return noLabel(field)
}

// noLabel reports whether a field says that there is no label. Fewer words do than for a
// number: "none" and "-" are classes of real tables.
func noLabel(field string) bool {
	switch strings.ToLower(field) {
	case "", "?", "na", "n/a", "#n/a", "nan":
		return true
	}
	return false
}

func (t *table) finish() (Dataset, error) {
	fail := func(format string, args ...any) (Dataset, error) {
		return Dataset{}, &CSVError{Err: fmt.Errorf(format, args...)}
	}
	if err := t.takeNames(nil); err != nil {
		return Dataset{}, asCSVError(err)
	}
	w := t.width
	if t.o.LabelColumn != NoLabel {
		w--
	}
	if w < 1 && len(t.lines) > 0 {
		e := t.at(0, "one column where features and a label should be (another separator? see CSVOptions.Comma; "+
			"no label? see CSVOptions.LabelColumn)")
		e.Line = t.lines[0]
		return Dataset{}, e
	}
	if err := t.checkDecimals(); err != nil {
		return Dataset{}, err
	}
	if w < 1 || len(t.x) == 0 {
		return fail("no samples with at least one feature")
	}
	n := len(t.x) / w
	if t.samples >= 0 && (t.samples != n || t.features != w) {
		return fail("header promises %d samples of %d features, found %d of %d%s", t.samples, t.features, n, w, t.numbersCounted())
	}
	if t.o.Features != nil && len(t.o.Features) != w {
		return fail("%d feature names for %d features", len(t.o.Features), w)
	}
	d := Dataset{Name: t.o.Name, X: ml.Tensor{Shape: []int{n, w}, Data: t.x}, Features: slices.Clone(t.o.Features)}
	if t.o.LabelColumn == NoLabel {
		return d, nil
	}
	if t.o.Target == TargetNumbers {
		d.Targets = t.targets
		return d, nil
	}
	var err error
	if d.Y, d.Classes, err = t.classes(); err != nil {
		return Dataset{}, asCSVError(err)
	}
	return d, nil
}
