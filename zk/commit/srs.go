package commit

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
)

// An SRS is a structured reference string: multiples of the generator of G1 by powers of a secret s that nobody may
// know, [s^j], and in the compact form by products with powers of a second secret, [t^i s^j]. Whoever knows a secret
// can forge every proof under it. It is the prover's; verifiers need its SRSKey. It is immutable and safe for
// concurrent use.
//
// Run Check on a string that somebody else made.
type SRS struct {
	key           SRSKey
	provenance    string
	points        []bn254.G1Affine // row by row
	rows          int              // 1 in the rows form
	first, others int              // points in the first row and in each other one
}

// Form returns the form that the string serves.
func (s *SRS) Form() Form { return s.key.Form }

// Powers returns how many powers of the secret s the string holds.
func (s *SRS) Powers() int { return s.first }

// Provenance returns who made the string, by its own account: "local" for NewLocalSRS, or "ptau:" and the SHA-256 of
// the ceremony's outcome for ReadPtau.
func (s *SRS) Provenance() string { return s.provenance }

// VerifyingKey returns what a verifier needs of the string. It is the same for a longer string of the same secrets.
func (s *SRS) VerifyingKey() SRSKey { return s.key }

// row returns [t^i s^j] for all j.
func (s *SRS) row(i int) []bn254.G1Affine {
	if i == 0 {
		return s.points[:s.first]
	}
	return s.points[s.first+(i-1)*s.others:][:s.others]
}

// Serves returns an error unless the layout is valid and the string has enough points to commit to it.
func (s *SRS) Serves(layout Layout) error {
	if err := layout.Validate(); err != nil {
		return err
	}
	if s.first < layout.Powers() {
		return fmt.Errorf("%w: %d powers, the layout takes %d", ErrSRS, s.first, layout.Powers())
	}
	if m, n := layout.Rows(), layout.Columns(); s.Form() == Compact && m > 1 && (s.rows < m || s.others < n) {
		return fmt.Errorf("%w: %d rows of %d points, the layout takes %d of %d", ErrSRS, s.rows, s.others, m, n)
	}
	return nil
}
