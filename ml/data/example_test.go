package data_test

import (
	"fmt"
	"log"
	"strings"

	"github.com/signet-ml/signet/ml/data"
)

// A table, split and standardised with numbers from the training part alone.
func Example() {
	ds, err := data.BreastCancer()
	if err != nil {
		log.Fatal(err)
	}
	train, test := ds.Split(1, 0.8)
	train, scaler := train.Standardize()
	if test, err = scaler.Apply(test); err != nil {
		log.Fatal(err)
	}
	fmt.Println(train.X.Shape, test.X.Shape, ds.Classes)
	fmt.Printf("%s: mean %.2f, deviation %.2f\n", ds.Features[0], scaler.Mean[0], scaler.Std[0])
	// Output:
	// [455 30] [114 30] [malignant benign]
	// mean radius: mean 14.15, deviation 3.56
}

// The set of the HELR benchmark: threes against eights, averaged to 14×14.
func ExampleDataset_Only() {
	train, _, err := data.MNIST()
	if err != nil {
		log.Fatal(err)
	}
	if train, err = train.Only(3, 8); err != nil {
		log.Fatal(err)
	}
	if train, err = train.MeanPool(2); err != nil {
		log.Fatal(err)
	}
	fmt.Println(train.X.Shape, train.Classes)
	// Output: [1598 14 14] [3 8]
}

func ExampleReadCSV() {
	table := "length,width,kind\n5.1,3.5,setosa\n6.2,2.9,virginica\n"
	ds, err := data.ReadCSV(strings.NewReader(table), data.CSVOptions{Header: data.HeaderNames})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ds.Features, ds.X.Row(1), ds.Classes[ds.Y[1]])

	_, err = data.ReadCSV(strings.NewReader("5.1,tall,setosa\n"), data.CSVOptions{})
	fmt.Println(err)
	// Output:
	// [length width] [6.2 2.9] virginica
	// data: line 1: column 2: "tall" is not a finite number (names of the columns? set CSVOptions.Header to HeaderNames)
}
