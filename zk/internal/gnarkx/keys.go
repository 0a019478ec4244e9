package gnarkx

import (
	"context"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
)

// Keys are the proving and the verifying key of one setup of one system. They are immutable and safe for concurrent
// use.
type Keys struct {
	system *System
	pk     *groth16.ProvingKey
	vk     *VerifyingKey
}

// Phases of Setup.
const (
	PhaseLoad  = "load"
	PhaseSetup = "setup"
	PhaseStore = "store"
)

// Setup returns keys for the system, and whether they were in the cache.
//
// With a cache it first looks for keys of the same circuit, gnark and gnark-crypto in the folder cacheDir, and stores
// new ones there; an entry that is damaged in any way counts as absent and is replaced. The folder is created for the
// user alone; one in which others may write is refused. Of two processes that store at once the first one's keys are
// returned by both. Without cacheDir nothing is stored.
//
// The setup runs on this machine, from crypto/rand: whoever could read its memory can forge proofs. It takes about
// 0.35 ms of processor time per constraint. progress, unless nil, is called at the start of every phase; the context is
// checked there and nowhere else.
func Setup(ctx context.Context, s *System, cacheDir string, progress func(phase string)) (k *Keys, hit bool, err error) {
	enter := func(phase string) error {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("gnarkx: before %s: %w", phase, err)
		}
		if progress != nil {
			progress(phase)
		}
		return nil
	}
	var c *cache
	if cacheDir != "" {
		if err := enter(PhaseLoad); err != nil {
			return nil, false, err
		}
		if c, err = openCache(cacheDir, s); err != nil {
			return nil, false, err
		}
		if k, err := c.load(); err == nil {
			return k, true, nil
		}
	}
	if err := enter(PhaseSetup); err != nil {
		return nil, false, err
	}
	made, err := setup(s)
	if err != nil || c == nil {
		return made, false, err
	}
	if err := enter(PhaseStore); err != nil {
		return nil, false, err
	}
	k, err = c.store(made)
	if err != nil {
		return nil, false, err
	}
	return k, k != made, nil
}

// Load returns the keys of s that Setup kept in cacheDir. It fails where Setup would make new ones.
func Load(s *System, cacheDir string) (*Keys, error) {
	c, err := openCache(cacheDir, s)
	if err != nil {
		return nil, err
	}
	return c.load()
}

func setup(s *System) (*Keys, error) {
	k := &Keys{system: s, pk: new(groth16.ProvingKey)}
	var vk groth16.VerifyingKey
	if err := groth16.Setup(s.r1cs, k.pk, &vk); err != nil {
		return nil, fmt.Errorf("gnarkx: setup: %w", err)
	}
	var err error
	if k.vk, err = newVerifyingKey(&vk); err != nil {
		return nil, err
	}
	return k, nil
}

// System returns the system that the keys are for.
func (k *Keys) System() *System { return k.system }

// VerifyingKey returns the verifying key.
func (k *Keys) VerifyingKey() *VerifyingKey { return k.vk }

// Provenance says how the keys were made: "local" is a setup by one party, which others should not trust.
func (k *Keys) Provenance() string { return "local" }

// ProvingKeyBytes returns the size of the proving key in memory, which is about its size in the cache, in bytes.
func (k *Keys) ProvingKeyBytes() int64 {
	g1 := len(k.pk.G1.A) + len(k.pk.G1.B) + len(k.pk.G1.Z) + len(k.pk.G1.K)
	for _, c := range k.pk.CommitmentKeys {
		g1 += len(c.Basis) + len(c.BasisExpSigma)
	}
	return int64(g1)*bn254.SizeOfG1AffineUncompressed + int64(len(k.pk.G2.B))*bn254.SizeOfG2AffineUncompressed +
		int64(len(k.pk.InfinityA)+len(k.pk.InfinityB))
}
