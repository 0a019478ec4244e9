//go:build ignore

// Command gen_mnist draws the embedded subset of MNIST from the full set:
//
//	go run gen_mnist.go -from DIR
//
// where DIR holds the four standard files, gzip-compressed. It writes
// embedded/mnist-*.gz. The draw is seeded: running it again gives the same subset.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"flag"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"github.com/signet-ml/signet/ml/data"
)

func main() {
	from := flag.String("from", "", "folder with the four MNIST files")
	flag.Parse()
	draw(*from, "train", 8000)
	draw(*from, "t10k", 1000)
}

func draw(dir, prefix string, total int) {
	images := read(filepath.Join(dir, prefix+"-images-idx3-ubyte.gz"))
	labels := read(filepath.Join(dir, prefix+"-labels-idx1-ubyte.gz"))
	n, size := len(labels.Data), len(images.Data)/len(labels.Data)

	counts := make([]int, 10)
	for _, l := range labels.Data {
		counts[l]++
	}
	// Largest remainders, so that the classes keep their proportions and add up.
	quota, left := make([]int, 10), total
	order := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	for c, k := range counts {
		quota[c] = k * total / n
		left -= quota[c]
	}
	slices.SortStableFunc(order, func(a, b int) int { return counts[b]*total%n - counts[a]*total%n })
	for _, c := range order[:left] {
		quota[c]++
	}

	// Random rather than the first ones: the first half of the test set is easier.
	var keep []int
	for _, i := range rand.New(rand.NewPCG(28, 28)).Perm(n) {
		if l := labels.Data[i]; quota[l] > 0 {
			quota[l]--
			keep = append(keep, i)
		}
	}
	slices.Sort(keep)
	var x, y []byte
	for _, i := range keep {
		x = append(x, images.Data[i*size:(i+1)*size]...)
		y = append(y, labels.Data[i])
	}
	write(prefix+"-images-idx3-ubyte", []int{total, images.Shape[1], images.Shape[2]}, x)
	write(prefix+"-labels-idx1-ubyte", []int{total}, y)
}

func read(path string) data.IDX {
	f, err := os.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	idx, err := data.ReadIDX(f, 1<<30)
	if err != nil {
		log.Fatal(err)
	}
	return idx
}

func write(name string, shape []int, content []byte) {
	head := []byte{0, 0, 8, byte(len(shape))}
	for _, s := range shape {
		head = binary.BigEndian.AppendUint32(head, uint32(s))
	}
	var buf bytes.Buffer
	zw, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		log.Fatal(err)
	}
	zw.Write(head)
	zw.Write(content)
	if err := zw.Close(); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("embedded", "mnist-"+name+".gz"), buf.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}
