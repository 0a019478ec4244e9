package data

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// TestHeaderMismatch reads first lines as what they are not. Each error names the header
// that reads the table, and that header does.
func TestHeaderMismatch(t *testing.T) {
	const none, titles, counts = "to HeaderNone", "to HeaderNames", "to HeaderCounts"
	remedies := map[string]Header{none: HeaderNone, titles: HeaderNames, counts: HeaderCounts}
	const iris = "2,4,setosa,versicolor,virginica\n5.1,3.5,1.4,0.2,0\n4.9,3.0,1.4,0.2,2\n"
	const cells = "2,3,bad,good\n5.1,3.5,1.4,0\n4.9,3.0,1.4,1\n"
	const wide = "2,6,bad,good\n1,2,3,4,5,6,0\n1,2,3,4,5,6,1\n"
	for name, c := range map[string]struct {
		text   string
		o      CSVOptions
		line   int
		column int
		remedy string
	}{
		"sample as names":                   {"5.1,3.5,0\n4.9,3.0,1\n", CSVOptions{Header: HeaderNames}, 1, 1, none},
		"sample with a class as names":      {"5.1,3.5,setosa\n4.9,3.0,setosa\n", CSVOptions{Header: HeaderNames}, 1, 1, none},
		"label first":                       {"no,5,3\nyes,4,3\n", CSVOptions{Header: HeaderNames, LabelColumn: 1}, 1, 2, none},
		"pixels as names":                   {"0,0,5,13,9,1\n0,0,5,13,9,0\n", CSVOptions{Header: HeaderNames}, 1, 1, none},
		"ascending decimals":                {"5.1,5.2,5.3,a\n1,2,3,b\n", CSVOptions{Header: HeaderNames}, 1, 1, none},
		"ascending with a gap":              {"1,2,9,a\n1,2,3,b\n", CSVOptions{Header: HeaderNames}, 1, 1, none},
		"equal":                             {"1,1,1,a\n1,2,3,b\n", CSVOptions{Header: HeaderNames}, 1, 1, none},
		"beyond floats":                     {"1,2,1e999,a\n1,2,3,b\n", CSVOptions{Header: HeaderNames}, 1, 1, ""},
		"decreasing":                        {"4,3,2,1\n1,2,3,4\n", CSVOptions{Header: HeaderNames}, 1, 1, none},
		"sample without label":              {"5,3\n4,3\n", CSVOptions{Header: HeaderNames, LabelColumn: NoLabel}, 1, 1, none},
		"column of targets as names":        {"151\n75\n", CSVOptions{Header: HeaderNames, LabelColumn: NoLabel}, 1, 1, none},
		"target as a name":                  {"5.1,151.5\n4.9,75.1\n", CSVOptions{Header: HeaderNames, Target: TargetNumbers}, 1, 1, none},
		"decimal commas as names":           {"5,1;3,5;0\n4,9;3,0;1\n", CSVOptions{Header: HeaderNames}, 1, 1, none},
		"counts as names":                   {iris, CSVOptions{Header: HeaderNames}, 1, 1, counts},
		"short counts as names":             {wide, CSVOptions{Header: HeaderNames}, 1, 1, counts},
		"counts as names, a label's column": {wide, CSVOptions{Header: HeaderNames, LabelColumn: 7}, 1, 1, counts},
		"two counts as names":               {"2,3\n1,2,3,0\n1,2,3,1\n", CSVOptions{Header: HeaderNames}, 1, 1, counts},
		"padded counts as names":            {"2,3,,\n1,2,3,0\n1,2,3,1\n", CSVOptions{Header: HeaderNames, LabelColumn: 4}, 1, 1, counts},
		"names as samples":                  {"a,b,label\n1,2,0\n", CSVOptions{}, 1, 1, titles},
		"nameless index as a sample":        {",a,b,label\n0,1,2,0\n", CSVOptions{Features: []string{"i", "a", "b"}}, 1, 1, titles},
		"names like missing values":         {"na,none,label\n1,2,0\n", CSVOptions{}, 1, 1, titles},
		"counts as a sample":                {cells, CSVOptions{}, 1, 3, counts},
		"short counts as a sample":          {wide, CSVOptions{}, 1, 3, counts},
		"two counts as a sample":            {"2,3\n1,2,3,0\n1,2,3,1\n", CSVOptions{}, 1, 1, counts},
		"names as counts":                   {"a,b,label\n1,2,0\n", CSVOptions{Header: HeaderCounts}, 1, 1, titles},
		"sample as counts":                  {"5.1,3.5,0\n4.9,3.0,1\n", CSVOptions{Header: HeaderCounts}, 1, 1, none},
		"integers as counts":                {"5,3,1,0\n4,3,1,1\n", CSVOptions{Header: HeaderCounts}, 0, 0, none},
	} {
		d, err := ReadCSV(strings.NewReader(c.text), c.o)
		var ce *CSVError
		if !errors.As(err, &ce) || ce.Line != c.line || ce.Column != c.column || !strings.Contains(err.Error(), c.remedy) || d.X.Data != nil {
			t.Errorf("%s: %v, want line %d, column %d, %q", name, err, c.line, c.column, c.remedy)
		}
		if c.remedy == "" {
			continue
		}
		o := c.o
		o.Header = remedies[c.remedy]
		if _, err := ReadCSV(strings.NewReader(c.text), o); err != nil {
			t.Errorf("%s: the remedy fails: %v", name, err)
		}
	}
}

