package chart

import (
	"bytes"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// palette is told apart by colour-blind readers too: Okabe and Ito, https://jfly.uni-koeln.de/color/.
var palette = []color.Color{
	color.NRGBA{0, 114, 178, 255}, // blue
	color.NRGBA{230, 159, 0, 255}, // orange
	color.NRGBA{0, 158, 115, 255}, // green
	color.NRGBA{204, 121, 167, 255},
	color.NRGBA{86, 180, 233, 255},
	color.NRGBA{213, 94, 0, 255},
	color.NRGBA{240, 228, 66, 255},
}

var (
	grey      = color.Gray{150}
	lightGrey = color.Gray{225}
)

const (
	fontSize = 12
	margin   = 10
	dpi      = 130
)

// newPlot returns an empty plot with the fonts that all charts share.
func newPlot(title, x, y string) *plot.Plot {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	p.Title.Padding = vg.Points(8)
	p.X.Label.Padding, p.Y.Label.Padding = vg.Points(4), vg.Points(4)
	for _, l := range []*text.Style{&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label} {
		l.Font.Size = vg.Points(fontSize)
	}
	p.Title.TextStyle.Font.Size = vg.Points(fontSize + 2)
	return p
}

// an entry explains a colour or marker below the chart.
type entry struct {
	name string
	plot.Thumbnailer
}

// render draws p, and the legend below it, on a canvas of the size given in centimetres.
func render(p *plot.Plot, width, height float64, legend ...entry) ([]byte, error) {
	canvas := newCanvas(width, height)
	dc := draw.Crop(draw.New(canvas), margin, -margin, margin, -margin)
	if len(legend) > 0 {
		drawLegend(dc, p.X.Tick.Label, legend)
		dc = draw.Crop(dc, 0, 0, 2*fontSize, 0)
	}
	p.Draw(dc)
	return encode(canvas)
}

func newCanvas(width, height float64) *vgimg.Canvas {
	return vgimg.NewWith(vgimg.UseWH(vg.Length(width)*vg.Centimeter, vg.Length(height)*vg.Centimeter), vgimg.UseDPI(dpi))
}

func encode(canvas *vgimg.Canvas) ([]byte, error) {
	var b bytes.Buffer
	_, err := vgimg.PngCanvas{Canvas: canvas}.WriteTo(&b)
	return b.Bytes(), err
}

// drawLegend draws entries in one line, centred at the bottom of dc.
func drawLegend(dc draw.Canvas, style text.Style, entries []entry) {
	const thumb, gap, between = 24, 6, 22
	style.XAlign, style.YAlign, style.Rotation = text.XLeft, text.YCenter, 0
	total := vg.Length(-between)
	for _, e := range entries {
		total += thumb + gap + style.Width(e.name) + between
	}
	x, y := (dc.Min.X+dc.Max.X-total)/2, dc.Min.Y+fontSize/2
	for _, e := range entries {
		e.Thumbnail(&draw.Canvas{Canvas: dc.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: x, Y: y - fontSize/2}, Max: vg.Point{X: x + thumb, Y: y + fontSize/2}}})
		x += thumb + gap
		dc.FillText(style, vg.Point{X: x, Y: y}, e.name)
		x += style.Width(e.name) + between
	}
}
