// Package signet is the root of a library for private and provable machine learning.
package signet
