// Command examples runs Signet's examples.
//
//	go run ./examples list
//	go run ./examples run quickstart
//	go run ./examples export quickstart -out out     # run, and write out/quickstart.ipynb
//	go run ./examples stage quickstart compile -dir /tmp/parts    # then keygen, encrypt, run, decrypt
//	go run ./examples stage proven-inference setup -dir /tmp/proof # then commit, prove, verify
//	go run ./examples inspect /tmp/parts/public/program
//
// run does everything and writes DIR/summary.json, DIR/predictions.csv and pictures; it fails if a check does. Examples
// are notebooks, Go files in cell form: export runs one too and writes DIR/NAME.ipynb with what each cell printed and
// drew. stage does one step at a time, each in its own process, through files: move them between machines as you would
// in earnest. Flags may be written with one dash or two.
//
// Examples show a library; they are no service. What they decrypt they print, to the owner of the data, on one machine.
package main
