package main

import (
	"fmt"
	"hash/fnv"
	"strings"
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
	h := fnv.New32a()
	h.Write([]byte(host(target)))
	return h.Sum32()%max(s.n, 1) == s.i
}

// host returns the host of a target in lower case. It need not understand what
// package checker refuses; two spellings of an internationalised name count as
// two hosts.
func host(target string) string {
	s := strings.ToLower(strings.TrimSpace(target))
	if scheme, rest, ok := strings.Cut(s, "://"); ok && (scheme == "http" || scheme == "https") {
		s = rest
	}
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		s = s[:i]
	}
	s = s[strings.LastIndexByte(s, '@')+1:]
	if rest, ok := strings.CutPrefix(s, "["); ok {
		addr, _, _ := strings.Cut(rest, "]")
		return addr
	}
	s, _, _ = strings.Cut(s, ":")
	return strings.TrimSuffix(s, ".")
}
