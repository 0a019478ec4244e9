// Package ui shows progress on a terminal and stays silent everywhere else.
package ui

import (
	"io"
	"os"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// Bars starts progress bars. The zero value is silent.
type Bars struct{ w io.Writer }

// ForTerminal returns bars on f if f is a terminal.
func ForTerminal(f *os.File) Bars {
	if !term.IsTerminal(int(f.Fd())) {
		return Bars{}
	}
	return Bars{f}
}

// Start shows a bar of total steps. set moves it; done removes it and must be called, once. One bar at a time.
func (b Bars) Start(name string, total int) (set func(n int), done func()) {
	if b.w == nil || total < 1 {
		return func(int) {}, func() {}
	}
	p := mpb.New(mpb.WithOutput(b.w), mpb.WithWidth(48))
	bar := p.AddBar(int64(total), mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name("  "+name+" ")),
		mpb.AppendDecorators(decor.CountersNoUnit("%d/%d"), decor.Name(" "), decor.Elapsed(decor.ET_STYLE_MMSS)))
	return func(n int) { bar.SetCurrent(int64(min(n, total-1))) }, func() {
		bar.Abort(true)
		p.Wait()
	}
}
