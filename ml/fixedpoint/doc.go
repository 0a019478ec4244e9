// Package fixedpoint turns a model into integers.
package fixedpoint
