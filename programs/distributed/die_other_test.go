//go:build !linux

package main

// dieAt does nothing: the tests with processes need Linux, for its many
// loopback addresses.
func dieAt() func(string, chunk) { return nil }
