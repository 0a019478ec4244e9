package cost

// Sample is one measurement: the work of a program for a team of threads, and how long it took.
type Sample struct {
	Work  Work
	Nanos float64
}

// pull is how strongly Fit holds to a prior: as much as one sample that consists of a kind alone and of which the
// relative error counts by the square root of this.
const pull = 0.03

// Fit returns nanoseconds by the event, or by the word for kinds that are counted in rows of 2^logN words, which
// minimise the sum of the squared relative errors of samples, none of them negative, for the kinds that occur in the
// samples. Kinds that occur only together cannot be told apart by them: a prior, what is known from another ring
// degree or number of threads, decides then. It may be nil.
//
// It is non-negative least squares by coordinate descent on the normal equations, which is exact enough for a dozen
// unknowns and gives the same numbers on every run.
func Fit(samples []Sample, logN int, prior map[Kind]float64) map[Kind]float64 {
	var gram [kinds]Work
	var target, x Work
	for _, s := range samples {
		if !(s.Nanos > 0) {
			continue
		}
		row := s.Work
		for k := range row {
			if Kind(k).PerWord() {
				row[k] *= float64(int(1) << logN)
			}
			row[k] /= s.Nanos
		}
		for i := range row {
			target[i] += row[i]
			for j := range row {
				gram[i][j] += row[i] * row[j]
			}
		}
	}
	for k, ns := range prior {
		if ns > 0 && gram[k][k] > 0 {
			gram[k][k] += pull / (ns * ns)
			target[k] += pull / ns
			x[k] = ns
		}
	}
	for range 20000 {
		for i := range x {
			if gram[i][i] == 0 {
				continue
			}
			r := target[i]
			for j := range x {
				if j != i {
					r -= gram[i][j] * x[j]
				}
			}
			x[i] = max(0, r/gram[i][i])
		}
	}
	out := map[Kind]float64{}
	for i := range x {
		if gram[i][i] > 0 {
			out[Kind(i)] = x[i]
		}
	}
	return out
}
