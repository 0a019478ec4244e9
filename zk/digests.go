package zk

// Digests returns the words by which hashes and contracts name a statement's input and output: digests, or for a public
// class its index. It fails with ErrStatement when the statement does not fit the key.
func (vk *VerifyingKey) Digests(st *Statement) (input, output Word, err error) {
	b, err := vk.bind(st)
	return b.input.Bytes(), b.output.Bytes(), err
}
