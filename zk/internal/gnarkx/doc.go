// Package gnarkx is the only code of Signet that calls gnark's backends: it compiles circuits, makes and caches keys,
// proves in two passes, and verifies bytes from strangers. Package zk gives it to users.
package gnarkx
