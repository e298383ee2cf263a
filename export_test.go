package checker

import "crypto/tls"

// TLSConfig shows a Checker's TLS configuration to tests.
func TLSConfig(c *Checker) *tls.Config { return c.engine.conf.tls }

// NewError makes an Error as checks do.
var NewError = newError

// Canaries shows a Checker's canaries to tests.
func Canaries(c *Checker) (targets []string) {
	for _, t := range c.canaries.tasks {
		targets = append(targets, t.target)
	}
	return targets
}
