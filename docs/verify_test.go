package docs_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/signet-ml/signet/zk"
)

// Limits on what a stranger's files may hold, in bytes.
const (
	maxVerifyingKey = 1 << 20
	maxStatement    = 1 << 24
)

// verify returns the statement of a folder if its proof proves it, under the verifying key and about the model that the
// caller knows from elsewhere.
func verify(dir string, key, model zk.Word) (*zk.Statement, error) {
	open := func(name string) (io.ReadCloser, error) { return os.Open(filepath.Join(dir, name)) }

	f, err := open("vk.bin")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	vk, err := zk.ReadVerifyingKey(f, maxVerifyingKey)
	if err != nil {
		return nil, err
	}
	if vk.Digest() != key {
		return nil, fmt.Errorf("this is verifying key %v (%s)", vk.Digest(), vk.Provenance())
	}

	g, err := open("statement.json")
	if err != nil {
		return nil, err
	}
	defer g.Close()
	st, err := zk.ReadStatement(g, maxStatement)
	if err != nil {
		return nil, err
	}
	if have, err := vk.ModelDigest(st.Model); err != nil || have != model {
		return nil, fmt.Errorf("this is about model %v (%v)", have, err)
	}

	h, err := open("proof.bin")
	if err != nil {
		return nil, err
	}
	defer h.Close()
	proof, err := zk.ReadProof(h)
	if err != nil {
		return nil, err
	}
	return st, zk.Verify(vk, st, proof)
}