// TestHeaderNumbers reads columns whose names are numbers, as some programs write them.
func TestHeaderNumbers(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		o    CSVOptions
		want []string
	}{
		"from 0":             {"0,1,2,3\n5,6,7,0\n", CSVOptions{}, []string{"0", "1", "2"}},
		"from 1":             {"1,2,3,kind\n5,6,7,0\n", CSVOptions{}, []string{"1", "2", "3"}},
		"label between":      {"0,1,y,3\n5,6,0,7\n", CSVOptions{LabelColumn: 3}, []string{"0", "1", "3"}},
		"years":              {"2019,2020,2021,price\n5,6,7,0\n", CSVOptions{}, []string{"2019", "2020", "2021"}},
		"no label":           {"0,1,2\n5,6,7\n", CSVOptions{LabelColumn: NoLabel}, []string{"0", "1", "2"}},
		"one number of many": {"1,a,y\n5,6,0\n", CSVOptions{}, []string{"1", "a"}},
		"two, other counts":  {"90,50,a,y\n5,6,7,0\n", CSVOptions{}, []string{"90", "50", "a"}},
		"with units":         {"5 cm,3 cm,y\n5,6,0\n", CSVOptions{}, []string{"5 cm", "3 cm"}},
	} {
		c.o.Header = HeaderNames
		d, err := ReadCSV(strings.NewReader(c.text), c.o)
		if err != nil || !slices.Equal(d.Features, c.want) || d.Len() != 1 {
			t.Errorf("%s: %q, %d samples, %v", name, d.Features, d.Len(), err)
		}
	}
}

// TestHeaderUnread keeps errors of a line of names when no sample follows, and those of the
// line itself in their place.
func TestHeaderUnread(t *testing.T) {
	for text, want := range map[string]string{
		"5,3,0\n":               `line 1: column 1: "5" where the name of a column should be`,
		"\n\n5,3,0\n":           `line 3: column 1: "5" where`,
		"a,,y\n":                "line 1: column 2: no name in the header",
		"\na,,y\n1,2,0\n":       "line 2: column 2: no name in the header",
		"a,y\n":                 "no samples",
		"a,y\n1,2,0\n":          "line 2: 3 fields, want 2",
		"a,gr\xf6\xdfe,y\n1\n":  "line 1: column 2: \"gr\\xf6\\xdfe\" is not UTF-8",
		"1000,12,a,b\n1,2,0\n":  "line 2: 3 fields, want 4",
		"569,30,x\n1,\"2,0\n":   "line 2: ",
		"?,?,?\n":               "no samples",
		"1,?,y\n1,2,0\n":        `line 1: column 1: "1" where the name`,
		"2,30,no,yes\n1,2,3,\n": "",
	} {
		_, err := ReadCSV(strings.NewReader(text), CSVOptions{Header: HeaderNames})
		var ce *CSVError
		if !errors.As(err, &ce) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
