package provable

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/signet-ml/signet/zk"
	"github.com/signet-ml/signet/zk/nn"
)

// RegistrationCircuit returns the circuit that proves the ranges of committed weights, to make keys for: by zk.Setup,
// with the reference string of the circuit's own keys. It costs two constraints per weight and is the same for all
// circuits that place their weights alike.
func (c *Circuit) RegistrationCircuit() (zk.Circuit, error) {
	if c.options.Weights != zk.Committed {
		return nil, errors.New("provable: registration: the weights are public, constants of the circuit")
	}
	r, err := nn.NewRegistration(c.circuit.Spec().Layout)
	if err != nil {
		return nil, err // not a nil *nn.Registration in an interface
	}
	return r, nil
}

// Register proves to everyone that the committed weights are in their ranges: see zk.Register. regKeys are the keys of
// RegistrationCircuit, vk is the verifying key of the circuit itself. From then on Prove's statements say that the
// weights are range-proved, and zk.Verify wants to see the registration. An opening of CommitTo keeps it.
//
// Every call takes one proof from the budget, even one that fails. (The first would not have to, but then its attempt
// would have to be remembered as durably as the budget is.)
func (o *Opening) Register(ctx context.Context, regKeys *zk.Keys, vk *zk.VerifyingKey, registrant zk.Word) (*zk.Registration, error) {
	if _, err := o.budget.Reserve(); err != nil {
		return nil, fmt.Errorf("provable: register: %w", err)
	}
	reg, err := zk.Register(ctx, regKeys, vk, o.commitment, o.opening, registrant)
	if err != nil {
		return nil, err
	}
	if o.dir != "" {
		if err := keepRegistration(o.dir, reg); err != nil {
			return nil, fmt.Errorf("provable: register: %w", err)
		}
	}
	o.registration.Store(reg)
	return reg, nil
}

// Registration returns what Register made last, nil if there is none. A verifier may want one under another name.
func (o *Opening) Registration() *zk.Registration { return o.registration.Load() }

// keepRegistration writes reg into an opening's folder, in place of an earlier one.
func keepRegistration(dir string, reg *zk.Registration) error {
	b, err := reg.MarshalBinary()
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "tmp-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(dir, registrationFile))
}

// loadRegistration returns what keepRegistration wrote, nil if it wrote nothing.
func loadRegistration(dir string) (*zk.Registration, error) {
	b, err := os.ReadFile(filepath.Join(dir, registrationFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return zk.ReadRegistration(bytes.NewReader(b))
}
