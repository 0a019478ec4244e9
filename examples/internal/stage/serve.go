package stage

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/signet-ml/signet/examples/internal/files"
	"github.com/signet-ml/signet/examples/internal/ui"
	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/engine"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/ml/report"
)

// Served is what Run reports.
type Served struct {
	PID       int       `json:"pid"`
	Engine    string    `json:"engine"`
	Device    string    `json:"device"`
	Threads   int       `json:"threads"`
	LoadMS    float64   `json:"load_ms"`   // Engine.Load
	MS        []float64 `json:"server_ms"` // Job.Run, for each bundle
	Names     []string  `json:"names"`
	Inputs    []string  `json:"inputs"` // digests
	Outputs   []string  `json:"outputs"`
	Bytes     int64     `json:"output_bytes"` // of one bundle
	PeakBytes int64     `json:"peak_bytes"`   // of the process
	Layers    []Layer   `json:"layers"`       // in the order of the program
	TraceRoot []string  `json:"trace_roots,omitempty"`
}

// Layer is how long the operations of one scope of the program took.
type Layer struct {
	Name string    `json:"name"`
	MS   []float64 `json:"ms"` // for each bundle
}

// ServeOptions are the options of Run. The zero value uses the fastest engine and every processor.
type ServeOptions struct {
	Engine  string
	Threads int
	Trace   string // file for the digest of every operation's result; "" traces nothing
	Bars    ui.Bars
}

// Run is the server: it reads public/, in/ and, for encrypted weights, weights/; runs the program on every bundle, one
// after the other, and writes out/. It touches neither secret/ nor data/ nor model/.
func Run(ctx context.Context, d Dirs, o ServeOptions) (*Served, error) {
	prog, err := d.program()
	if err != nil {
		return nil, err
	}
	names, err := bundles(d.In, "encrypt")
	if err != nil {
		return nil, err
	}
	consts, err := d.constants(prog)
	if err != nil {
		return nil, err
	}
	keys, err := d.keys(prog)
	if err != nil {
		return nil, err
	}
	var weights *fhe.Bundle
	if len(prog.Inputs()) > 1 {
		weights, err = d.weights(prog, keys)
		if err != nil {
			return nil, err
		}
	}
	if err := removeBundles(d.Out); err != nil {
		return nil, err
	}
	kind := engine.Kind(o.Engine)
	if kind == "" {
		kind = engine.Auto
	}
	eng, err := engine.Open(ctx, kind, engine.Threads(o.Threads))
	if err != nil {
		return nil, err
	}
	start := time.Now()
	job, err := eng.Load(ctx, prog, consts, keys)
	if err != nil {
		return nil, err
	}
	defer job.Close()
	info := eng.Info()
	res := &Served{PID: os.Getpid(), Engine: info.Name, Device: info.Device, Threads: info.Threads, LoadMS: ms(time.Since(start)), Names: names}
	ops := len(prog.Ops())
	set, done := o.Bars.Start("server", ops*len(names))
	defer done()
	var traces []*program.TraceRecorder
	for i, name := range names {
		in, err := readBundle(filepath.Join(d.In, name+Suffix), "encrypt", prog)
		if err != nil {
			return nil, err
		}
		if in.Key() != keys.Key() {
			return nil, fmt.Errorf("in/%s%s is encrypted under another key than public/keys was made for (%s, not %s): run stage encrypt again", name, Suffix, in.Key(), keys.Key())
		}
		digest := in.Digest()
		if weights != nil {
			if err := in.Merge(weights); err != nil {
				return nil, fmt.Errorf("in/%s%s: %w", name, Suffix, err)
			}
		}
		layers := layerClock{index: map[string]int{}}
		opts := []program.RunOption{program.WithProgress(func(p program.Progress) { set(i*ops + p.Done); layers.event(p) })}
		if o.Trace != "" {
			traces = append(traces, &program.TraceRecorder{})
			opts = append(opts, program.WithTrace(traces[i]))
		}
		start := time.Now()
		out, err := job.Run(ctx, in, opts...)
		if err != nil {
			return nil, fmt.Errorf("in/%s%s: %w", name, Suffix, err)
		}
		res.MS = append(res.MS, ms(time.Since(start)))
		path := filepath.Join(d.Out, name+Suffix)
		if err := writeTo(path, out); err != nil {
			return nil, err
		}
		if st, err := os.Stat(path); err == nil {
			res.Bytes = st.Size()
		}
		res.addLayers(layers.layers)
		res.Inputs = append(res.Inputs, digest.String())
		res.Outputs = append(res.Outputs, out.Digest().String())
	}
	if o.Trace != "" {
		for _, t := range traces {
			res.TraceRoot = append(res.TraceRoot, t.Root().String())
		}
		err := files.Write(o.Trace, 0o644, func(w io.Writer) error { return writeTrace(w, prog, names, traces) })
		if err != nil {
			return nil, fmt.Errorf("trace: %w", err)
		}
	}
	res.PeakBytes = report.PeakBytes()
	return res, nil
}

// layerClock adds up the time between events by scope.
type layerClock struct {
	layers []Layer
	index  map[string]int
	last   time.Duration
}

func (c *layerClock) event(p program.Progress) {
	i, ok := c.index[p.Scope]
	if !ok {
		i = len(c.layers)
		c.index[p.Scope] = i
		c.layers = append(c.layers, Layer{p.Scope, []float64{0}})
	}
	c.layers[i].MS[0] += ms(p.Elapsed - c.last)
	c.last = p.Elapsed
}

// addLayers adds the layers of one run; they are the same in every run.
func (s *Served) addLayers(run []Layer) {
	if s.Layers == nil {
		s.Layers = run
		return
	}
	for i, l := range run {
		s.Layers[i].MS = append(s.Layers[i].MS, l.MS...)
	}
}

// writeTrace writes a line for every operation of every run, and one with the root after each run.
func writeTrace(w io.Writer, p *program.Program, names []string, traces []*program.TraceRecorder) error {
	enc := json.NewEncoder(w)
	for i, t := range traces {
		for _, r := range t.Records() {
			err := enc.Encode(struct {
				Bundle string `json:"bundle"`
				I      int    `json:"i"`
				Op     string `json:"op"`
				Scope  string `json:"scope"`
				Output string `json:"output"`
				Leaf   string `json:"leaf"`
			}{names[i], r.Op, p.Ops()[r.Op].Code.String(), p.Scope(program.Value(r.Op)), r.Output.String(), r.Leaf.String()})
			if err != nil {
				return err
			}
		}
		err := enc.Encode(struct {
			Bundle  string `json:"bundle"`
			Program string `json:"program"`
			Root    string `json:"root"`
		}{names[i], p.Digest().String(), t.Root().String()})
		if err != nil {
			return err
		}
	}
	return nil
}
