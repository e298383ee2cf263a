package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A StatusRange is the value of a flag that says which HTTP statuses will do: as
// MIN-MAX, such as 200-299, or as one. It may be given to [flag.TextVar], and be
// a field of the options of packages that take an [encoding.TextUnmarshaler].
//
// The zero value has no status in it.
type StatusRange struct{ Min, Max int }

var errStatus = errors.New("want two codes from 200 to 999, such as 200-299, or one")

// UnmarshalText reads a range. It refuses codes outside of 200 to 999 and a range
// that ends before it begins, and then leaves r as it is.
func (r *StatusRange) UnmarshalText(text []byte) error {
	low, high, found := strings.Cut(string(text), "-")
	if !found {
		high = low
	}
	first, errFirst := strconv.Atoi(low)
	last, errLast := strconv.Atoi(high)
	if errFirst != nil || errLast != nil || len(low) != 3 || len(high) != 3 || first < 200 || first > last || last > 999 {
		return errStatus
	}
	r.Min, r.Max = first, last
	return nil
}

// MarshalText writes a range as UnmarshalText reads it, and the zero value as
// nothing.
func (r StatusRange) MarshalText() ([]byte, error) {
	if r == (StatusRange{}) {
		return nil, nil
	}
	if r.Min == r.Max {
		return fmt.Append(nil, r.Min), nil
	}
	return fmt.Appendf(nil, "%d-%d", r.Min, r.Max), nil
}
