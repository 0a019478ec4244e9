// Package nn builds the circuits of quantised networks.
//
// A [Graph] is a chain of integer layers with exact semantics: linear layers accumulate without rounding, [Rescale]
// rounds and saturates, and nothing else loses information. [New] turns it into a [Circuit], which implements
// zk.Circuit: it proves that a committed input gives an output, without showing the input, what lies between, or, if
// they are private, the weights.
//
// # Semantics
//
// All values are integers. Dense and Conv2d are Wx + b. Rescale is y = clamp(floor((xM + 2^(s-1)) / 2^s), Lo, Hi), an
// arithmetic shift that rounds ties towards plus infinity; with s = 0 there is no rounding term. ReLU is a Rescale
// whose Lo is 0. Table is a lookup, Square a product, SumPool2d a sum, MaxPool2d a maximum without padding, Argmax the
// lowest index of a maximum. Tensors are flat, channel-major, and the samples of a batch follow one another.
//
// # Ranges
//
// Every width in the circuit comes from interval analysis, never from data: exactly, channel by channel, for public
// weights, and from the weights' range for private ones. New refuses a graph in which a value could exceed 2^62.
//
// # Private weights
//
// Weights are no inputs of the circuit. It holds u = W(g, .), one element per column of the weights, for a challenge g
// that is fixed after the weights and the accumulators, and shows Σ x_j u_j = Σ g^i acc_i of every layer and sample.
// Its statement exports e1 = u(h) and e2 = v(h), where v holds all accumulators and h is the challenge of the
// circuit's one commitment; an opening outside the circuit ties both to the committed weights and accumulators.
//
// Soundness rests on identities of polynomials. In h: the lookups of a table (degree at most rows plus lookups), the
// product of polynomials of a convolution (degree at most the size of the full product), u and v (their lengths). All
// coefficients are secret inputs, hence under the commitment that h comes from. In g: one identity for every layer,
// sample and position (degree less than the layer's outputs), whose coefficients are fixed before g: the weights, the
// input and the accumulators; the inputs of later layers are functions of the accumulators, because the output of
// every other op is unique given its input, whatever field elements those are. By the lemma of Schwartz and Zippel
// each identity fails to catch an error with probability at most degree/p, where p is near 2^254.
package nn
