package proveninference

// %% [markdown]
// # Prove a prediction without showing the model
//
// Somebody sells predictions of a model that nobody else may see. Whoever buys one wants to know that it comes from the
// model that was advertised, not from a cheaper one. Three parties:
//
//   - the **model owner** publishes a *commitment* to the weights, once, then predicts, and proves each prediction;
//   - a **buyer** sends an image and gets its class, with a proof;
//   - a **stranger** checks the proof: no model, no secret, a few milliseconds.
//
// A proof says: *a network whose weights open this commitment, run on this image in exact integer arithmetic, gives this
// class.* It does not show the weights. Why it cannot be forged is argued in docs/explanation/proven-inference.md; what it
// does not say is in the last section here.

// %%
import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/signet-ml/signet/examples/internal/chart"
	"github.com/signet-ml/signet/examples/internal/files"
	"github.com/signet-ml/signet/examples/internal/notebook"
	"github.com/signet-ml/signet/examples/internal/proving"
	"github.com/signet-ml/signet/examples/internal/samples"
	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/data"
	"github.com/signet-ml/signet/ml/fixedpoint"
	"github.com/signet-ml/signet/ml/provable"
	"github.com/signet-ml/signet/ml/report"
	"github.com/signet-ml/signet/ml/train"
	"github.com/signet-ml/signet/zk"
	"github.com/signet-ml/signet/zk/commit"
	"github.com/signet-ml/signet/zk/solidity"
)

// %% [markdown]
// ## The model owner trains
//
// The network 784-128-10 with a ReLU. Under encryption a ReLU is dear; in a proof it is a comparison of integers.

// %%

// trained is a model with the data around it.
type trained struct {
	model       *ml.Model
	calibration ml.Tensor
	test        data.Dataset
	source      string // of the data, in words
	size        int    // samples that it was trained on
	elapsed     time.Duration
}

// load returns the data, without a model.
func load(o notebook.Options) (*trained, data.Dataset, error) {
	set, test, source, err := samples.MNIST(o.Data)
	if err != nil {
		return nil, set, err
	}
	_, test = test.Split(o.Seed, 0) // a random sample, in the proportions of the digits
	test, err = samples.Head(test, o.Samples, 1000)
	return &trained{calibration: set.Head(1000).X, test: test, source: source, size: set.Len()}, set, err
}

// fit trains the network, for fewer epochs than usual if epochs says so.
func fit(ctx context.Context, o notebook.Options, epochs int) (*trained, error) {
	t, set, err := load(o)
	if err != nil {
		return nil, err
	}
	spec, opts := train.MNISTReluMLP(o.Seed)
	opts.Epochs = cmp.Or(epochs, opts.Epochs)
	step, done := o.Bars.Start("train", opts.Epochs)
	defer done()
	opts.Progress = func(p train.Progress) { step(p.Epoch) }
	start := time.Now()
	t.model, err = train.Fit(ctx, spec, set, opts)
	t.elapsed = time.Since(start)
	return t, err
}

