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
	_, err := m.checker(nil)
	return err
}

// interval is the time between two requests to one host.
func (m manners) interval() time.Duration { return time.Duration(float64(time.Second) / m.HostRate) }

// checker returns what checks one chunk under a lease. Each chunk has its own:
// no other chunk in the worker's hands has the same sites, and so there is
// nothing to share.
func (m manners) checker(l *lease) (*checker.Checker, error) {
	opts := append(m.Options(),
		checker.WithConcurrency(max(1, m.Concurrency/m.Hands)),
		checker.WithAddrPolicy(l.allow),
	)
	if m.HostRate > 0 {
		opts = append(opts, checker.WithHostRateLimit(rate.Limit(m.HostRate), 1))
	}
	if m.Public {
		opts = append(opts, checker.WithAddrPolicy(l.allowPublic))
	}
	return checker.New(opts...)
}
