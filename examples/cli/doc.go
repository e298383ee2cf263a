// Package cli has what programs around package checker keep needing: a reader of
// lists of targets, flags for a range of statuses and for header fields, lines on a
// terminal that are kept up to date, a report for CI systems, and an HTTP server that
// ends gracefully. It depends on nothing but the standard library, and each of its files
// stands by itself: copy the one that you want, with its test.
package cli
