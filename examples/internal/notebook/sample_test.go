package notebook_test

// %% [markdown]
// # A sample
//
// It adds numbers, and *says* so:
//
//   - one item
//
// | a | b |
// |---|---|
// | 1 | 2 |

// %%
import (
	_ "embed"
	"errors"
	"fmt"
	"image"
	"image/png"
	"strings"
	"sync"

	"github.com/signet-ml/signet/examples/internal/notebook"
)

//go:embed sample_test.go
var sampleSource string

// %%

// double is called by a later cell, to which its output belongs.
func double(r *notebook.Recorder, n int) {
	r.Printf("twice %d is %d\n", n, 2*n)
}

// sample is the body; this comment and the line below are not shown.
func sample(r *notebook.Recorder) error {
	// %%
	r.Println("first", 1)
	later := func() { r.Println("a closure") }
	var w strings.Builder
	fmt.Fprintln(&w, `a raw string
	keeps its tab`)
	fmt.Fprint(r, w.String())

	// %% [markdown]
	// ## Outputs of every kind

	// %%
	double(r, 21)
	later()
	r.Table([]string{"layer", "bits"}, []string{"dense1", "12.5"}, []string{"a|b", "9"})
	var picture strings.Builder
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 3, 2))); err != nil {
		return err
	}
	if err := r.Image("square.png", "a black square", []byte(picture.String())); err != nil {
		return err
	}
	var wg sync.WaitGroup
	wg.Go(func() { r.Println("a goroutine") })
	wg.Wait()

	// %%
	if len(r.Images()) != 1 {
		return errors.New("no picture")
	}
	return nil
}
