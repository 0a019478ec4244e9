// Package stage runs one encrypted inference as five steps that meet in files only, so that each can be its own process
// on its own machine: compile and keygen, encrypt, run, decrypt.
//
//	public/parameters public/program public/constants public/keys   for the server
//	secret/key                                                      for the data owner, nobody else
//	in/NAME.bundle, out/NAME.bundle                                 ciphertexts to and from the server
//	data/                                                           the owner's samples, labels and expected scores
//
// The server's step, Run, reads public/ and in/ and writes out/. Every file is written under another name first and
// renamed, so a step that is killed leaves no half file under a name that the next step reads.
package stage
