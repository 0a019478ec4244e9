package main

import (
	"context"
	"fmt"

	"github.com/signet-ml/signet/examples/internal/notebook"
	"github.com/signet-ml/signet/examples/internal/proving"
	"github.com/signet-ml/signet/ml/report"
	"github.com/signet-ml/signet/zk"
)

// proven returns the steps of a proven inference: of the model and the input that prepare returns.
func proven(prepare func(context.Context, notebook.Options) (*proving.Prepared, error)) steps {
	at := func(c *stageCmd) proving.Dirs { return proving.At(c.Dir, c.Cache) }
	return steps{
		{"setup", "trains the model (secret/model) unless public/circuit.json is there, and makes keys from that file alone: public/vk.bin", func(e *env, c *stageCmd) (any, string, error) {
			r, err := proving.Setup(e.ctx, at(c), c.Proofs, func() (*proving.Prepared, error) {
				return prepare(e.ctx, notebook.Options{Data: c.Data, Seed: c.Seed, Bars: e.bars})
			})
			if err != nil {
				return nil, "", err
			}
			return r, setUp(r), nil
		}},
		{"commit", "the model's owner commits to secret/model: public/commitment.bin, and secret/opening/ (never over another)", func(e *env, c *stageCmd) (any, string, error) {
			r, err := proving.Commit(e.ctx, at(c))
			if err != nil {
				return nil, "", err
			}
			return r, fmt.Sprintf("model       %v (digest)\ncommitment  %v", r.Model, r), nil
		}},
		{"prove", "the model's owner predicts in/x.csv and writes proof, key and statement to out/", func(e *env, c *stageCmd) (any, string, error) {
			var v zk.Visibility
			if err := v.UnmarshalText([]byte(c.Input)); err != nil {
				return nil, "", &usageError{err}
			}
			r, err := proving.Prove(e.ctx, at(c), v)
			if err != nil {
				return nil, "", err
			}
			return r, fmt.Sprintf("prediction  %v", r), nil
		}},
		{"verify", "a stranger checks out/proof.bin, out/vk.bin and out/statement.json, and needs nothing else", func(e *env, c *stageCmd) (any, string, error) {
			r, err := proving.Verify(at(c), proving.Pins{VerifyingKey: given(c.VKDigest), Model: given(c.ModelDigest)})
			if err != nil {
				return nil, "", err
			}
			return r, verified(r), nil
		}},
	}
}

// given returns nil for a flag that was left out.
func given(w zk.Word) *zk.Word {
	if w == (zk.Word{}) {
		return nil
	}
	return &w
}

func setUp(r *proving.SetUp) string {
	model := "kept, if it is here: public/circuit.json is"
	if r.Trained {
		model = "trained; secret/model is for its owner only"
	}
	how := "made"
	if r.Cached {
		how = "read from the cache"
	}
	return fmt.Sprintf("model       %s\ncircuit     %v, %d constraints\nkeys        %s in %.0f ms: proving key %s, verifying key %s\nkey digest  %v\nprovenance  %s\nproofs      %d for each commitment",
		model, r.Circuit, r.Constraints, how, r.MS, report.Bytes(r.ProvingBytes), report.Bytes(int64(r.Bytes)), r.VerifyingKey, r.Provenance, r.Proofs)
}

func verified(r *proving.Verified) string {
	trust := "warning     out/vk.bin came with the proof, and a key proves nothing to whoever does not trust it: compare its\n" +
		"            digest with one that you have from elsewhere, or name that one with -vk-digest"
	if r.Pinned {
		trust = "trusted     the verifying key has the digest that you named"
	}
	// The key may be anybody's, and so may its provenance: quoted, it cannot pretend to be another line.
	return fmt.Sprintf("verified    in %.1f ms\nkey digest  %v\nprovenance  %.200q\n%s\nmodel       %v (digest)\n\n%s", r.MS, r.VerifyingKey, r.Provenance, trust, r.Model, r.Claim)
}
