package nn

import "github.com/signet-ml/signet/zk"

// Account returns what zk.Estimate reports: the constraints by part and cause, and where the integers of the input and
// of every op's output lie. That a ReLU cuts negative numbers is not called saturation.
func (c *Circuit) Account() ([]zk.Cost, []zk.Layer) {
	layers := []zk.Layer{{Name: "input", Lo: c.graph.Input.Lo, Hi: c.graph.Input.Hi}}
	for i, l := range c.layers {
		r := hull(l.out().ranges)
		layers = append(layers, zk.Layer{Name: c.graph.Ops[i].Name(), Lo: r.Lo, Hi: r.Hi, Saturates: saturates(l)})
	}
	return c.costs.account(), layers
}

// Account returns what zk.Estimate reports: the constraints by part and cause. There are no layers.
func (r *Registration) Account() ([]zk.Cost, []zk.Layer) { return r.costs.account(), nil }

// account returns the constraints as zk knows them.
func (c *costs) account() []zk.Cost {
	var out []zk.Cost
	for _, x := range c.list {
		if x.Constraints > 0 {
			out = append(out, zk.Cost{Part: x.Part, Cause: x.Cause.String(), Constraints: x.Constraints})
		}
	}
	return out
}

// saturates reports whether a layer is a rescale that could cut an accumulator.
func saturates(l layer) bool {
	r, ok := l.(*rescale)
	if !ok {
		return false
	}
	q := hull(r.quotients)
	return q.Hi > r.Out.Hi || q.Lo < r.Out.Lo && r.Out.Lo != 0
}
