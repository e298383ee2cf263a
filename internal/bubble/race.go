//go:build race

package bubble

// Race reports whether the race detector is on, under which times and allocations are not
// those of the code alone.
const Race = true
