package cli

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/checker"
)

// Checks are the flags that say how sites are checked. In all programs they have the
// same names and meanings; a program sets its own defaults in the fields before it
// calls Define. The zero Checks has the defaults of package checker.
type Checks struct {
	Status      StatusRange   // -status; the zero range wants any
	Redirects   int           // -redirects
	Canaries    []string      // -canary
	Timeout     time.Duration // -timeout
	Headers     Fields        // -header
	Method      string        // -method
	Concurrency int           // -c
}

// Define makes the flags known to flags, but for those whose names are given, which
// mean nothing to the program.
func (c *Checks) Define(flags *flag.FlagSet, omit ...string) {
	c.Timeout, c.Method, c.Concurrency = cmp.Or(c.Timeout, 10*time.Second), cmp.Or(c.Method, http.MethodHead), cmp.Or(c.Concurrency, 100)
	all := flag.NewFlagSet("", flag.ContinueOnError)
	all.TextVar(&c.Status, "status", c.Status, "the `MIN-MAX` of statuses that are wanted, or one; any, unless given")
	all.IntVar(&c.Redirects, "redirects", c.Redirects, "follow up to `N` redirects; the answer after them counts")
	all.Var((*texts)(&c.Canaries), "canary", "the `URL` of a site known to be up: nothing is offline while no canary answers; repeatable")
	all.DurationVar(&c.Timeout, "timeout", c.Timeout, "the time for one whole check, a `DUR` such as 10s")
	all.Var(&c.Headers, "header", "send the field `K:V` to the sites, but not to others that they redirect to; repeatable")
	all.StringVar(&c.Method, "method", c.Method, "ask with the method `M`: HEAD, and GET where that does not do, or GET")
	all.IntVar(&c.Concurrency, "c", c.Concurrency, "check up to `N` sites at once")
	all.VisitAll(func(f *flag.Flag) {
		if !slices.Contains(omit, f.Name) {
			flags.Var(f.Value, f.Name, f.Usage)
		}
	})
}

// Options returns what the flags ask for. What is wrong with their values
// [checker.New] says.
func (c *Checks) Options() []checker.Option {
	opts := []checker.Option{
		checker.WithRedirects(c.Redirects),
		checker.WithTimeout(c.Timeout),
		checker.WithMethod(strings.ToUpper(c.Method)),
		checker.WithConcurrency(c.Concurrency),
	}
	if c.Status != (StatusRange{}) {
		opts = append(opts, checker.WithJudge(checker.StatusIn(c.Status.Min, c.Status.Max)))
	}
	if len(c.Canaries) > 0 {
		opts = append(opts, checker.WithCanaries(c.Canaries...))
	}
	for _, f := range c.Headers {
		opts = append(opts, checker.WithHeader(f.Key, f.Value))
	}
	return opts
}

// Args returns the flags as arguments, for a process that is to check alike.
func (c *Checks) Args() []string {
	args := []string{
		"-redirects", strconv.Itoa(c.Redirects),
		"-timeout", c.Timeout.String(),
		"-method", c.Method,
		"-c", strconv.Itoa(c.Concurrency),
	}
	if c.Status != (StatusRange{}) {
		args = append(args, "-status", c.Status.String())
	}
	for _, url := range c.Canaries {
		args = append(args, "-canary", url)
	}
	for _, f := range c.Headers {
		args = append(args, "-header", f.Key+": "+f.Value)
	}
	return args
}

// texts are the values of a flag that may be given again.
type texts []string

func (t *texts) String() string { return strings.Join(*t, " ") }

func (t *texts) Set(text string) error {
	*t = append(*t, text)
	return nil
}

// Fields are header fields, as the value of a flag that may be repeated: each is given
// as "Key: value". They may be given to [flag.Var].
type Fields []Field

// A Field is one of them.
type Field struct{ Key, Value string }

// Set adds a field. What a key and a value may be is for whoever sends them to say.
func (f *Fields) Set(text string) error {
	key, value, found := strings.Cut(text, ":")
	if !found || key == "" {
		return errors.New("want Key: value")
	}
	*f = append(*f, Field{key, strings.TrimSpace(value)})
	return nil
}

// String returns the keys only: a value may be a secret.
func (f *Fields) String() string {
	var keys []string
	for _, field := range *f {
		keys = append(keys, field.Key)
	}
	return strings.Join(keys, ", ")
}

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
func (r StatusRange) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// String is MarshalText.
func (r StatusRange) String() string {
	switch {
	case r == StatusRange{}:
		return ""
	case r.Min == r.Max:
		return strconv.Itoa(r.Min)
	}
	return fmt.Sprintf("%d-%d", r.Min, r.Max)
}
