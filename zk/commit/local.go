package commit

import (
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// NewLocalSRS makes a reference string just long enough for a layout. Its secrets come from crypto/rand and are erased
// before it returns, as far as Go lets a program erase memory. Whoever runs it could have kept them: it convinces only
// those who trust that machine, which is why Provenance says "local".
func NewLocalSRS(form Form, layout Layout) (*SRS, error) {
	if err := form.Validate(); err != nil {
		return nil, err
	}
	if err := layout.Validate(); err != nil {
		return nil, err
	}
	var secrets [2]fr.Element
	defer clear(secrets[:])
	for i := range secrets {
		for secrets[i].IsZero() {
			x, err := NewSalt()
			if err != nil {
				return nil, err
			}
			secrets[i] = x
		}
	}
	return newSRS(form, layout, &secrets[0], &secrets[1]), nil
}

// newSRS makes a string of the given secrets.
func newSRS(form Form, layout Layout, s, t *fr.Element) *SRS {
	srs := &SRS{key: SRSKey{Form: form, G2: g2Generator, S2: mulG2(s)}, provenance: provenanceLocal, rows: 1, first: layout.Powers()}
	if form == Compact {
		srs.key.T2 = mulG2(t)
		srs.rows, srs.others = layout.Rows(), layout.Columns()
	}
	scalars := make([]fr.Element, srs.first+(srs.rows-1)*srs.others)
	defer clear(scalars)
	scalars[0].SetOne()
	for j := 1; j < srs.first; j++ {
		scalars[j].Mul(&scalars[j-1], s)
	}
	above := scalars
	for i := range srs.rows - 1 {
		row := scalars[srs.first+i*srs.others:][:srs.others]
		for j := range row {
			row[j].Mul(&above[j], t)
		}
		above = row
	}
	srs.points = mulAll(g1Generator, scalars)
	return srs
}

// mulG2 returns the generator of G2 times x, which is secret.
func mulG2(x *fr.Element) bn254.G2Affine {
	b := x.BigInt(new(big.Int))
	defer clear(b.Bits())
	var p bn254.G2Affine
	return *p.ScalarMultiplicationBase(b)
}
