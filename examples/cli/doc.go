// Package cli has what programs around package checker keep needing: to read
// lists of targets, for one. It depends on nothing but the standard library, and
// each of its files stands by itself: copy the one that you want, with its test.
package cli
