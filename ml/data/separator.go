package data

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// separators are those that a table may have without saying so, the usual one first.
// Spaces separate columns only where none of these does.
var separators = []rune{',', ';', '\t'}

// sampleLines is how many lines of a table the separator is chosen by.
const sampleLines = 100

// newCSVReader returns a reader of fields. encoding/csv drops empty fields in front of a
// field that it trims, when a space or a tab separates them: that is right for columns
// aligned by spaces and wrong for a missing value between two tabs.
func newCSVReader(text io.Reader, comma rune) *csv.Reader {
	cr := csv.NewReader(text)
	cr.Comma, cr.FieldsPerRecord, cr.TrimLeadingSpace = comma, -1, comma != '\t'
	return cr
}

// separator returns what separates the columns of a table that starts with head. It is
// the one separator that occurs, or the one that makes samples of all lines. It fails when
// two do, as in "1,2;0", where the comma may separate columns or decimals. The comma is
// none where the options say that it separates decimals, unless nothing else occurs.
func (t *table) separator(head []byte) (rune, error) {
	var occur, fit []rune
	for _, c := range separators {
		if c == ',' && t.o.Decimal == ',' {
			continue
		}
		lines := t.lineFields(head, c)
		if slices.ContainsFunc(lines, func(rec []string) bool { return len(rec) > 1 }) {
			occur = append(occur, c)
		}
		if t.samplesAll(lines, c) {
			fit = append(fit, c)
		}
	}
	// Spaces fit beside commas when those separate decimals, as in "1,5 2 0". There a
	// comma may fit too, with the label "5 2 0".
	if t.samplesAll(t.lineFields(head, ' '), ' ') {
		fit = append(fit, ' ')
	}
	switch {
	case len(fit) == 1:
		return fit[0], nil
	case len(occur) == 0 && t.o.Decimal == ',' && t.oneColumn(head):
		return ';', nil // anything but the comma
	case len(occur) == 0:
		return ',', nil
	case len(occur) == 1 && len(fit) == 0:
		return occur[0], nil
	case len(fit) > 1:
		e := t.at(0, "columns may be separated by %q or by %q: say which in CSVOptions.Comma", fit[0], fit[1])
		e.Line = 1
		if t.o.Header != HeaderNone {
			e.Line = 2
		}
		return 0, e
	}
	// No choice gives a table. The error of the likeliest one says where it is not one.
	first, _, _ := bytes.Cut(head, []byte{'\n'})
	return slices.MaxFunc(occur, func(a, b rune) int {
		return cmp.Compare(bytes.Count(first, []byte(string(a))), bytes.Count(first, []byte(string(b))))
	}), nil
}

// oneColumn reports whether every line is one number.
func (t *table) oneColumn(head []byte) bool {
	lines := t.lineFields(head, ';')
	if t.o.Header != HeaderNone && len(lines) > 0 {
		lines = lines[1:]
	}
	return len(lines) > 0 && !slices.ContainsFunc(lines, func(rec []string) bool {
		_, ok := t.plainNumber(strings.TrimSpace(rec[0]))
		return !ok || len(rec) > 1
	})
}

// lineFields splits the first lines of a table. It stops at the first that cannot be split.
func (t *table) lineFields(head []byte, comma rune) [][]string {
	cr := newCSVReader(bytes.NewReader(head), comma)
	var lines [][]string
	for len(lines) < sampleLines {
		rec, err := cr.Read()
		if err != nil {
			break
		}
		if len(rec) == 1 && strings.TrimSpace(rec[0]) == "" {
			continue
		}
		lines = append(lines, unpadded(rec))
	}
	return lines
}

// samplesAll reports whether lines are samples of equal length, of two columns or more,
// whose fields are numbers or missing, but for the label's when that is a class.
func (t *table) samplesAll(lines [][]string, comma rune) bool {
	width := 0
	for i, rec := range lines {
		if i == 0 && t.o.Header != HeaderNone {
			if t.o.Header == HeaderNames {
				width = len(rec)
			}
			continue
		}
		if width == 0 {
			width = len(rec)
		}
		if len(rec) != width || width < 2 {
			return false
		}
		label := t.o.LabelColumn - 1
		switch {
		case t.o.Target == TargetNumbers:
			label = -1
		case t.o.LabelColumn == 0:
			label = width - 1
		}
		for j, f := range rec {
			f = strings.TrimSpace(f)
			if _, err := strconv.ParseFloat(f, 64); err != nil && j != label && !missing(f) && !t.decimalComma(f, comma) {
				return false
			}
		}
	}
	return width > 1
}

// withComma matches a number whose decimals follow a comma; thousands one in which the
// comma may group thousands instead.
var (
	withComma = regexp.MustCompile(`^[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?$`)
	thousands = regexp.MustCompile(`^[+-]?[1-9][0-9]{0,2},[0-9]{3}$`)
)

// decimalComma reports whether f is a number with a decimal comma, in a table that may
// have such numbers.
func (t *table) decimalComma(f string, comma rune) bool {
	may := t.o.Decimal == ',' || t.o.Decimal == 0 && comma != ','
	return may && strings.Contains(f, ",") && withComma.MatchString(f)
}

// decimals remembers how the numbers of a table are written.
type decimals struct {
	point, comma place // first number with a decimal point, first one with a decimal comma
	sure         bool  // a comma was met that does not group thousands
}

// place is a field of a table. Its line is 0 when there is none.
type place struct {
	line, column int // column from 0
	text         string
}

// number returns the number in field i of a line, or NaN when it is none. It fails when
// the table writes decimals in two ways, of which one is likely to group thousands.
func (t *table) number(f string, i, line int) (float64, error) {
	text, here, other := f, &t.decimals.point, &t.decimals.comma
	switch {
	case t.decimalComma(f, t.comma):
		here, other = other, here
		t.decimals.sure = t.decimals.sure || !thousands.MatchString(f)
		text = strings.Replace(f, ",", ".", 1)
	case !strings.Contains(f, "."):
		here = nil
	case t.o.Decimal == ',':
		return 0, t.at(i, "%q has a decimal point, and CSVOptions.Decimal is a comma", f)
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return math.NaN(), nil
	}
	if here == nil {
		return v, nil
	}
	if here.line == 0 {
		*here = place{line, i, strings.Clone(f)}
	}
	if other.line > 0 {
		return 0, t.at(i, "%q here and %q in line %d: write decimals with a point, and no separator of thousands",
			f, other.text, other.line)
	}
	return v, nil
}

// checkDecimals fails when every comma in a number may as well group thousands.
func (t *table) checkDecimals() error {
	c := t.decimals.comma
	if c.line == 0 || t.decimals.sure || t.o.Decimal == ',' {
		return nil
	}
	e := t.at(c.column, "%q has three decimals or is in thousands, as all numbers with a comma: "+
		"for decimals set CSVOptions.Decimal to a comma, from thousands remove it", c.text)
	e.Line = c.line
	return e
}
