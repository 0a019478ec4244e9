package commit

// A Tag separates the uses of Hash from one another: equal elements under two tags have unrelated digests.
type Tag string

// The tags of the protocol.
const (
	TagInput     Tag = "signet/zk/input/v1"     // digest of a circuit's input
	TagOutput    Tag = "signet/zk/output/v1"    // digest of hidden or many outputs
	TagStatement Tag = "signet/zk/statement/v1" // the second public input
	TagLookup    Tag = "signet/zk/lookup/v1"    // combines the columns of a table
	TagRows      Tag = "signet/zk/rows/v1"      // combines the rows of a matrix
)
