package chart

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Categories are numbers for named things: the time of each layer, predicted and measured.
type Categories struct {
	Title  string
	Names  string   // what the categories are: "layer"
	Values string   // what the values are, with their unit: "time (ms)"
	Labels []string // of the categories
	Series []Series
	Format string // of a value that is written out: "%.0f"
}

// Series is one value for each category. NaN leaves a gap.
type Series struct {
	Name   string
	Values []float64
}

// check refuses categories that no chart can draw, or with more series than the chart can tell apart.
func (c Categories) check(most int) error {
	if len(c.Labels) == 0 || len(c.Series) == 0 {
		return fmt.Errorf("chart: %q has %d categories and %d series", c.Title, len(c.Labels), len(c.Series))
	}
	if len(c.Series) > most {
		return fmt.Errorf("chart: %q has %d series: at most %d", c.Title, len(c.Series), most)
	}
	for _, s := range c.Series {
		if len(s.Values) != len(c.Labels) {
			return fmt.Errorf("chart: %q: %q has %d values for %d categories", c.Title, s.Name, len(s.Values), len(c.Labels))
		}
		if slices.ContainsFunc(s.Values, func(v float64) bool { return math.IsInf(v, 0) }) {
			return fmt.Errorf("chart: %q: %q holds an infinite value", c.Title, s.Name)
		}
	}
	return nil
}

// largest returns the largest value, at least 0.
func (c Categories) largest() float64 {
	top := 0.0
	for _, s := range c.Series {
		for _, v := range s.Values {
			if !math.IsNaN(v) {
				top = max(top, v)
			}
		}
	}
	return top
}

// Bars draws a horizontal bar for each value, which is written beside it, one group for each category, the first on top.
// Values are not negative.
func Bars(c Categories) ([]byte, error) {
	if err := c.check(4); err != nil {
		return nil, err
	}
	const bar, space = 15, 10 // points
	p := newPlot(c.Title, c.Values, c.Names)
	n, group := len(c.Labels), len(c.Series)*bar+space
	var legend []entry
	var numbers plotter.XYLabels
	for k, s := range c.Series {
		values := make(plotter.Values, n)
		offset := vg.Length(float64(len(c.Series)-1)/2-float64(k)) * bar // points above the middle of the group
		for i, v := range s.Values {
			if math.IsNaN(v) {
				continue
			}
			values[n-1-i] = v
			numbers.XYs = append(numbers.XYs, plotter.XY{X: v, Y: float64(n-1-i) + float64(offset)/float64(group)})
			numbers.Labels = append(numbers.Labels, " "+fmt.Sprintf(c.Format, v))
		}
		b, err := plotter.NewBarChart(values, bar)
		if err != nil {
			return nil, err
		}
		b.Horizontal, b.Color, b.LineStyle.Width, b.Offset = true, palette[k], 0, offset
		p.Add(b)
		legend = append(legend, entry{s.Name, b})
	}
	if err := c.rows(p, numbers, c.largest()); err != nil {
		return nil, err
	}
	if len(c.Series) == 1 {
		legend = nil
	}
	// So much that a group of bars has the height that its offsets assume.
	height := float64(n*group)/vg.Centimeter.Points() + 3.6
	return render(p, 18, height, legend...)
}

// Stacked draws one horizontal bar for each category, the first on top, in pieces, one for each series, and writes their
// sum beside it. Values are not negative; a gap is a piece of length 0.
func Stacked(c Categories) ([]byte, error) {
	if err := c.check(len(palette)); err != nil {
		return nil, err
	}
	const bar, group = 20, 32 // points
	p := newPlot(c.Title, c.Values, c.Names)
	n := len(c.Labels)
	sums := make([]float64, n)
	var legend []entry
	var below *plotter.BarChart
	for k, s := range c.Series {
		values := make(plotter.Values, n)
		for i, v := range s.Values {
			if !math.IsNaN(v) {
				values[n-1-i] = v
				sums[n-1-i] += v
			}
		}
		b, err := plotter.NewBarChart(values, bar)
		if err != nil {
			return nil, err
		}
		b.Horizontal, b.Color, b.LineStyle.Width = true, palette[k], 0
		if below != nil {
			b.StackOn(below)
		}
		below = b
		p.Add(b)
		legend = append(legend, entry{s.Name, b})
	}
	var numbers plotter.XYLabels
	for i, v := range sums {
		numbers.XYs = append(numbers.XYs, plotter.XY{X: v, Y: float64(i)})
		numbers.Labels = append(numbers.Labels, " "+fmt.Sprintf(c.Format, v))
	}
	if err := c.rows(p, numbers, slices.Max(sums)); err != nil {
		return nil, err
	}
	return render(p, 18, float64(n*group)/vg.Centimeter.Points()+3.6, legend...)
}

