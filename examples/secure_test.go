//go:build secure

package main

import "testing"

// TestSecureScripts runs every notebook as it is shipped; the short ones run without the tag too.
func TestSecureScripts(t *testing.T) { scripts(t, "testdata/secure") }
