package docs_test

import (
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/signet-ml/signet/ml/data"
)

// tables writes the tables of howto/bring-your-own-table.md and goes to their folder.
func tables() (leave func()) {
	dir, err := os.MkdirTemp("", "tables")
	if err != nil {
		log.Fatal(err)
	}
	for name, text := range map[string]string{
		"flowers.csv":  "length;width;kind\n5,1;3,5;setosa\n6,25;2,9;virginica\n",
		"houses.csv":   "area,rooms,price\n74.5,3,251000\n120,5,389500\n51,2,175000\n98,4,310000\n",
		"patients.txt": "59 2 32.1\n48 1 21.6\n72 2 30.5\n",
		"progress.txt": "151\n75\n141\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			log.Fatal(err)
		}
	}
	from, err := os.Getwd()
	if err != nil {
		log.Fatal(err)
	}
	if err := os.Chdir(dir); err != nil {
		log.Fatal(err)
	}
	return func() {
		if err := errors.Join(os.Chdir(from), os.RemoveAll(dir)); err != nil {
			log.Fatal(err)
		}
	}
}

// The snippets of howto/bring-your-own-table.md: classes.
func Example_tableOfClasses() {
	defer tables()()

	set, err := data.LoadCSV("flowers.csv", data.CSVOptions{Header: data.HeaderNames})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(set.Features, set.X.Row(1), set.Classes[set.Y[1]])
	// Output: [length width] [6.25 2.9] virginica
}

// Numbers to predict, and what happens to those that are taken for classes.
func Example_tableOfNumbers() {
	defer tables()()

	set, err := data.LoadCSV("houses.csv", data.CSVOptions{Header: data.HeaderNames, Target: data.TargetNumbers})
	if err != nil {
		log.Fatal(err)
	}
	train, test := set.Split(1, 0.75)
	train, scaler := train.Standardize()
	if test, err = scaler.Apply(test); err != nil {
		log.Fatal(err)
	}
	fmt.Println(set.Targets, train.Len(), len(test.Targets))

	_, err = data.LoadCSV("houses.csv", data.CSVOptions{Header: data.HeaderNames})
	fmt.Println(err)
	// Output:
	// [251000 389500 175000 310000] 3 1
	// data: houses.csv: line 2: column 3 ("price"): label "251000" is not the number of a class: for numbers to predict set CSVOptions.Target to TargetNumbers; if these are classes name them in CSVOptions.Classes; another column? see CSVOptions.LabelColumn
}

// Numbers to predict in a file of their own.
func Example_tableOfTargets() {
	defer tables()()

	alone := data.CSVOptions{LabelColumn: data.NoLabel}
	set, err := data.LoadCSV("patients.txt", alone)
	if err != nil {
		log.Fatal(err)
	}
	progress, err := data.LoadCSV("progress.txt", alone)
	if err != nil {
		log.Fatal(err)
	}
	set.Targets = progress.X.Data
	if err := set.Validate(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(set.X.Shape, set.Targets)
	// Output: [3 3] [151 75 141]
}
