// Package proving takes one proven prediction apart into four steps that meet in files only, so that each can be its own
// process on its own machine: setup, commit, prove, verify.
//
//	public/circuit.json                   what is computed, without weights: enough for setup
//	public/vk.bin public/commitment.bin   verifying key and model commitment, for everybody
//	secret/model secret/opening/          integers of the model and what opens its commitment: for its owner, nobody else
//	in/x.csv                              the input: one line of numbers
//	out/proof.bin out/vk.bin out/statement.json   what a stranger verifies
//	out/proof.gnark out/vk.gnark out/public.gnark the circuit part of it in gnark's own encodings
//	keys/                                 the proving key and reference string, large and not secret; whoever can write
//	                                      to it can spoil proofs, not forge them
//
// Verify reads three files of out/ and nothing else. Every file is written under another name first and renamed, so a
// step that is killed leaves no half file under a name that the next step reads.
package proving
