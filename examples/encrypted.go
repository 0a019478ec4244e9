package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/signet-ml/signet/examples/internal/notebook"
	"github.com/signet-ml/signet/examples/internal/stage"
	"github.com/signet-ml/signet/ml/report"
)

// encrypted returns the steps of an encrypted inference: of the model and samples that prepare returns.
func encrypted(prepare func(context.Context, notebook.Options) (*stage.Prepared, error)) steps {
	return steps{
		{"compile", "trains the model, writes public/parameters, public/program, public/constants, and data/ for the owner", func(e *env, c *stageCmd) (any, string, error) {
			p, err := prepare(e.ctx, notebook.Options{Data: c.Data, Seed: c.Seed, Samples: c.Samples, Bars: e.bars})
			if err != nil {
				return nil, "", err
			}
			r, err := stage.Compile(e.ctx, stage.At(c.Dir), p)
			if err != nil {
				return nil, "", err
			}
			return r, fmt.Sprintf("%v\nparameters  %s\nprogram     %s\nsamples     %d, in %d run(s)", r.Plan, r.Parameters, r.Program, r.Samples, r.Runs), nil
		}},
		{"keygen", "writes secret/key (never over another) and public/keys", func(e *env, c *stageCmd) (any, string, error) {
			r, err := stage.Keygen(e.ctx, stage.At(c.Dir), e.bars)
			if err != nil {
				return nil, "", err
			}
			return r, fmt.Sprintf("key         %s (secret/key, for the owner only)\npublic/keys %d evaluation keys, %s, in %.0f ms", r.ID, r.Count, report.Bytes(r.Bytes), r.MS), nil
		}},
		{"encrypt-model", "private-model only: the model's owner encrypts the weights of model/ into weights/", func(e *env, c *stageCmd) (any, string, error) {
			r, err := stage.EncryptModel(e.ctx, stage.At(c.Dir), e.bars)
			if err != nil {
				return nil, "", err
			}
			return r, fmt.Sprintf("weights     %v\nkey         %s\ndigest      %s", r, r.Key, r.Digest), nil
		}},
		{"encrypt", "encrypts the samples of data/ into in/", func(e *env, c *stageCmd) (any, string, error) {
			r, err := stage.Encrypt(e.ctx, stage.At(c.Dir), e.bars)
			if err != nil {
				return nil, "", err
			}
			return r, fmt.Sprintf("encrypted   %d samples in %d bundle(s) of %s\ndigests     %s", r.Samples, r.Bundles, report.Bytes(r.Bytes), strings.Join(r.Digests, "\n            ")), nil
		}},
		{"run", "the server: reads public/, in/ and weights/ only, writes out/", func(e *env, c *stageCmd) (any, string, error) {
			r, err := stage.Run(e.ctx, stage.At(c.Dir), stage.ServeOptions{Engine: c.Engine, Threads: c.Threads, Trace: c.Trace, Bars: e.bars})
			if err != nil {
				return nil, "", err
			}
			return r, served(r), nil
		}},
		{"decrypt", "decrypts out/ and writes predictions.csv", func(e *env, c *stageCmd) (any, string, error) {
			r, err := stage.Decrypt(e.ctx, stage.At(c.Dir), c.Dir+"/predictions.csv", e.bars)
			if err != nil {
				return nil, "", err
			}
			return r, decrypted(r), nil
		}},
	}
}

func served(r *stage.Served) string {
	var s strings.Builder
	fmt.Fprintf(&s, "engine      %s, %s, %d thread(s)\nload        %.1f ms\n", r.Engine, r.Device, r.Threads, r.LoadMS)
	for i, name := range r.Names {
		fmt.Fprintf(&s, "in/%s   %s\nout/%s  %s  %.1f ms\n", name, r.Inputs[i], name, r.Outputs[i], r.MS[i])
		if len(r.TraceRoot) > 0 {
			fmt.Fprintf(&s, "trace/%s %s\n", name, r.TraceRoot[i])
		}
	}
	fmt.Fprintf(&s, "peak memory %s", report.Bytes(r.PeakBytes))
	return s.String()
}

func decrypted(r *stage.Decrypted) string {
	if !r.Compared {
		return fmt.Sprintf("samples     %d\naccuracy    %.4f under encryption (the model is not here to compare with)\nwritten     predictions.csv", r.Samples, r.Accuracy)
	}
	return fmt.Sprintf("samples     %d\naccuracy    %.4f under encryption, %.4f in the clear\nagreement   %.4f\nprecision   %.1f bits against the plan's twin, %.1f against the model\nwritten     predictions.csv",
		r.Samples, r.Accuracy, r.AccuracyClear, r.Agreement, r.BitsTwin, r.BitsFloat)
}
