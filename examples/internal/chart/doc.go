// Package chart draws the pictures of the example notebooks: bars, lines over categories, confusion matrices and
// reliability diagrams. Every function returns a PNG.
package chart
