package nn

import "fmt"

// A Cause says what constraints are for.
type Cause uint8

// The causes.
const (
	CauseRange     Cause = iota + 1 // lookups of limbs
	CauseTable                      // rows of tables and lookups of pairs
	CauseProduct                    // products inside an op
	CauseLinear                     // linear layers, evaluations at a challenge, sums that got a wire
	CauseHash                       // digests of input and output, and of the challenge
	CauseStatement                  // statement, context and commitment
)

// String returns the cause's name.
func (c Cause) String() string {
	names := [...]string{"range", "table", "product", "linear", "hash", "statement"}
	if 1 <= c && int(c) <= len(names) {
		return names[c-1]
	}
	return fmt.Sprintf("Cause(%d)", uint8(c))
}

// A Cost is how many constraints a part of a circuit has for one cause.
type Cost struct {
	Part        string // "input", the op's name, "output", "weights", "tables" or "statement"
	Cause       Cause
	Constraints int
}

// costs adds up constraints in the order in which parts are built.
type costs struct {
	list []Cost
	part string
	from int // index of the part's first cost
}

// begin starts a part.
func (c *costs) begin(part string) { c.part, c.from = part, len(c.list) }

// add counts n constraints of the current part.
func (c *costs) add(cause Cause, n int) {
	for i := c.from; i < len(c.list); i++ {
		if c.list[i].Cause == cause {
			c.list[i].Constraints += n
			return
		}
	}
	c.list = append(c.list, Cost{c.part, cause, n})
}

// total returns the number of all constraints.
func (c *costs) total() int {
	n := 0
	for _, x := range c.list {
		n += x.Constraints
	}
	return n
}
