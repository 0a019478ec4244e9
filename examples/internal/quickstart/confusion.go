package quickstart

import (
	"fmt"
	"image/color"
	"io"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/report"
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

// writeConfusion draws truth against predictions as a PNG.
func writeConfusion(path, title string, predicted, truth []int, classes []string) error {
	n, err := ml.Confusion(predicted, truth, len(classes))
	if err != nil {
		return err
	}
	c := counts{n, make([]int, len(n))}
	for i, row := range n {
		for _, k := range row {
			c.total[i] += k
		}
	}
	p := plot.New()
	p.Title.Text = title
	p.Title.Padding = vg.Points(8)
	p.X.Label.Text = "predicted under encryption"
	p.Y.Label.Text = "true class"
	for _, l := range []*text.Style{&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label} {
		l.Font.Size = vg.Points(13)
	}
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
		return err
	}
	labels.TextStyle = styles
	p.Add(labels)
	var x, y []plot.Tick
	for i, name := range classes {
		x = append(x, plot.Tick{Value: float64(i), Label: name})
		y = append(y, plot.Tick{Value: float64(len(classes) - 1 - i), Label: fmt.Sprintf("%s (%d)", name, c.total[i])})
	}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.ConstantTicks(x), plot.ConstantTicks(y)
	canvas := vgimg.NewWith(vgimg.UseWH(16*vg.Centimeter, 15*vg.Centimeter), vgimg.UseDPI(120))
	const margin = 10
	p.Draw(draw.Crop(draw.New(canvas), margin, -margin, margin, -margin))
	return report.WriteFile(path, 0o644, func(f io.Writer) error { _, err := vgimg.PngCanvas{Canvas: canvas}.WriteTo(f); return err })
}
