package main

import (
	"errors"
	"time"

	"golang.org/x/time/rate"

	"example.com/checker"
)

func (m manners) validate() error {
	if m.Hands < 1 || m.Concurrency < 1 || m.HostRate < 0 {
		return errors.New("-hands and -c must be 1 or more, and -host-rate 0 or more")
	}
	_, err := m.checker()
	return err
}

// interval is the time between two requests to one host.
func (m manners) interval() time.Duration { return time.Duration(float64(time.Second) / m.HostRate) }

// endLimit is for how long a worker goes on that is told to end: it lets an interval pass,
// and tells the server.
func (m manners) endLimit() time.Duration {
	const limit = 5 * time.Second
	if m.HostRate == 0 {
		return limit
	}
	return limit + m.interval()
}

// checker returns what all chunks of a worker are checked with. Its limits are the
// worker's, and a pause that a host asked for holds for its next chunk, too.
func (m manners) checker() (*checker.Checker, error) {
	opts := m.Options()
	if m.HostRate > 0 {
		opts = append(opts, checker.WithHostRateLimit(rate.Limit(m.HostRate), 1))
	}
	if m.Public {
		opts = append(opts, checker.WithAddrPolicy(checker.PublicOnly))
	}
	return checker.New(opts...)
}

// under returns c for a chunk, which it checks for as long as a lease lasts.
func (m manners) under(l *lease, c *checker.Checker) (*checker.Checker, error) {
	policy := l.allow
	if m.Public {
		policy = l.allowPublic
	}
	return c.With(checker.WithAddrPolicy(policy))
}
