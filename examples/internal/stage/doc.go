// Package stage runs one encrypted inference as five steps that meet in files only, so that each can be its own process
// on its own machine: compile and keygen, encrypt, run, decrypt. A model whose weights are encrypted as well has a step
// more, encrypt-model.
//
//	public/parameters public/program public/constants public/keys   for the server
//	secret/key                                                      for the data owner, nobody else
//	in/NAME.bundle, out/NAME.bundle                                 ciphertexts to and from the server
//	data/                                                           the owner's samples, labels and expected scores
//
// With encrypted weights the model's owner is a party of its own:
//
//	model/                        the model, its weights and the expected scores: for the model's owner, nobody else
//	public/encryption-key         the data owner's public key, under which the weights are encrypted
//	weights/weights.bundle        the encrypted weights, for the server and not for the data owner, who could decrypt
//
// The server's step, Run, reads public/, in/ and weights/ and writes out/. Every file is written under another name first and
// renamed, so a step that is killed leaves no half file under a name that the next step reads.
package stage
