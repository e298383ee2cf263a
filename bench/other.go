//go:build !linux

// Command bench needs Linux: for epoll, for /proc, and for a whole 127.0.0.0/8
// of loopback addresses.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench: this needs Linux")
	os.Exit(1)
}
