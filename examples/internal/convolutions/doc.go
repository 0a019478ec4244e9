// Package convolutions holds the notebook about a convolutional network on encrypted images: two ways to send an image,
// where precision is lost, and what each layer costs.
package convolutions
