// Package cli has what programs around package checker keep needing: a reader of
// lists of targets, a flag for a range of statuses, and an HTTP server that ends
// gracefully. It depends on nothing but the standard library, and each of its
// files stands by itself: copy the one that you want, with its test.
package cli
