package docs_test

import (
	"fmt"
	"html"
	"strings"
)

// drawing is a picture in the making. Lengths are in pixels, y grows downwards.
type drawing struct {
	w, h float64
	body strings.Builder
}

func newDrawing(w, h float64) *drawing { return &drawing{w: w, h: h} }

// Colours, told apart by people who see few of them as well.
const (
	ink    = "#1b2733"
	soft   = "#5c6b7a"
	faint  = "#c9d2db"
	paper  = "#ffffff"
	blue   = "#dceaf7"
	blues  = "#7da7d1"
	orange = "#e08a2e"
	red    = "#b5483a"
	violet = "#8a6fb0"
)

// rect draws a box. style is a list of attributes, as in `fill="none"`.
func (d *drawing) rect(x, y, w, h float64, style string) {
	fmt.Fprintf(&d.body, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" %s/>\n", x, y, w, h, style)
}

func (d *drawing) line(x1, y1, x2, y2 float64, style string) {
	fmt.Fprintf(&d.body, "<path d=\"M%.1f %.1fL%.1f %.1f\" fill=\"none\" %s/>\n", x1, y1, x2, y2, style)
}

// text writes a line of text; anchor is start, middle or end, and y is its base line.
func (d *drawing) text(x, y, size float64, anchor, color, format string, args ...any) {
	fmt.Fprintf(&d.body, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%g\" text-anchor=%q fill=%q>%s</text>\n", x, y, size, anchor, color,
		html.EscapeString(fmt.Sprintf(format, args...)))
}

// svg returns the picture, which says in words what it shows.
func (d *drawing) svg(title string) []byte {
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" width="%g" height="%g" role="img" font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif">
<title>%s</title>
<rect width="100%%" height="100%%" fill="%s"/>
%s</svg>
`, d.w, d.h, d.w, d.h, html.EscapeString(title), paper, d.body.String())
}
