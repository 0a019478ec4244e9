package chart

import (
	"fmt"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A Bin holds the samples whose predicted probability lies in one part of [0, 1].
type Bin struct {
	Predicted float64 // mean of the predicted probabilities
	Observed  float64 // share of the samples for which the event took place
	Low, High float64 // 95 % interval of the frequency behind Observed, after Wilson
	Count     int
}

// Bins sorts predictions into n parts of [0, 1] of equal width. Probabilities outside, which a polynomial may give, count
// for the part next to them.
func Bins(predicted []float64, happened []bool, n int) ([]Bin, error) {
	if len(predicted) != len(happened) || n < 1 {
		return nil, fmt.Errorf("chart: %d predictions, %d events, %d bins", len(predicted), len(happened), n)
	}
	bins := make([]Bin, n)
	for i, p := range predicted {
		if math.IsNaN(p) {
			return nil, fmt.Errorf("chart: prediction %d is not a number", i)
		}
		b := &bins[int(min(max(p*float64(n), 0), float64(n-1)))]
		b.Count++
		b.Predicted += p
		if happened[i] {
			b.Observed++
		}
	}
	for i := range bins {
		b := &bins[i]
		if b.Count == 0 {
			continue
		}
		k := float64(b.Count)
		b.Predicted /= k
		b.Observed /= k
		const z = 1.96 // two-sided 95 %
		mid := (b.Observed + z*z/(2*k)) / (1 + z*z/k)
		half := z / (1 + z*z/k) * math.Sqrt(b.Observed*(1-b.Observed)/k+z*z/(4*k*k))
		b.Low, b.High = max(0, mid-half), min(1, mid+half)
	}
	return bins, nil
}

// CalibrationError returns the mean distance of observed from predicted frequency, weighted by the samples of each bin.
func CalibrationError(bins []Bin) float64 {
	sum, n := 0.0, 0
	for _, b := range bins {
		sum += float64(b.Count) * math.Abs(b.Observed-b.Predicted)
		n += b.Count
	}
	return sum / float64(max(n, 1))
}

// Calibration is the bins of one way to predict.
type Calibration struct {
	Name string
	Bins []Bin
}

// reliable holds what plotter wants: points with errors above and below.
type reliable struct {
	plotter.XYs
	plotter.YErrors
}

// Reliability draws observed frequencies against predicted probabilities of event, on the diagonal if they agree, and
// below how many predictions are in each bin. All have the same number of bins. Where two fall together the markers
// show both: the first is a ring around the second.
func Reliability(title, event string, series ...Calibration) ([]byte, error) {
	if len(series) == 0 || len(series) > len(palette) {
		return nil, fmt.Errorf("chart: %q has %d series: 1 to %d", title, len(series), len(palette))
	}
	n := len(series[0].Bins)
	top := newPlot(title, "", "observed share of "+event)
	counts := newPlot("", "predicted probability of "+event, "samples")
	diagonal, err := plotter.NewLine(plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 1}})
	if err != nil {
		return nil, err
	}
	diagonal.Color, diagonal.Dashes = grey, []vg.Length{4, 4}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = lightGrey, lightGrey
	top.Add(grid, diagonal)
	var legend []entry
	var interval entry
	most := 0
	for k, s := range series {
		if len(s.Bins) != n {
			return nil, fmt.Errorf("chart: %q: %q has %d bins, %q %d", title, series[0].Name, n, s.Name, len(s.Bins))
		}
		var pts reliable
		var bars plotter.XYs
		var labels plotter.XYLabels
		width := 0.8 / float64(n*len(series))
		for i, b := range s.Bins {
			if b.Count == 0 {
				continue
			}
			most = max(most, b.Count)
			pts.XYs = append(pts.XYs, plotter.XY{X: b.Predicted, Y: b.Observed})
			pts.YErrors = append(pts.YErrors, struct{ Low, High float64 }{b.Observed - b.Low, b.High - b.Observed})
			x := (float64(i)+0.5)/float64(n) + (float64(k)-float64(len(series)-1)/2)*width
			bars = append(bars, plotter.XY{X: x, Y: float64(b.Count)})
			labels.XYs = append(labels.XYs, plotter.XY{X: x, Y: float64(b.Count)})
			labels.Labels = append(labels.Labels, strconv.Itoa(b.Count))
		}
		if len(pts.XYs) == 0 {
			return nil, fmt.Errorf("chart: %q: %q holds no samples", title, s.Name)
		}
		if k == 0 {
			e, err := plotter.NewYErrorBars(pts)
			if err != nil {
				return nil, err
			}
			e.Color, e.Width = grey, vg.Points(1)
			top.Add(e)
			interval = entry{"95 % interval", upright{}}
		}
		marks, err := plotter.NewScatter(pts.XYs)
		if err != nil {
			return nil, err
		}
		marks.Color, marks.Radius, marks.Shape = palette[k], vg.Points(7-3*float64(k)), draw.CircleGlyph{}
		if k == 0 {
			marks.Shape = ring{}
		}
		top.Add(marks)
		legend = append(legend, entry{s.Name, both{&plotter.Line{}, marks}})
		for _, b := range bars {
			rect, err := plotter.NewPolygon(plotter.XYs{{X: b.X - width/2, Y: 0}, {X: b.X - width/2, Y: b.Y}, {X: b.X + width/2, Y: b.Y}, {X: b.X + width/2, Y: 0}})
			if err != nil {
				return nil, err
			}
			rect.Color, rect.LineStyle.Width = palette[k], 0
			counts.Add(rect)
		}
		numbers, err := plotter.NewLabels(labels)
		if err != nil {
			return nil, err
		}
		for i := range numbers.TextStyle {
			numbers.TextStyle[i].XAlign, numbers.TextStyle[i].YAlign = text.XCenter, text.YBottom
			numbers.TextStyle[i].Font.Size = vg.Points(fontSize - 2)
		}
		numbers.Offset.Y = vg.Points(2)
		counts.Add(numbers)
	}
	legend = append(legend, interval, entry{"as predicted", diagonal})
	var ticks []plot.Tick
	for i := range 11 {
		ticks = append(ticks, plot.Tick{Value: float64(i) / 10, Label: fmt.Sprintf("%.1f", float64(i)/10)})
	}
	for _, a := range []*plot.Axis{&top.X, &counts.X, &top.Y} {
		a.Tick.Marker = plot.ConstantTicks(ticks)
		a.Min, a.Max = -0.02, 1.02
	}
	counts.Y.Min, counts.Y.Max = 0, 1.3*float64(most)

	canvas := newCanvas(16, 18)
	dc := draw.Crop(draw.New(canvas), margin, -margin, margin, -margin)
	drawLegend(dc, top.X.Tick.Label, legend)
	dc = draw.Crop(dc, 0, 0, 2*fontSize, 0)
	const below = 120 // points for the counts
	height := dc.Max.Y - dc.Min.Y
	cells := plot.Align([][]*plot.Plot{{top}, {counts}}, draw.Tiles{Cols: 1, Rows: 2, PadY: 8}, dc)
	// Align divides the height in halves; only what it found out about the width is kept.
	upper, lower := cells[0][0], cells[1][0]
	upper.Min.Y, upper.Max.Y = dc.Min.Y+below, dc.Min.Y+height
	lower.Min.Y, lower.Max.Y = dc.Min.Y, dc.Min.Y+below-8
	top.Draw(upper)
	counts.Draw(lower)
	return encode(canvas)
}

// upright is the thumbnail of an interval.
type upright struct{}

func (upright) Thumbnail(c *draw.Canvas) {
	x, low, high := c.Center().X, c.Min.Y, c.Max.Y
	style := draw.LineStyle{Color: grey, Width: vg.Points(1)}
	c.StrokeLine2(style, x, low, x, high)
	c.StrokeLine2(style, x-3, low, x+3, low)
	c.StrokeLine2(style, x-3, high, x+3, high)
}

// ring is an open circle with a line of two points.
type ring struct{}

func (ring) DrawGlyph(c *draw.Canvas, style draw.GlyphStyle, at vg.Point) {
	c.SetLineStyle(draw.LineStyle{Color: style.Color, Width: vg.Points(2)})
	var p vg.Path
	p.Move(vg.Point{X: at.X + style.Radius, Y: at.Y})
	p.Arc(at, style.Radius, 0, 2*math.Pi)
	p.Close()
	c.Stroke(p)
}
