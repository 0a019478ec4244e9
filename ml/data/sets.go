package data

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/signet-ml/signet/ml"
)

// The subset of MNIST is made from the four standard files by: go run gen_mnist.go -from /path/to/the/four/mnist/files

//go:embed embedded
var embedded embed.FS

var digits = []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}

// breastCancerFeatures are the names that scikit-learn gives the 30 columns: mean,
// standard error and worst value of ten measurements of the cell nuclei.
var breastCancerFeatures = func() []string {
	measured := []string{"radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity", "concave points", "symmetry", "fractal dimension"}
	var names []string
	for _, m := range measured {
		names = append(names, "mean "+m)
	}
	for _, m := range measured {
		names = append(names, m+" error")
	}
	for _, m := range measured {
		names = append(names, "worst "+m)
	}
	return names
}()

// maxIDXFile bounds one MNIST file after decompression: 60,000 images are 47 MB.
const maxIDXFile = 1 << 30

// BreastCancer returns the embedded Breast Cancer Wisconsin (Diagnostic) set, whole:
// X is [569, 30], class 0 is malignant (212 samples), 1 is benign (357). Features have
// very different ranges; see [Dataset.Standardize]. CC BY 4.0, Wolberg, Street and
// Mangasarian. Every call decodes anew, about 1 ms, so the result belongs to the caller.
func BreastCancer() (Dataset, error) {
	f, err := embedded.Open("embedded/breast_cancer.csv")
	if err != nil {
		return Dataset{}, fmt.Errorf("data: breast cancer: %w", err)
	}
	defer f.Close()
	return ReadCSV(f, breastCancerOptions())
}

func breastCancerOptions() CSVOptions {
	return CSVOptions{Name: "breast-cancer", Header: HeaderCounts, Features: breastCancerFeatures}
}

// MNIST returns the embedded subset of MNIST: 8,000 images drawn from the 60,000 for
// training and 1,000 from the 10,000 for testing, classes in the proportions of the
// original. X is [n, 28, 28] with pixels in [0, 1]. CC BY-SA 3.0, LeCun, Cortes and
// Burges. Every call decodes anew (72 MB of memory), so the result belongs to the
// caller.
//
// Accuracies on the 1,000 test images have a standard error of about 0.4 % at 98 %; for
// figures to publish load the full set with [LoadMNIST].
func MNIST() (train, test Dataset, err error) {
	return readMNIST("mnist-subset", func(name string) (fs.File, error) {
		return embedded.Open("embedded/mnist-" + name + ".gz")
	})
}

// LoadMNIST reads the four files of MNIST, or of a set in the same format, from dir or
// from dir/mnist: train-images-idx3-ubyte, train-labels-idx1-ubyte,
// t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, each with or without ".gz" (and
// also under the names with ".idx" that some archives use). The full set takes 440 MB
// of memory.
//
// It fails with *[MissingFileError] when a file is absent and with *[FormatError] when one
// is malformed or images and labels do not belong together.
func LoadMNIST(dir string) (train, test Dataset, err error) {
	return readMNIST("mnist", func(name string) (fs.File, error) {
		other := strings.Replace(name, "-idx", ".idx", 1)
		return open(dir, "mnist", []string{name + ".gz", name, other + ".gz", other},
			"MNIST's four files come from http://yann.lecun.com/exdb/mnist/ or a mirror of it; the function MNIST returns a subset without any file")
	})
}

// LoadBreastCancer reads breast_cancer.csv in scikit-learn's form, plain or with ".gz",
// from dir or from dir/tabular. It returns what [BreastCancer] returns. It fails with
// *[MissingFileError] when the file is absent and with *[CSVError] when it is malformed.
func LoadBreastCancer(dir string) (Dataset, error) {
	f, err := open(dir, "tabular", []string{"breast_cancer.csv", "breast_cancer.csv.gz"},
		"the file is sklearn/datasets/data/breast_cancer.csv of scikit-learn; the function BreastCancer returns the set without any file")
	if err != nil {
		return Dataset{}, err
	}
	defer f.Close()
	d, err := ReadCSV(f, breastCancerOptions())
	var ce *CSVError
	if errors.As(err, &ce) {
		ce.Name = f.Name()
	}
	return d, err
}

// open opens the first of names that exists in dir or dir/sub.
func open(dir, sub string, names []string, hint string) (*os.File, error) {
	var tried []string
	for _, d := range []string{dir, filepath.Join(dir, sub)} {
		for _, n := range names {
			path := filepath.Join(d, n)
			f, err := os.Open(path)
			if err == nil {
				return f, nil
			}
			if !errors.Is(err, fs.ErrNotExist) {
				return nil, fmt.Errorf("data: %w", err)
			}
			tried = append(tried, path)
		}
	}
	return nil, &MissingFileError{Dir: dir, Tried: tried, Hint: hint, Err: fs.ErrNotExist}
}

// readMNIST reads the two pairs of files that openFile finds by their standard names.
func readMNIST(name string, openFile func(string) (fs.File, error)) (train, test Dataset, err error) {
	read := func(file string) (IDX, error) {
		f, err := openFile(file)
		if err != nil {
			return IDX{}, err
		}
		defer f.Close()
		idx, err := ReadIDX(f, maxIDXFile)
		var fe *FormatError
		if errors.As(err, &fe) {
			fe.Name = file
		}
		return idx, err
	}
	pair := func(prefix, setName string) (Dataset, error) {
		images, err := read(prefix + "-images-idx3-ubyte")
		if err != nil {
			return Dataset{}, err
		}
		labels, err := read(prefix + "-labels-idx1-ubyte")
		if err != nil {
			return Dataset{}, err
		}
		return imagesAndLabels(setName, images, labels)
	}
	if train, err = pair("train", name+"-train"); err != nil {
		return Dataset{}, Dataset{}, err
	}
	if test, err = pair("t10k", name+"-test"); err != nil {
		return Dataset{}, Dataset{}, err
	}
	if !slices.Equal(train.SampleShape(), test.SampleShape()) {
		return Dataset{}, Dataset{}, &FormatError{Reason: fmt.Sprintf("training images of %v pixels and test images of %v", train.SampleShape(), test.SampleShape())}
	}
	return train, test, nil
}

func imagesAndLabels(name string, images, labels IDX) (Dataset, error) {
	if len(images.Shape) != 3 || len(labels.Shape) != 1 || images.Shape[0] != labels.Shape[0] {
		return Dataset{}, &FormatError{Name: name, Reason: fmt.Sprintf("images of shape %v with labels of shape %v, want [n rows columns] and [n]", images.Shape, labels.Shape)}
	}
	d := Dataset{
		Name:    name,
		X:       ml.Tensor{Shape: images.Shape, Data: make([]float64, len(images.Data))},
		Y:       make([]int, len(labels.Data)),
		Classes: slices.Clone(digits),
	}
	for i, p := range images.Data {
		d.X.Data[i] = float64(p) / 255
	}
	for i, l := range labels.Data {
		if int(l) >= len(digits) {
			return Dataset{}, &FormatError{Name: name, Reason: fmt.Sprintf("label %d of image %d, want 0 to %d", l, i, len(digits)-1)}
		}
		d.Y[i] = int(l)
	}
	return d, nil
}
