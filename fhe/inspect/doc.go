// Package inspect prints wire files: parameters, programs, constants, evaluation keys, bundles and ciphertexts, found
// by the four bytes that they begin with.
//
//	err := inspect.File(os.Stdout, "public/program", inspect.Options{JSON: true})
//
// Tools and people who debug a program should use it. Text is for people and may change; JSON, one object a line, is
// for programs. Secret keys are refused: nothing of one is ever printed. Everything else here is public to the server;
// constants show the model.
package inspect
