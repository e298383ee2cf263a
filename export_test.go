package checker

import (
	"cmp"
	"crypto/tls"
	"maps"
	"slices"
	"strings"
	"time"
)

// TLSConfig shows a Checker's TLS configuration to tests.
func TLSConfig(c *Checker) *tls.Config { return c.engine.tls }

// NewError makes an Error as checks do.
var NewError = newError

// Hints returns the errors that tell by themselves what to mend on this side.
func Hints() []error {
	at := time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC)
	return []error{
		hintCanaries, hintUnsteady, hintByHTTP, hintNames, hintResting, hintPortal, hintRoots, hintToken,
		hintStarved(1500*time.Millisecond, 2*time.Second),
		hintClock(at, "other sites say "+clockTime(at.AddDate(10, 0, 0))+", when the certificate is valid"),
		hintClock(at, "and this program was made on "+at.AddDate(10, 0, 0).Format(time.DateOnly)),
	}
}

// Canaries shows a Checker's canaries to tests.
func Canaries(c *Checker) (targets []string) {
	for _, t := range c.canaries.tasks {
		targets = append(targets, t.target)
	}
	return targets
}

// Mend returns what to do about a Cause.
func Mend(c Cause) string { return causes[c].mend }

// AllReasons returns every Reason, as the tables have them.
func AllReasons() []Reason { return allReasons }

// AllCauses returns every Cause, in the order of reasons and of the alphabet.
func AllCauses() []Cause {
	return slices.SortedFunc(maps.Keys(causes), func(a, b Cause) int {
		return cmp.Or(slices.Index(allReasons, causes[a].reason)-slices.Index(allReasons, causes[b].reason), strings.Compare(string(a), string(b)))
	})
}
