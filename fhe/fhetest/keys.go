package fhetest

import (
	"crypto/rand"
	"errors"
	"testing"

	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/he/hefloat"
	"github.com/tuneinsight/lattigo/v5/ring"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/internal/access"
	"github.com/signet-ml/signet/fhe/program"
)

// ToyKeys are a secret key and its switching keys under toy parameters, made by Lattigo's generator. They exist so that
// engines and the oracle can be tested before, and independently of, fhe/client.
type ToyKeys struct {
	*fhe.EvaluationKeys
	params hefloat.Parameters
	secret *rlwe.SecretKey
	ecd    *hefloat.Encoder
}

// InsecureToyKeys generates a secret key and the required switching keys, each at the stated level. It refuses
// parameters that are not toys.
func InsecureToyKeys(tb testing.TB, p fhe.Parameters, reqs []program.KeyRequirement) *ToyKeys {
	tb.Helper()
	k, err := insecureToyKeys(p, reqs)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func insecureToyKeys(p fhe.Parameters, reqs []program.KeyRequirement) (*ToyKeys, error) {
	if !p.Insecure() {
		return nil, errors.New("fhetest: toy keys are for toy parameters")
	}
	var id fhe.KeyID
	rand.Read(id[:])
	params := access.Lattice(p).CKKS
	gen := rlwe.NewKeyGenerator(params)
	k := &ToyKeys{fhe.NewEvaluationKeys(p, id), params, gen.GenSecretKeyNew(), hefloat.NewEncoder(params)}
	for _, r := range reqs {
		levelQ, levelP := r.Level, params.MaxLevelP()
		at := rlwe.EvaluationKeyParameters{LevelQ: &levelQ, LevelP: &levelP}
		var evk rlwe.EvaluationKey
		if r.GaloisElement == 0 {
			evk = gen.GenRelinearizationKeyNew(k.secret, at).EvaluationKey
		} else {
			evk = gen.GenGaloisKeyNew(r.GaloisElement, k.secret, at).EvaluationKey
		}
		rows := params.RingQP().AtLevel(levelQ, levelP)
		limbs := make([][2][][]uint64, len(evk.Value))
		for d := range limbs {
			for b := range limbs[d] {
				part := evk.Value[d][0][b]
				rows.RingQ.IMForm(part.Q, part.Q)
				rows.RingP.IMForm(part.P, part.P)
				limbs[d][b] = append(append([][]uint64(nil), part.Q.Coeffs...), part.P.Coeffs...)
			}
		}
		key, err := fhe.NewEvaluationKey(p, r.GaloisElement, r.Level, limbs)
		if err != nil {
			return nil, err
		}
		if err := k.Add(key); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// Encrypt returns an encryption of slot values.
func (k *ToyKeys) Encrypt(tb testing.TB, values []complex128, level, logSlots int, scale fhe.Scale) *fhe.Ciphertext {
	tb.Helper()
	ct, err := k.encrypt(values, level, logSlots, scale)
	if err != nil {
		tb.Fatal(err)
	}
	return ct
}

func (k *ToyKeys) encrypt(values []complex128, level, logSlots int, scale fhe.Scale) (*fhe.Ciphertext, error) {
	pt := hefloat.NewPlaintext(k.params, level)
	pt.Scale = rlwe.NewScale(scale.Big())
	pt.LogDimensions = ring.Dimensions{Cols: logSlots}
	if err := k.ecd.Encode(values, pt); err != nil {
		return nil, err
	}
	ct := hefloat.NewCiphertext(k.params, 1, level)
	if err := rlwe.NewEncryptor(k.params, k.secret).Encrypt(pt, ct); err != nil {
		return nil, err
	}
	return fhe.CiphertextFromLimbs(k.Parameters(), [][][]uint64{ct.Value[0].Coeffs, ct.Value[1].Coeffs}, logSlots, scale)
}

// Decrypt returns the slot values of a ciphertext of any degree.
func (k *ToyKeys) Decrypt(tb testing.TB, ct *fhe.Ciphertext) []complex128 {
	tb.Helper()
	z, err := k.Open(ct)
	if err != nil {
		tb.Fatal(err)
	}
	return z
}

// Open is Decrypt with an error, as clear.Compare wants it.
func (k *ToyKeys) Open(ct *fhe.Ciphertext) ([]complex128, error) {
	c := rlwe.NewCiphertext(k.params, ct.Degree(), ct.Level())
	c.Scale = rlwe.NewScale(ct.Scale().Big())
	c.LogDimensions = ring.Dimensions{Cols: ct.LogSlots()}
	c.IsBatched = true
	for i := range c.Value {
		for j := range c.Value[i].Coeffs {
			copy(c.Value[i].Coeffs[j], ct.Limb(i, j))
		}
	}
	out := make([]complex128, 1<<ct.LogSlots())
	return out, k.ecd.Decode(rlwe.NewDecryptor(k.params, k.secret).DecryptNew(c), out)
}

// Bundle encrypts values for every input port of a program: one slice of slots for each ciphertext.
func (k *ToyKeys) Bundle(tb testing.TB, p *program.Program, values map[string][][]complex128) *fhe.Bundle {
	tb.Helper()
	b, err := k.bundle(p, values)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func (k *ToyKeys) bundle(p *program.Program, values map[string][][]complex128) (*fhe.Bundle, error) {
	b := fhe.NewBundle(p.Parameters(), k.Key(), p.Digest())
	for _, port := range p.Inputs() {
		var cts []*fhe.Ciphertext
		for _, v := range values[port.Name] {
			ct, err := k.encrypt(v, port.Level, port.LogSlots, port.Scale)
			if err != nil {
				return nil, err
			}
			cts = append(cts, ct)
		}
		if err := b.Add(port.Name, cts...); err != nil {
			return nil, err
		}
	}
	return b, nil
}
