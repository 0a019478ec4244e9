package ml

import (
	"fmt"
	"math"
	"slices"
)

// Tensor is a dense array of float64 in row-major order: the last index moves
// fastest. A batch of n samples has Shape [n, sample shape...].
//
// The zero Tensor has no shape and holds nothing. Tensors made by hand are checked
// wherever they enter this package; [NewTensor] checks at once. Assigning a Tensor
// copies the header, not the numbers, as with slices. Reading concurrently is safe.
type Tensor struct {
	Shape []int     // one positive size per dimension
	Data  []float64 // Len() numbers
}

// NewTensor returns the tensor of the given shape over data, which it keeps and
// does not copy. Shape is copied. It fails with *[ShapeError] when shape is empty,
// has a size below 1, or does not multiply up to len(data).
func NewTensor(shape []int, data []float64) (Tensor, error) {
	t := Tensor{Shape: slices.Clone(shape), Data: data}
	if err := t.check("new tensor"); err != nil {
		return Tensor{}, err
	}
	return t, nil
}

// FromRows returns the tensor [len(rows), len(rows[0])] with a copy of rows. It
// fails with *[ShapeError] when there are no rows, or no columns, or rows of
// different lengths.
func FromRows(rows [][]float64) (Tensor, error) {
	if len(rows) == 0 || len(rows[0]) == 0 {
		return Tensor{}, &ShapeError{Where: "from rows", Got: []int{len(rows), 0}, Want: "at least one row and one column"}
	}
	cols := len(rows[0])
	data := make([]float64, 0, len(rows)*cols)
	for i, r := range rows {
		if len(r) != cols {
			return Tensor{}, &ShapeError{Where: fmt.Sprintf("from rows: row %d", i), Got: []int{len(r)}, Want: fmt.Sprintf("[%d] like row 0", cols)}
		}
		data = append(data, r...)
	}
	return Tensor{Shape: []int{len(rows), cols}, Data: data}, nil
}

// Len returns the number of elements, the product of the shape; 0 for the zero Tensor.
func (t Tensor) Len() int {
	if len(t.Shape) == 0 {
		return 0
	}
	n, err := shapeLen(t.Shape)
	if err != nil {
		return 0
	}
	return n
}

// Rows returns the size of the first dimension: the number of samples of a batch.
// It is 0 for the zero Tensor.
func (t Tensor) Rows() int {
	if len(t.Shape) == 0 {
		return 0
	}
	return t.Shape[0]
}

// Row returns sample i, flat, as a slice of Data (not a copy; its capacity ends
// with the row). Like a slice expression it panics when i is outside [0, Rows()).
func (t Tensor) Row(i int) []float64 {
	w := t.width()
	d := t.Data[:len(t.Data):len(t.Data)] // a slice expression alone would reach into spare capacity
	return d[i*w : (i+1)*w : (i+1)*w]
}

// Slice returns samples lo to hi-1 as a tensor that shares Data. Like a slice
// expression it panics unless 0 <= lo <= hi <= Rows(). An empty slice has 0 rows
// and is refused by [Model.Forward].
func (t Tensor) Slice(lo, hi int) Tensor {
	w := t.width()
	shape := slices.Clone(t.Shape)
	shape[0] = hi - lo
	d := t.Data[:len(t.Data):len(t.Data)]
	return Tensor{Shape: shape, Data: d[lo*w : hi*w : hi*w]}
}

// Clone returns a copy that shares nothing with t.
func (t Tensor) Clone() Tensor {
	return Tensor{Shape: slices.Clone(t.Shape), Data: slices.Clone(t.Data)}
}

// width is the number of elements of one row.
func (t Tensor) width() int {
	w := 1
	for _, d := range t.Shape[1:] {
		w *= d
	}
	return w
}

// check reports whether t is well formed.
func (t Tensor) check(where string) error {
	n, err := shapeLen(t.Shape)
	if err != nil {
		return &ShapeError{Where: where, Got: t.Shape, Want: err.Error()}
	}
	if n != len(t.Data) {
		return &ShapeError{Where: where, Got: t.Shape, Want: fmt.Sprintf("a product of %d, the length of the data", len(t.Data))}
	}
	return nil
}

// checkFinite returns a *NonFiniteError for the first NaN or infinity.
func (t Tensor) checkFinite(where string) error {
	for i, v := range t.Data {
		// v-v is 0 for every finite v and NaN otherwise: one comparison.
		if v-v != 0 {
			return &NonFiniteError{Where: where, Index: i, At: unravel(i, t.Shape), Value: v}
		}
	}
	return nil
}

// unravel turns a position in row-major data into one index per dimension.
func unravel(i int, shape []int) []int {
	at := make([]int, len(shape))
	for d := len(shape) - 1; d >= 0; d-- {
		at[d] = i % shape[d]
		i /= shape[d]
	}
	return at
}

// shapeLen multiplies a shape up, refusing empty shapes, sizes below 1 and
// products that do not fit an int.
func shapeLen(shape []int) (int, error) {
	if len(shape) == 0 {
		return 0, fmt.Errorf("at least one dimension")
	}
	n := 1
	for _, d := range shape {
		if d < 1 {
			return 0, fmt.Errorf("sizes of at least 1")
		}
		if n > math.MaxInt/d {
			return 0, fmt.Errorf("a product that fits an int")
		}
		n *= d
	}
	return n, nil
}
