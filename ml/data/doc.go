// Package data provides the data sets of examples, tests and benchmarks, and
// loaders for the usual files.
//
// Two sets are part of the binary, so that everything in this repository runs
// without a download: [BreastCancer], whole (569 samples, 30 features, two classes),
// and [MNIST], a subset of 8,000 training and 1,000 test images of 28×28 in ten
// classes. The full MNIST, or any set in its IDX format such as Fashion-MNIST, is read
// from a folder by [LoadMNIST]; tables by [LoadCSV].
//
//	train, test, err := data.MNIST()
//	if err != nil {
//		return err
//	}
//	fmt.Println(train.X.Shape, train.Classes) // [8000 28 28] [0 1 2 3 4 5 6 7 8 9]
//
// A [Dataset] is a batch of samples ([ml.Tensor], first dimension n), class numbers
// or numbers to predict, and names. Pixels are divided by 255, so they lie in [0, 1]. Tables are as measured;
// [Dataset.Standardize] centres and scales them with numbers taken from the training
// part only:
//
//	train, test := ds.Split(1, 0.8)
//	train, scaler := train.Standardize()
//	test, err = scaler.Apply(test)
//
// # Tables
//
// [LoadCSV] recognises separators, decimals, ends of lines and compression; [CSVOptions]
// say what a table cannot: what its first line is, which column is the label, and
// whether a label is a class or, for regression, a number ([TargetNumbers]). Numbers are
// in Targets, in place of Y and Classes. Where a table can be read in two ways, or looks
// like another than the options describe, the error names the option to set. Missing
// values are errors, not zeros.
//
// Numbers in a file of their own are a table without labels:
//
//	alone := data.CSVOptions{LabelColumn: data.NoLabel}
//	set, err := data.LoadCSV("features.csv", alone)
//	...
//	targets, err := data.LoadCSV("targets.csv", alone)
//	...
//	set.Targets = targets.X.Data
//	err = set.Validate()
//
// # Choosing and splitting
//
// Everything is deterministic: [Dataset.Split] draws from a PCG generator with the
// given seed, keeps the proportions of the classes, and gives the same parts on every
// machine and in every version of this package. Figures measured on the embedded
// MNIST are not figures on MNIST; say which one was used.
//
// # Files from elsewhere
//
// [ReadIDX] and [ReadCSV] accept plain and gzip-compressed bytes and take a limit on
// the bytes after decompression, so a small compressed file cannot fill the memory.
// Errors are *[FormatError], *[CSVError] or *[MissingFileError] and say what was
// expected. Memory follows the bytes received, not the sizes that a header promises.
//
// # Licences
//
// MNIST: Yann LeCun, Corinna Cortes, Christopher J. C. Burges, CC BY-SA 3.0. Breast
// Cancer Wisconsin (Diagnostic): W. H. Wolberg, W. N. Street, O. L. Mangasarian, UCI
// Machine Learning Repository, CC BY 4.0. The notices are in the folder embedded,
// beside the data; programs that embed this package redistribute the data under them.
package data
