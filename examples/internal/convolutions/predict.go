package convolutions

import "github.com/signet-ml/signet/ml/encrypted"

// predicted returns the milliseconds that the cost model expects each layer to take.
func predicted(*encrypted.Plan, int) map[string]float64 { return nil }
