// Package samples loads the data sets of the examples, from a folder or from the module.
package samples

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/signet-ml/signet/ml/data"
)

// BreastCancer returns the set and where it came from: the folder dir if it holds one, else the module.
func BreastCancer(dir string) (data.Dataset, string, error) {
	if dir != "" {
		ds, err := data.LoadBreastCancer(dir)
		var missing *data.MissingFileError
		if !errors.As(err, &missing) {
			return ds, "from " + dir, err
		}
	}
	ds, err := data.BreastCancer()
	return ds, "embedded, Wolberg, Street and Mangasarian, CC BY 4.0", err
}

// MNIST returns the two sets and where they came from: the folder dir, or if there is none the module.
func MNIST(dir string) (fit, test data.Dataset, source string, err error) {
	if dir != "" {
		fit, test, err = data.LoadMNIST(dir)
		return fit, test, "from " + dir, err
	}
	fit, test, err = data.MNIST()
	return fit, test, "embedded subset, LeCun, Cortes and Burges, CC BY-SA 3.0", err
}

// Head returns the first n samples, or as many as usual if n is 0.
func Head(ds data.Dataset, n, usual int) (data.Dataset, error) {
	if n < 0 {
		return ds, fmt.Errorf("%d samples: at least 1", n)
	}
	return ds.Head(cmp.Or(n, usual)), nil
}
