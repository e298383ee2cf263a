package main

import (
	"fmt"
	"hash/fnv"

	"example.com/checker"
)

// A share is one of n parts of a list. The zero share is all of it.
type share struct{ i, n uint32 }

// String and Set make it a flag.
func (s *share) String() string { return fmt.Sprintf("%d/%d", s.i, max(s.n, 1)) }

func (s *share) Set(text string) error {
	var rest string
	n, _ := fmt.Sscanf(text, "%d/%d%s", &s.i, &s.n, &rest)
	if n != 2 || s.i >= s.n {
		return fmt.Errorf("%q is not i/n with i from 0 to n-1", text)
	}
	return nil
}

// has reports whether a target belongs to the share, by the hash of its host.
func (s share) has(target string) bool {
	host, err := checker.Host(target)
	if err != nil {
		host = target // nothing is sent to it, so any share will do
	}
	h := fnv.New32a()
	h.Write([]byte(host))
	return h.Sum32()%max(s.n, 1) == s.i
}
