package main

import (
	"io"
	"os"
	"strings"

	"example.com/checker/examples/cli"
)

// sites counts the targets of a list and returns to where it began; it returns
// -1 for what can be read only once.
func sites(f *os.File) int {
	start, err := f.Seek(0, io.SeekCurrent)
	if info, errStat := f.Stat(); err != nil || errStat != nil || !info.Mode().IsRegular() {
		return -1
	}
	n := 0
	for range cli.NewList(f).Targets() { // its error is said again by who reads the list in earnest
		n++
	}
	if _, err := f.Seek(start, io.SeekStart); err != nil {
		return -1
	}
	return n
}

// listName is what a reader is told of where the sites came from.
func (o options) listName() string {
	if o.list == "" || o.list == "-" {
		return "standard input"
	}
	return strings.ToValidUTF8(o.list, "\ufffd")
}
