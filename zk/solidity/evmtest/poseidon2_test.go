package evmtest

import (
	_ "github.com/consensys/gnark-crypto/ecc/bn254/fr"
	_ "github.com/ethereum/go-ethereum/ethclient/simulated"

	_ "github.com/signet-ml/signet/zk/commit"
)
