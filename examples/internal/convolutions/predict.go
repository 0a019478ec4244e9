package convolutions

import (
	"github.com/signet-ml/signet/ml/encrypted"
	"github.com/signet-ml/signet/ml/report"
)

// predicted returns the milliseconds that the plan expects each layer to take on a number of threads of this machine if
// it was calibrated, otherwise of the one that the library's table was measured on, and what machine that is.
func predicted(plan *encrypted.Plan, threads int) (layers map[string]float64, machine string, err error) {
	table, _, err := report.CostTable("")
	if err != nil {
		return nil, "", err
	}
	c, err := plan.CostBy(table, threads)
	if err != nil {
		return nil, "", err
	}
	layers = map[string]float64{}
	for _, s := range c.Scopes {
		layers[s.Name] = float64(s.Run.Nanoseconds()) / 1e6
	}
	return layers, c.Machine, nil
}
