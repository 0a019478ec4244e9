package chart_test

import (
	"bytes"
	"image"
	_ "image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/signet-ml/signet/examples/internal/chart"
)

func layers() chart.Categories {
	return chart.Categories{Title: "Time of each layer", Names: "layer", Values: "time (ms)", Labels: []string{"conv1", "square1", "dense1", "square2", "dense2"},
		Format: "%.1f", Series: []chart.Series{
			{Name: "predicted", Values: []float64{12, 0.5, 80, 0.2, math.NaN()}},
			{Name: "measured", Values: []float64{10, 0.7, 95.2, 0, 4}},
		}}
}

// TestCharts draws every chart. SIGNET_CHARTS names a folder to keep them in, for looking at them.
func TestCharts(t *testing.T) {
	long := layers()
	for i, l := range long.Labels {
		long.Labels[i] = "a rather long " + l
	}
	clear, err := chart.Bins([]float64{-0.01, 0.05, 0.32, 0.35, 0.74, 0.93, 0.95, 1.02}, []bool{false, false, false, true, true, true, true, true}, 10)
	if err != nil {
		t.Fatal(err)
	}
	for name, draw := range map[string]func() ([]byte, error){
		"bars":       func() ([]byte, error) { return chart.Bars(layers()) },
		"bars-long":  func() ([]byte, error) { c := long; c.Series = c.Series[1:]; return chart.Bars(c) },
		"stacked":    func() ([]byte, error) { return chart.Stacked(layers()) },
		"lines":      func() ([]byte, error) { return chart.Lines(layers()) },
		"lines-long": func() ([]byte, error) { return chart.Lines(long) },
		"reliability": func() ([]byte, error) {
			return chart.Reliability("Title", "class b", chart.Calibration{Name: "clear", Bins: clear}, chart.Calibration{Name: "encrypted", Bins: clear})
		},
		"confusion": func() ([]byte, error) {
			return chart.Confusion("Title", []int{0, 1, 1, 0}, []int{0, 1, 1, 1}, []string{"a", "b"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := draw()
			if err != nil {
				t.Fatal(err)
			}
			size, _, err := image.DecodeConfig(bytes.NewReader(b))
			if err != nil || size.Width < 600 || size.Height < 300 {
				t.Errorf("a picture of %v, %v", size, err)
			}
			if dir := os.Getenv("SIGNET_CHARTS"); dir != "" {
				if err := os.WriteFile(filepath.Join(dir, name+".png"), b, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestBins(t *testing.T) {
	got, err := chart.Bins([]float64{0, 0.2, 0.5, 1, 1.5, -0.2}, []bool{true, false, true, true, false, false}, 2)
	if err != nil {
		t.Fatal(err)
	}
	// The intervals were computed apart from this code, from the same formula with z = 1.96.
	want := []chart.Bin{{0, 1.0 / 3, 0.0614903, 0.7923450, 3}, {1, 2.0 / 3, 0.2076550, 0.9385097, 3}}
	if d := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-7)); d != "" {
		t.Error(d)
	}
	if got, want := chart.CalibrationError(got), 1.0/3; math.Abs(got-want) > 1e-12 {
		t.Errorf("calibration error %v, want %v", got, want)
	}
	if _, err := chart.Bins([]float64{1}, nil, 2); err == nil {
		t.Error("predictions without events were accepted")
	}
	if _, err := chart.Bins([]float64{math.NaN()}, []bool{true}, 2); err == nil {
		t.Error("NaN was accepted")
	}
}

func TestRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*chart.Categories)
		want   string
	}{
		"no-categories": {func(c *chart.Categories) { c.Labels = nil }, "0 categories"},
		"lengths":       {func(c *chart.Categories) { c.Series[0].Values = c.Series[0].Values[1:] }, "4 values for 5 categories"},
		"infinite":      {func(c *chart.Categories) { c.Series[0].Values[0] = math.Inf(1) }, "infinite"},
		"many":          {func(c *chart.Categories) { c.Series = make([]chart.Series, 9) }, "9 series"},
	} {
		t.Run(name, func(t *testing.T) {
			c := layers()
			tt.change(&c)
			for _, draw := range []func(chart.Categories) ([]byte, error){chart.Bars, chart.Stacked, chart.Lines} {
				if _, err := draw(c); err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("error %v, want %q in it", err, tt.want)
				}
			}
		})
	}
	if _, err := chart.Reliability("t", "e"); err == nil {
		t.Error("a diagram without series was drawn")
	}
	if _, err := chart.Reliability("t", "e", chart.Calibration{Bins: make([]chart.Bin, 3)}); err == nil {
		t.Error("a diagram without samples was drawn")
	}
}
