package chart

import (
	"fmt"
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"

	"github.com/signet-ml/signet/ml"
)

// counts is a confusion matrix as a grid: columns are predictions, rows true classes, the first on top.
type counts struct {
	n     [][]int
	total []int // of each true class
}

func (c counts) Dims() (cols, rows int) { return len(c.n), len(c.n) }
func (c counts) X(col int) float64      { return float64(col) }
func (c counts) Y(row int) float64      { return float64(row) }
func (c counts) at(col, row int) int    { return c.n[len(c.n)-1-row][col] }

// Z is the share of the true class, so that rare classes show as well as frequent ones.
func (c counts) Z(col, row int) float64 {
	return float64(c.at(col, row)) / math.Max(1, float64(c.total[len(c.n)-1-row]))
}

// blues is a palette from white to dark blue.
type blues struct{}

func (blues) Colors() []color.Color {
	out := make([]color.Color, 64)
	for i := range out {
		t := float64(i) / float64(len(out)-1)
		mix := func(from, to float64) uint8 { return uint8(math.Round(from + (to-from)*t)) }
		out[i] = color.NRGBA{mix(247, 8), mix(251, 48), mix(255, 107), 255}
	}
	return out
}

// Confusion draws true classes against predicted ones.
func Confusion(title string, predicted, truth []int, classes []string) ([]byte, error) {
	n, err := ml.Confusion(predicted, truth, len(classes))
	if err != nil {
		return nil, err
	}
	c := counts{n, make([]int, len(n))}
	for i, row := range n {
		for _, k := range row {
			c.total[i] += k
		}
	}
	p := newPlot(title, "predicted under encryption", "true class")
	p.Y.Tick.Label.XAlign = text.XRight
	heat := plotter.NewHeatMap(c, blues{})
	heat.Min, heat.Max = 0, 1
	p.Add(heat)
	var cells plotter.XYLabels
	var styles []text.Style
	for col := range n {
		for row := range n {
			k := c.at(col, row)
			if k == 0 {
				continue
			}
			s := p.X.Tick.Label
			s.XAlign, s.YAlign, s.Color = text.XCenter, text.YCenter, color.Black
			if c.Z(col, row) > 0.5 {
				s.Color = color.White
			}
			cells.XYs = append(cells.XYs, plotter.XY{X: c.X(col), Y: c.Y(row)})
			cells.Labels = append(cells.Labels, strconv.Itoa(k))
			styles = append(styles, s)
		}
	}
	labels, err := plotter.NewLabels(cells)
	if err != nil {
		return nil, err
	}
	labels.TextStyle = styles
	p.Add(labels)
	var x, y []plot.Tick
	for i, name := range classes {
		x = append(x, plot.Tick{Value: float64(i), Label: name})
		y = append(y, plot.Tick{Value: float64(len(classes) - 1 - i), Label: fmt.Sprintf("%s (%d)", name, c.total[i])})
	}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.ConstantTicks(x), plot.ConstantTicks(y)
	return render(p, 16, 15)
}
