package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/data"
)

// A table is a data set as measured, columns unscaled, with classes or with a target.
type table struct {
	name   string
	load   func(dir string) (data.Dataset, []float64, error) // a *data.MissingFileError if dir lacks it
	target bool                                              // a number is predicted, not a class
}

var tables = []table{
	{name: "breast-cancer", load: loadBreastCancer},
	{name: "wine", load: csvTable("wine_data.csv", data.CSVOptions{Header: data.HeaderCounts})},
	{name: "iris", load: csvTable("iris.csv", data.CSVOptions{Header: data.HeaderCounts})},
	{name: "digits", load: csvTable("digits.csv", data.CSVOptions{Classes: strings.Fields("0 1 2 3 4 5 6 7 8 9")})},
	{name: "diabetes", load: loadDiabetes, target: true},
}

// loadBreastCancer reads the set from dir, or returns the embedded one if dir is empty or lacks it.
func loadBreastCancer(dir string) (data.Dataset, []float64, error) {
	if dir != "" {
		ds, err := data.LoadBreastCancer(dir)
		var missing *data.MissingFileError
		if !errors.As(err, &missing) {
			return ds, nil, err
		}
	}
	ds, err := data.BreastCancer()
	return ds, nil, err
}

// csvTable reads a file whose last column is the class.
func csvTable(name string, o data.CSVOptions) func(string) (data.Dataset, []float64, error) {
	return func(dir string) (data.Dataset, []float64, error) {
		path, err := locate(dir, name)
		if err != nil {
			return data.Dataset{}, nil, err
		}
		ds, err := data.LoadCSV(path, o)
		return ds, nil, err
	}
}

// loadDiabetes reads ten columns from one file and the target from another.
func loadDiabetes(dir string) (data.Dataset, []float64, error) {
	columns, err := locate(dir, "diabetes_data_raw.csv")
	if err != nil {
		return data.Dataset{}, nil, err
	}
	target, err := locate(dir, "diabetes_target.csv")
	if err != nil {
		return data.Dataset{}, nil, err
	}
	ds, err := data.LoadCSV(columns, data.CSVOptions{LabelColumn: data.NoLabel, Comma: ' '})
	if err != nil {
		return data.Dataset{}, nil, err
	}
	y, err := data.LoadCSV(target, data.CSVOptions{LabelColumn: data.NoLabel})
	if err != nil {
		return data.Dataset{}, nil, err
	}
	if y.Len() != ds.Len() || y.X.Len() != y.Len() {
		return data.Dataset{}, nil, fmt.Errorf("%s: shape %v for %d samples of %s, want a number each", target, y.X.Shape, ds.Len(), columns)
	}
	return ds, y.X.Data, nil
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
	fit, test         data.Dataset
	fitGoal, testGoal []float64 // of a table with a target
	reach             float64   // of the target in all samples: its largest value less its smallest
}

// trainShare leaves enough samples to try that one label of the larger tables is below a hundredth.
const trainShare = 0.7

// divide divides samples, of classes in their proportions.
func divide(ds data.Dataset, goal []float64) (parts, error) {
	if goal == nil {
		fit, test := ds.Split(seed, trainShare)
		return parts{fit: fit, test: test}, nil
	}
	// The target goes along as a column, so that both are cut alike.
	width := ds.X.Len() / ds.Len()
	rows := make([][]float64, ds.Len())
	for i := range rows {
		rows[i] = append(append([]float64(nil), ds.X.Row(i)...), goal[i])
	}
	x, err := ml.FromRows(rows)
	if err != nil {
		return parts{}, err
	}
	var p parts
	cut := func(d data.Dataset) (data.Dataset, []float64, error) {
		rows, goal := make([][]float64, d.Len()), make([]float64, d.Len())
		for i := range rows {
			rows[i], goal[i] = d.X.Row(i)[:width], d.X.Row(i)[width]
		}
		x, err := ml.FromRows(rows)
		return data.Dataset{Name: ds.Name, X: x}, goal, err
	}
	fit, test := data.Dataset{Name: ds.Name, X: x}.Split(seed, trainShare)
	if p.fit, p.fitGoal, err = cut(fit); err != nil {
		return parts{}, err
	}
	if p.test, p.testGoal, err = cut(test); err != nil {
		return parts{}, err
	}
	lo, hi := goal[0], goal[0]
	for _, v := range goal {
		lo, hi = min(lo, v), max(hi, v)
	}
	p.reach = hi - lo
	return p, nil
}
