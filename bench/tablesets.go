package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/signet-ml/signet/ml/data"
)

// A table is a data set as measured, columns unscaled, with classes or with a target.
type table struct {
	name   string
	load   func(dir string) (data.Dataset, error) // a *data.MissingFileError if dir lacks it
	target bool                                   // a number is predicted, not a class
}

var tables = []table{
	{name: "breast-cancer", load: loadBreastCancer},
	{name: "wine", load: csvTable("wine_data.csv", data.CSVOptions{Header: data.HeaderCounts})},
	{name: "iris", load: csvTable("iris.csv", data.CSVOptions{Header: data.HeaderCounts})},
	{name: "digits", load: csvTable("digits.csv", data.CSVOptions{Classes: strings.Fields("0 1 2 3 4 5 6 7 8 9")})},
	{name: "diabetes", load: loadDiabetes, target: true},
}

// loadBreastCancer reads the set from dir, or returns the embedded one if dir is empty or lacks it.
func loadBreastCancer(dir string) (data.Dataset, error) {
	if dir != "" {
		ds, err := data.LoadBreastCancer(dir)
		var missing *data.MissingFileError
		if !errors.As(err, &missing) {
			return ds, err
		}
	}
	return data.BreastCancer()
}

// csvTable reads a file whose last column is the class.
func csvTable(name string, o data.CSVOptions) func(string) (data.Dataset, error) {
	return func(dir string) (data.Dataset, error) {
		path, err := locate(dir, name)
		if err != nil {
			return data.Dataset{}, err
		}
		return data.LoadCSV(path, o)
	}
}

// loadDiabetes reads ten columns from one file and the target from another.
func loadDiabetes(dir string) (data.Dataset, error) {
	columns, err := locate(dir, "diabetes_data_raw.csv")
	if err != nil {
		return data.Dataset{}, err
	}
	target, err := locate(dir, "diabetes_target.csv")
	if err != nil {
		return data.Dataset{}, err
	}
	ds, err := data.LoadCSV(columns, data.CSVOptions{LabelColumn: data.NoLabel, Comma: ' '})
	if err != nil {
		return data.Dataset{}, err
	}
	y, err := data.LoadCSV(target, data.CSVOptions{LabelColumn: data.NoLabel})
	if err != nil {
		return data.Dataset{}, err
	}
	if y.Len() != ds.Len() || y.X.Len() != y.Len() {
		return data.Dataset{}, fmt.Errorf("%s: shape %v for %d samples of %s, want a number each", target, y.X.Shape, ds.Len(), columns)
	}
	ds.Targets = y.X.Data
	return ds, nil
}

// locate returns the path of a file in dir or dir/tabular, plain or with ".gz".
func locate(dir, name string) (string, error) {
	var tried []string
	for _, d := range []string{dir, filepath.Join(dir, "tabular")} {
		for _, suffix := range []string{"", ".gz"} {
			path := filepath.Join(d, name+suffix)
			_, err := os.Stat(path)
			if err == nil {
				return path, nil
			}
			if !errors.Is(err, fs.ErrNotExist) {
				return "", err
			}
			tried = append(tried, path)
		}
	}
	return "", &data.MissingFileError{Dir: dir, Tried: tried, Hint: name + " is in sklearn/datasets/data of scikit-learn", Err: fs.ErrNotExist}
}

// parts are a table's samples to train on and to try, columns as measured.
type parts struct {
	fit, test data.Dataset
	reach     float64 // of the targets of all samples: the largest less the smallest
}

// trainShare leaves enough samples to try that one label of the larger tables is below a hundredth.
const trainShare = 0.7

// divide divides samples, of classes in their proportions.
func divide(ds data.Dataset) parts {
	var p parts
	if p.fit, p.test = ds.Split(seed, trainShare); len(ds.Targets) > 0 {
		p.reach = slices.Max(ds.Targets) - slices.Min(ds.Targets)
	}
	return p
}
