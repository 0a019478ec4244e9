// Package docs holds the pages of Signet and the test that keeps them true: every Go snippet in README.md and in this
// folder is a piece of an Example that runs, every relative link resolves, and figures and tables that are made from plans
// are those of today: "go test ./docs -run 'Figures|Tables' -update" draws them.
//
// Read the pages, start with README.md at the root of the module; nothing imports this package, and it has no API. A
// page describes what the code did when its tests last passed. It is no proof of security: see SECURITY.md for what the
// library does not protect against.
package docs