// Run is the notebook.
func Run(ctx context.Context, r *notebook.Recorder, o notebook.Options) (s *report.Summary, err error) {
	// %%
	r.Println("proven-inference: a prediction of a model that nobody sees, and a proof that it is that model's.")
	r.Println()
	t, err := fit(ctx, o, 0)
	if err != nil {
		return nil, err
	}
	r.Say("data", "%d images to train, %d to test (%s)", t.size, t.test.Len(), t.source)
	r.Say("train", "%.1f s: %v", t.elapsed.Seconds(), t.model)

	// %% [markdown]
	// ## Integers
	//
	// A proof is about exact integers: the *twin* of the model, with weights of 8 bits and one rule for rounding, one for
	// saturation, ties to the lowest class. So this is where accuracy could be lost, and what to look at first: labels
	// that differ from the float model's, and numbers that were cut off.

	// %%
	c, err := provable.Compile(t.model, provable.Options{Weights: zk.Committed, Input: zk.Public, Calibration: t.calibration})
	if err != nil {
		return nil, err
	}
	twin, err := c.Twin().Compare(t.model, t.test.X, t.test.Y)
	if err != nil {
		return nil, err
	}
	r.Println(twin)

	// %% [markdown]
	// ## What a proof will cost
	//
	// All of it is known before any key exists. Weights are not in the circuit: their linear layers take one constraint for
	// each column and each sum. So constraints grow with the width of the layers, not with the number of weights.

	// %%
	estimate := c.Estimate()
	r.Println(estimate)
	png, err := chart.Stacked(byCause(estimate.Costs))
	if err != nil {
		return nil, err
	}
	if err := r.Image("constraints.png", "constraints of each part of the circuit, by cause", png); err != nil {
		return nil, err
	}

	// %% [markdown]
	// ## Setup
	//
	// Groth16 needs keys for each circuit, made from randomness that has to be forgotten: whoever knows it can prove
	// anything. These keys are *local*: made on this machine, so only those who trust it should believe the proofs. They
	// depend on the architecture alone, so new weights need no new keys, and they are kept for the next run.

	// %%
	start := time.Now()
	keys, err := zk.Setup(ctx, c.Circuit(), zk.CacheDir(o.Keys))
	if err != nil {
		return nil, err
	}
	setup := since(start)
	vk := keys.VerifyingKey()
	vkBytes, err := vk.MarshalBinary()
	if err != nil {
		return nil, err
	}
	r.Say("setup", "%d constraints, %.0f ms, from the cache: %v\nproving key %s, verifying key %s, provenance %q", keys.Constraints(), setup,
		keys.Cached(), report.Bytes(keys.ProvingKeyBytes()), report.Bytes(int64(len(vkBytes))), vk.Provenance())

	// %% [markdown]
	// ## The model owner commits
	//
	// The commitment is a point of an elliptic curve for each row of the weights. It hides them, and it binds to them:
	// nobody can open it with other weights. It goes to a registry, under the digest. What opens it stays in a folder of
	// the owner's, with a journal: every proof uses up some of the randomness that hides the weights, so they are counted.

	// %%
	home, err := os.MkdirTemp("", "signet-examples-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(home)) }()
	start = time.Now()
	commitment, opening, err := c.CommitTo(ctx, keys, filepath.Join(home, "opening"))
	if err != nil {
		return nil, err
	}
	defer opening.Close()
	committing := since(start)
	model, err := vk.ModelDigest(commitment)
	if err != nil {
		return nil, err
	}
	r.Say("commit", "%d points in %.0f ms, good for %d proofs\nmodel %v", len(commitment.Points), committing, vk.Spec().Layout.Budget(vk.Form()), model)

	// %% [markdown]
	// ## Prove
	//
	// The owner predicts and proves the first five images. The zero `zk.Context` binds a proof to no network and no task:
	// it can be shown anywhere, again and again.

	// %%
	var proveMS []float64
	var proofs []*zk.Proof
	var preds []*provable.Prediction
	for i := range min(5, t.test.Len()) {
		start := time.Now()
		proof, pred, err := c.Prove(ctx, keys, opening, sample(t.test, i), zk.Context{})
		if err != nil {
			return nil, err
		}
		proveMS, proofs, preds = append(proveMS, since(start)), append(proofs, proof), append(preds, pred)
		r.Say("proof", "image %d: a %d, in %.0f ms; %d proofs left", i, pred.Labels[0], proveMS[i], pred.ProofsLeft())
	}

	// %% [markdown]
	// ## A stranger verifies
	//
	// These files leave the owner. The statement is JSON; the three gnark files are the circuit's part in gnark's own
	// encodings, for programs without this library.

	// %%
	x := sample(t.test, 0)
	statement := c.Statement(commitment, x, preds[0]) // as the buyer writes it, who knows the image
	e := proving.Evidence{VerifyingKey: vk, Statement: statement, Proof: proofs[0]}
	sizes, err := e.Write(r.Dir())
	if err != nil {
		return nil, err
	}
	if _, err := e.Write(filepath.Join(home, "stranger", "out")); err != nil {
		return nil, err
	}
	var rows [][]string
	for _, name := range proving.Names {
		rows = append(rows, []string{name, fmt.Sprint(sizes[name]), meaning[name]})
	}
	r.Table([]string{"file", "bytes", "what it is"}, rows...)

	// %% [markdown]
	// Here is another process, in a folder with those files and nothing else. It is told which verifying key to trust: a key
	// that comes with a proof proves nothing.

	// %%
	stranger, err := proving.VerifyProcess(ctx, o.Step, filepath.Join(home, "stranger"), proving.Pins{VerifyingKey: ref(vk.Digest()), Model: &model})
	if err != nil {
		return nil, err
	}
	r.Say("verify", "process %d, %.1f ms\n%s", stranger.PID, stranger.MS, abridge(strings.TrimSpace(stranger.Claim)))

	// %% [markdown]
	// The same in code, from bytes. A reader of each file fails for anything that is not exactly one such file.

	// %%
	verify := func(vk, statement, proof []byte) error {
		k, err := zk.ReadVerifyingKey(bytes.NewReader(vk), 1<<20)
		if err != nil {
			return err
		}
		st, err := zk.ReadStatement(bytes.NewReader(statement), 1<<20)
		if err != nil {
			return err
		}
		pf, err := zk.ReadProof(bytes.NewReader(proof))
		if err != nil {
			return err
		}
		return zk.Verify(k, st, pf)
	}
	honest, err := e.Bytes()
	if err != nil {
		return nil, err
	}
	var verifyMS []float64
	for range 20 {
		start := time.Now()
		if err := verify(honest["vk.bin"], honest["statement.json"], honest["proof.bin"]); err != nil {
			return nil, err
		}
		verifyMS = append(verifyMS, since(start))
	}
	r.Say("verify", "%.1f ms with reading, median of %d", report.Median("", "", verifyMS, "").Value, len(verifyMS))

	// %% [markdown]
	// ## What a statement shows
	//
	// The image above is public: its 784 integers stand in the statement, and a verifier who knows the image puts them there.
	// The circuit and the keys are the same for an input that stays hidden behind a digest, with a salt (`Committed`) or
	// without (`Hashed`: whoever can guess the image can check the guess).

	// %%
	rows = nil
	var hidden *proving.Evidence
	for _, v := range []zk.Visibility{zk.Public, zk.Hashed, zk.Committed} {
		cv, err := provable.CompileTwin(c.Twin(), provable.Options{Input: v})
		if err != nil {
			return nil, err
		}
		if hidden, err = evidence(ctx, cv, keys, x); err != nil {
			return nil, err
		}
		b, err := hidden.Bytes()
		if err != nil {
			return nil, err
		}
		if err := verify(b["vk.bin"], b["statement.json"], b["proof.bin"]); err != nil {
			return nil, err
		}
		rows = append(rows, []string{v.String(), fmt.Sprint(len(b["statement.json"])), fmt.Sprint(len(b["proof.bin"])), "verified"})
	}
	r.Table([]string{"input", "statement (bytes)", "proof (bytes)", ""}, rows...)
	r.Println(abridge(strings.TrimSpace(hidden.Statement.String())))

	// %% [markdown]
	// ## Forgeries
	//
	// What the stranger must not believe. Some need more than an editor: a model that was trained for one epoch only, which
	// fits the same keys and has an honest commitment of its own, and a second set of keys for the same circuit.

	// %%
	cheaper, err := cheap(ctx, o, c)
	if err != nil {
		return nil, err
	}
	cheapOne, err := evidence(ctx, cheaper, keys, x)
	if err != nil {
		return nil, err
	}
	others, err := zk.Setup(ctx, c.Circuit()) // not from the cache: other randomness
	if err != nil {
		return nil, err
	}
	foreign, err := evidence(ctx, c, others, x)
	if err != nil {
		return nil, err
	}
	cheapFiles, err := cheapOne.Bytes()
	if err != nil {
		return nil, err
	}
	foreignFiles, err := foreign.Bytes()
	if err != nil {
		return nil, err
	}
	hiddenFiles, err := hidden.Bytes()
	if err != nil {
		return nil, err
	}

	// %% [markdown]
	// Every attempt is a statement and a proof, in bytes, for the stranger's key. The first 36 bytes of a proof are its
	// header, the next 196 the Groth16 proof, the last 128 the opening of the commitment.

	// %%
	edit := func(from *zk.Statement, change func(*zk.Statement)) []byte {
		st := *from
		change(&st)
		b, jsonErr := json.Marshal(&st)
		err = errors.Join(err, jsonErr)
		return b
	}
	flip := func(at int) []byte {
		b := bytes.Clone(honest["proof.bin"])
		b[at] ^= 1
		return b
	}
	st, pf := honest["statement.json"], honest["proof.bin"]
	attempts := []struct {
		name             string
		statement, proof []byte
	}{
		{"another class", edit(statement, func(s *zk.Statement) { s.Output.Values = []int64{(s.Output.Values[0] + 1) % 10} }), pf},
		{"a class that there is not", edit(statement, func(s *zk.Statement) { s.Output.Values = []int64{10} }), pf},
		{"another image: one pixel differs by 1", edit(statement, func(s *zk.Statement) { s.Input.Values = retouched(s.Input.Values) }), pf},
		{"another digest of a hidden image", edit(hidden.Statement, func(s *zk.Statement) { s.Input.Digest[31] ^= 1 }), hiddenFiles["proof.bin"]},
		{"the commitment of another model", edit(statement, func(s *zk.Statement) { s.Model = cheapOne.Statement.Model }), pf},
		{"another model's prediction, as this one's", edit(cheapOne.Statement, func(s *zk.Statement) { s.Model = commitment }), cheapFiles["proof.bin"]},
		{"another task", edit(statement, func(s *zk.Statement) { s.Context.Task = zk.Word{1} }), pf},
		{"another worker", edit(statement, func(s *zk.Statement) { s.Context.Worker = zk.Word{1} }), pf},
		{"weights whose range is proved, nowhere", edit(statement, func(s *zk.Statement) { s.RangeProved = true }), pf},
		{"a Groth16 proof with one bit flipped", st, flip(100)},
		{"an evaluation with one bit flipped", st, flip(36 + 196 + 32 + 31)},
		{"the opening of another proof", st, slices.Concat(pf[:36+196], hiddenFiles["proof.bin"][36+196:])},
		{"a proof that lacks a byte", st, pf[:len(pf)-1]},
		{"a proof with a byte more", st, append(bytes.Clone(pf), 0)},
		{"no proof", st, nil},
		{"a proof under other keys", st, foreignFiles["proof.bin"]},
		{"the same, under this key's name", st, slices.Concat(pf[:36], foreignFiles["proof.bin"][36:])},
		{"a statement with a field more", append([]byte(`{"price":1,`), st[1:]...), pf},
	}
	if err == nil { // what nobody changed is believed, so that a refusal below means something
		err = verify(honest["vk.bin"], edit(statement, func(*zk.Statement) {}), pf)
	}
	if err != nil {
		return nil, err
	}
	rows = nil
	var believed []string
	for _, a := range attempts {
		err := verify(honest["vk.bin"], a.statement, a.proof)
		if err == nil {
			believed = append(believed, a.name)
		}
		rows = append(rows, []string{a.name, abridge(fmt.Sprint(err))})
	}
	r.Table([]string{"attempt", "answer"}, rows...)

	// %% [markdown]
	// A pairing that does not match is the common answer, and the right one: class, image, model, task and key are hashed
	// into the two public inputs of the circuit and into its challenges, so a proof for other values is no proof here.

	// %% [markdown]
	// The owner cannot overdraw either. The journal is on disk before a proof leaves, and a copy of it is no second budget.
	// Past the budget proofs would stay sound, but each would give away a little of the weights.

	// %%
	if err := opening.Close(); err != nil {
		return nil, err
	}
	journal := filepath.Join(home, "opening", "budget")
	saved, err := os.ReadFile(journal)
	if err != nil {
		return nil, err
	}
	if err := forfeit(journal, commitment); err != nil {
		return nil, err
	}
	spent := overdraw(ctx, c, keys, filepath.Join(home, "opening"), x)
	if err := restore(journal, saved); err != nil {
		return nil, err
	}
	restored := overdraw(ctx, c, keys, filepath.Join(home, "opening"), x)
	r.Table([]string{"attempt", "answer"},
		[]string{"one proof more than the budget has", fmt.Sprint(spent)},
		[]string{"the journal of before, from a backup", fmt.Sprint(restored)})

	// %% [markdown]
	// ## On a chain
	//
	// A contract verifies too. It takes the commitment's *compact* form, one point for all weights, which needs a reference
	// string with a second secret, and hashes with Keccak. So these are other keys, for the same circuit.

	// %%
	chain, err := zk.Setup(ctx, c.Circuit(), zk.CacheDir(o.Keys), zk.CompactModel(), zk.For(zk.Solidity))
	if err != nil {
		return nil, err
	}
	paid, err := evidence(ctx, c, chain, x)
	if err != nil {
		return nil, err
	}
	contracts, err := solidity.Export(chain.VerifyingKey())
	if err != nil {
		return nil, err
	}
	calldata, err := solidity.Calldata(chain.VerifyingKey(), paid.Statement, paid.Proof)
	if err != nil {
		return nil, err
	}
	artifacts := map[string]string{"predictions.csv": "text/csv", "statement.json": "application/json"}
	rows = nil
	for _, f := range append(contracts.Files, solidity.File{Name: "calldata.hex", Source: hex.EncodeToString(calldata) + "\n"}) {
		name := "contracts/" + f.Name
		if err := files.Write(filepath.Join(r.Dir(), "contracts", f.Name), 0o644, func(w io.Writer) error { _, err := io.WriteString(w, f.Source); return err }); err != nil {
			return nil, err
		}
		artifacts[name] = "text/plain"
		rows = append(rows, []string{name, fmt.Sprint(len(f.Source)), meaning[f.Name]})
	}
	r.Table([]string{"file", "bytes", "what it is"}, rows...)
	_, rowsErr := solidity.Export(vk)
	r.Say("rows", "the keys above would give no contract: %v", rowsErr)

	// %% [markdown]
	// ## Who sees what
	//
	// When the input is public:

	// %%
	r.Table([]string{"", "model owner", "buyer", "stranger"},
		[]string{"weights", "yes", "no", "no"},
		[]string{"architecture, ranges, shifts", "yes", "yes", "yes"},
		[]string{"commitment: which model it was", "yes", "yes", "yes"},
		[]string{"image", "yes", "yes", "yes (hashed, committed: no)"},
		[]string{"class", "yes", "yes", "yes"},
		[]string{"scores", "yes", "no", "no"},
		[]string{"can prove", "yes", "no", "no"})

	// %% [markdown]
	// ## What is not proved
	//
	//   - **That the model is good**, fair, or trained on what somebody says. The proof is about the weights behind the
	//     commitment, whatever they are.
	//   - **The float model.** It is about the twin; the report above says how far apart they are.
	//   - **That weights are small integers**, unless their range was proved at registration. The statement says which.
	//     Until then the sums hold modulo the field's order, which leaves a model owner more freedom than 8 bits.
	//   - **Anything, to somebody who does not trust the keys.** These are *local*. A ceremony of many parties needs one that
	//     forgets.
	//   - **Secrecy from the prover.** The owner sees every image.
	//   - **That answers give nothing away.** Whoever may ask often can train a copy.
	//   - **That a proof is new.** The zero context can be shown twice; a task in the context makes it worth something once.

	// %% [markdown]
	// ## Figures and checks

	// %%
	predictions, err := t.predictions(r.Dir(), c.Twin())
	if err != nil {
		return nil, err
	}
	s = report.New("proven-inference")
	s.Threads = s.Machine.Cores
	s.Add(
		report.Number("accuracy", "ratio", twin.Accuracy, twin.Samples, "the twin's, which is what is proved"),
		report.Number("accuracy_clear", "ratio", twin.FloatAccuracy, twin.Samples, "the float model's on the same images"),
		report.Number("agreement", "ratio", 1-float64(len(twin.Flips))/float64(twin.Samples), twin.Samples, "share of images with the same label from both"),
		report.Number("constraints", "count", float64(keys.Constraints()), 1, "of the circuit"),
		report.Number("setup_ms", "ms", setup, 1, map[bool]string{true: "keys read from the cache", false: "keys made here, reference string included"}[keys.Cached()]),
		report.Number("commit_ms", "ms", committing, 1, "once for each model"),
		report.Median("prove_ms", "ms", proveMS, "one image: twin, proof, opening, and verifying one's own proof"),
		report.Median("verify_ms", "ms", verifyMS, "from bytes: reading the three files and verifying"),
		report.Number("proof_bytes", "B", float64(sizes["proof.bin"]), 1, "Groth16 proof, opening, header"),
		report.Number("vk_bytes", "B", float64(sizes["vk.bin"]), 1, "verifying key"),
		report.Number("statement_bytes", "B", float64(sizes["statement.json"]), 1, "with the image in it"),
		report.Number("pk_bytes", "B", float64(keys.ProvingKeyBytes()), 1, "proving key in memory"),
		report.Number("calldata_bytes", "B", float64(len(calldata)), 1, "a call of the contract"),
		report.Number("commitment_points", "count", float64(len(commitment.Points)), 1, "one for each row of weights"),
		report.Number("peak_bytes", "B", float64(report.PeakBytes()), 1, "largest resident size of this process, training included"),
	)
	s.Check("a stranger's process verified the proof with three files", stranger.PID != os.Getpid())
	s.Check("the stranger saw the same key and model", stranger.VerifyingKey == vk.Digest() && stranger.Model == model)
	s.Check("every forgery was refused", len(believed) == 0)
	s.Check("a spent budget gives no proof", errors.Is(spent, commit.ErrBudgetSpent))
	s.Check("a restored journal gives no proof", errors.Is(restored, commit.ErrBudgetRestored))
	s.Check("the proved classes are the twin's", slices.EqualFunc(preds, predictions[:len(preds)], func(p *provable.Prediction, class int) bool { return p.Labels[0] == class }))
	s.Check("the twin loses at most 1 % of accuracy, or one image", twin.Accuracy >= twin.FloatAccuracy-max(0.01, 1/float64(twin.Samples)))
	s.Check("the proof takes at most 400 bytes", sizes["proof.bin"] <= 400)
	s.Check("the estimate has the circuit's number of constraints", estimate.Constraints == keys.Constraints())
	for _, name := range proving.Names {
		if _, ok := artifacts[name]; !ok {
			artifacts[name] = "application/octet-stream"
		}
	}
	return s, r.Finish(s, artifacts)
}

// %% [markdown]
// ## Helpers

// %%

// Prepare trains the network for stage, and turns it into integers.
func Prepare(ctx context.Context, o notebook.Options) (*proving.Prepared, error) {
	t, err := fit(ctx, o, 0)
	if err != nil {
		return nil, err
	}
	c, err := provable.Compile(t.model, provable.Options{Calibration: t.calibration})
	if err != nil {
		return nil, err
	}
	return &proving.Prepared{Twin: c.Twin(), X: t.test.X.Row(0)}, nil
}

// sample returns one sample of a set.
func sample(ds data.Dataset, i int) ml.Tensor { return ds.X.Slice(i, i+1) }

func since(start time.Time) float64 { return float64(time.Since(start).Nanoseconds()) / 1e6 }

func ref[T any](v T) *T { return &v }

// meaning says what the files are.
var meaning = map[string]string{
	"vk.bin":         "verifying key: to be trusted, so from elsewhere",
	"statement.json": "what is claimed",
	"proof.bin":      "the proof, with the opening of the commitment",
	"vk.gnark":       "for plain gnark: key of the circuit",
	"public.gnark":   "for plain gnark: public inputs of the circuit",
	"proof.gnark":    "for plain gnark: proof of the circuit, no opening",
	"Inference.sol":  "the contract to deploy: what a proof is bound to",
	"Verifier.sol":   "gnark's contract for the key",
	"Poseidon2.sol":  "the hash of the circuit",
	"calldata.hex":   "a call that the contract answers with true",
}

var digest = regexp.MustCompile(`[0-9a-f]{64}`)

// abridge shortens the digests in a text.
func abridge(text string) string {
	return digest.ReplaceAllStringFunc(text, func(d string) string { return d[:8] + "…" })
}

func retouched(image []int64) []int64 {
	out := slices.Clone(image)
	out[len(out)/2] ^= 1
	return out
}

// byCause arranges costs for a chart: a bar for each part of the circuit, a piece of it for each cause.
func byCause(costs []zk.Cost) chart.Categories {
	out := chart.Categories{Names: "part of the circuit", Values: "constraints", Format: "%.0f"}
	at := func(list *[]string, name string) int {
		i := slices.Index(*list, name)
		if i < 0 {
			i = len(*list)
			*list = append(*list, name)
		}
		return i
	}
	var causes []string
	total := 0
	for _, c := range costs {
		if c.Constraints > 0 {
			at(&out.Labels, c.Part)
			at(&causes, c.Cause)
		}
		total += c.Constraints
	}
	for _, name := range causes {
		out.Series = append(out.Series, chart.Series{Name: name, Values: make([]float64, len(out.Labels))})
	}
	for _, c := range costs {
		if c.Constraints > 0 {
			out.Series[at(&causes, c.Cause)].Values[at(&out.Labels, c.Part)] += float64(c.Constraints)
		}
	}
	out.Title = fmt.Sprintf("%d constraints, by layer and by cause", total)
	return out
}

// cheap compiles a model that was trained for one epoch, of the architecture of the first: its proofs fit the same keys.
func cheap(ctx context.Context, o notebook.Options, like *provable.Circuit) (*provable.Circuit, error) {
	t, err := fit(ctx, o, 1)
	if err != nil {
		return nil, err
	}
	a := like.Architecture()
	return provable.Compile(t.model, provable.Options{Input: zk.Public, Calibration: t.calibration, Quantization: fixedpoint.Options{Architecture: &a}})
}

// evidence commits to the model of c, proves one prediction, and returns what a stranger would get.
func evidence(ctx context.Context, c *provable.Circuit, keys *zk.Keys, x ml.Tensor) (*proving.Evidence, error) {
	commitment, opening, err := c.Commit(keys)
	if err != nil {
		return nil, err
	}
	proof, pred, err := c.Prove(ctx, keys, opening, x, zk.Context{})
	if err != nil {
		return nil, err
	}
	return &proving.Evidence{VerifyingKey: keys.VerifyingKey(), Statement: c.Statement(commitment, x, pred), Proof: proof}, nil
}

// predictions writes predictions.csv and returns the twin's classes.
func (t *trained) predictions(dir string, twin *fixedpoint.Model) ([]int, error) {
	in, err := twin.Encode(t.test.X)
	if err != nil {
		return nil, err
	}
	out, err := twin.Forward(in, t.test.Len())
	if err != nil {
		return nil, err
	}
	labels := twin.Labels(out)
	clear, err := t.model.Predict(t.test.X)
	if err != nil {
		return nil, err
	}
	return labels, files.Write(filepath.Join(dir, "predictions.csv"), 0o644, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, "row,label,clear,twin")
		for i, y := range t.test.Y {
			_, lineErr := fmt.Fprintf(w, "%d,%d,%d,%d\n", i, y, clear[i], labels[i])
			err = errors.Join(err, lineErr)
		}
		return err
	})
}

// forfeit spends all that is left in a journal, as if so many proofs had been made.
func forfeit(journal string, c *commit.Commitment) error {
	b, err := commit.OpenBudget(journal, c.Blinds())
	if err != nil {
		return err
	}
	_, err = b.Forfeit(b.Left())
	return errors.Join(err, b.Close())
}

// overdraw tries to make a proof and returns what came of it.
func overdraw(ctx context.Context, c *provable.Circuit, keys *zk.Keys, dir string, x ml.Tensor) error {
	opening, err := c.LoadOpening(keys, dir)
	if err != nil {
		return err
	}
	_, _, err = c.Prove(ctx, keys, opening, x, zk.Context{})
	return errors.Join(err, opening.Close())
}

// restore puts a file back as a backup does: a new file with the old content.
func restore(path string, content []byte) error {
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
