// Package cost says what a program will take before any key exists: seconds by operation and by scope, for loading and
// for a run, and bytes of memory.
//
// An engine counts the Work of a program: how many rows it transforms, converts, multiplies by keys and so on. A Table
// says how long each kind of work takes on one machine, by ring degree and threads; cpu.Costs scales the shipped one to
// this machine in a second, "go run ./bench calibrate" measures all of it. Their product is a Cost:
//
//	c, err := cpu.Estimate(plan.Program(), cost.Default(), 2)
//	fmt.Println(c.Run, c.PeakBytes(), c)
//
// A Table is a value. This package reads no files by itself and looks at no clock.
package cost
