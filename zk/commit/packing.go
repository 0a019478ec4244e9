package commit

// A Packing says how integers of one range fill field elements.
type Packing struct {
	Count  int   // how many integers
	Lo, Hi int64 // every one lies in [Lo, Hi]
}