// rows gives a chart of horizontal bars its axes, up to the value top, and writes numbers at their places.
func (c Categories) rows(p *plot.Plot, numbers plotter.XYLabels, top float64) error {
	labels, err := plotter.NewLabels(numbers)
	if err != nil {
		return err
	}
	for i := range labels.TextStyle {
		st := p.X.Tick.Label
		st.XAlign, st.YAlign, st.Font.Size = text.XLeft, text.YCenter, vg.Points(fontSize-1)
		labels.TextStyle[i] = st
	}
	p.Add(labels)
	n := len(c.Labels)
	var names []plot.Tick
	for i, l := range c.Labels {
		names = append(names, plot.Tick{Value: float64(n - 1 - i), Label: l})
	}
	p.Y.Tick.Label.XAlign = text.XRight
	p.Y.Tick.Marker = plot.ConstantTicks(names)
	p.X.Min, p.X.Max = 0, 1.12*top
	if p.X.Max == 0 {
		p.X.Max = 1
	}
	p.X.Tick.Marker = ticks(0, p.X.Max)
	p.Y.Min, p.Y.Max = -0.5, float64(n)-0.5
	return nil
}

// Lines draws a line with markers for each series over the categories, from left to right. The vertical axis shows the
// range of the values and need not start at 0.
func Lines(c Categories) ([]byte, error) {
	shapes := []draw.GlyphDrawer{draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, draw.SquareGlyph{}}
	if err := c.check(len(shapes)); err != nil {
		return nil, err
	}
	p := newPlot(c.Title, c.Names, c.Values)
	grid := plotter.NewGrid()
	grid.Vertical.Width, grid.Horizontal.Color = 0, lightGrey
	p.Add(grid)
	dashes := [][]vg.Length{nil, {6, 3}, {2, 2}, {8, 3, 2, 3}}
	var legend []entry
	for k, s := range c.Series {
		var pts plotter.XYs
		for i, v := range s.Values {
			if !math.IsNaN(v) {
				pts = append(pts, plotter.XY{X: float64(i), Y: v})
			}
		}
		line, marks, err := plotter.NewLinePoints(pts)
		if err != nil {
			return nil, fmt.Errorf("chart: %q: %q: %w", c.Title, s.Name, err)
		}
		line.Color, line.Width, line.Dashes = palette[k], vg.Points(2), dashes[k]
		marks.Color, marks.Radius, marks.Shape = palette[k], vg.Points(4), shapes[k]
		p.Add(line, marks)
		legend = append(legend, entry{s.Name, both{line, marks}})
	}
	longest := 0
	var names []plot.Tick
	for i, l := range c.Labels {
		names = append(names, plot.Tick{Value: float64(i), Label: l})
		longest = max(longest, len(l))
	}
	p.X.Tick.Marker = plot.ConstantTicks(names)
	if longest*len(c.Labels) > 70 { // they would run into each other
		p.X.Tick.Label.Rotation, p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = math.Pi/5, text.XRight, text.YTop
	}
	p.X.Min, p.X.Max = -0.4, float64(len(c.Labels))-0.6
	p.Y.Tick.Marker = ticks(p.Y.Min, p.Y.Max)
	pad := max(0.08*(p.Y.Max-p.Y.Min), 1e-9)
	p.Y.Min, p.Y.Max = p.Y.Min-pad, p.Y.Max+pad
	return render(p, 18, 11, legend...)
}

// ticks returns four to ten labelled ticks between lo and hi, at multiples of 1, 2 or 5 times a power of ten.
func ticks(lo, hi float64) plot.ConstantTicks {
	step := math.Pow(10, math.Floor(math.Log10(max(hi-lo, 1e-9))))
	for _, f := range []float64{1, 0.5, 0.2} {
		if n := (hi - lo) / (step * f); n >= 4 {
			step *= f
			break
		}
	}
	var out plot.ConstantTicks
	for k := math.Ceil(lo/step-1e-9) + 0; k*step <= hi*(1+1e-9); k++ { // + 0: no "-0"
		out = append(out, plot.Tick{Value: k * step, Label: strconv.FormatFloat(k*step, 'g', 4, 64)})
	}
	return out
}

// both is the thumbnail of a line with its markers.
type both struct {
	line  *plotter.Line
	marks *plotter.Scatter
}

func (b both) Thumbnail(c *draw.Canvas) {
	b.line.Thumbnail(c)
	b.marks.Thumbnail(c)
}
