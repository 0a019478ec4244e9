//go:build !secure

package fixedpoint

const scaleCases = 60
