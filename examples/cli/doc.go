// Package cli is what the programs around package checker have in common: the flags
// that say how sites are checked, the reader of lists of sites, the exit statuses, lines
// on a terminal that are kept up to date, a report for CI systems, and an HTTP server
// that ends gracefully.
//
// It depends on package checker and the standard library alone, and each of its files
// stands by itself: copy the one that you want, with its test. But numbers.go wants list.go
// beside it, and file.go, which reads lists from files, list.go and program.go.
package cli
