//go:build linux

package main

import (
	"crypto/tls"
	"crypto/x509"
	"iter"
	"net/netip"
	"strconv"
	"time"
)

// A kind says what the targets of a job are like.
type kind string

const (
	hosts  kind = "hosts"  // an address of its own for each
	secure kind = "secure" // the same over TLS
	names  kind = "names"  // a name of its own for each, to be looked up
	paths  kind = "paths"  // all on one host
	memory kind = "memory" // no network: a transport that answers by itself
)

// A job is what a contestant does in one run. It reaches the contestant's
// process as JSON.
type job struct {
	Contestant string
	Kind       kind
	Cut        cut // how it is cancelled; "" for not at all
	Checks     int
	Hosts      int // that the targets are spread over, again and again; 0: each has its own
	AtOnce     int
	PerHost    int // at once on one host; all targets of a job of paths are on one
	Timeout    time.Duration
	Port       int
	Silent     int           // the port of hosts that never answer; 0 if there are none
	Root       []byte        // the certificate to trust, DER
	Curves     []tls.CurveID // for TLS, nil for those of crypto/tls
	DNS        netip.Addr    // the nameserver of an /etc of its own; zero for this machine's
	Profile    string        // a prefix of files to write profiles to; empty for none
}

// mute is how many of ten hosts never answer, where there are such.
const mute = 3

// silent reports whether target i never answers.
func (j *job) silent(i int) bool { return j.Silent != 0 && i%10 < mute }

// online returns how many targets answer.
func (j *job) online() int {
	if j.Cut != "" {
		return 0
	}
	n := 0
	for i := range j.Checks {
		if !j.silent(i) {
			n++
		}
	}
	return n
}

// width returns how many checks a contestant may run at once that knows of no
// limit per host.
func (j *job) width() int {
	if j.Kind == paths {
		return min(j.AtOnce, j.PerHost)
	}
	return j.AtOnce
}

// addr returns the address of target i.
func (j *job) addr(i int) netip.AddrPort {
	port := j.Port
	if j.silent(i) {
		port = j.Silent
	}
	switch {
	case j.Kind == paths:
		i = 0
	case j.Hosts > 0:
		i %= j.Hosts
	}
	return netip.AddrPortFrom(loopback(i), uint16(port))
}

// loopback returns the i-th of eight million addresses of this machine.
func loopback(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{127, byte(1 + i>>16), byte(i >> 8), byte(i)})
}

// targets yields the URLs of the job.
func (j *job) targets() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range j.Checks {
			if !yield(j.target(i)) {
				return
			}
		}
	}
}

// target returns a URL. It allocates only that: whoever makes the list is not
// what is measured.
func (j *job) target(i int) string {
	var room [64]byte
	b := append(room[:0], "http"...)
	if j.Kind == secure {
		b = append(b, 's')
	}
	b = append(b, "://"...)
	switch j.Kind {
	case memory, names:
		b = strconv.AppendInt(append(b, 'h'), int64(i), 10)
		b = append(b, "."+zone+":"...)
		b = strconv.AppendInt(b, int64(j.Port), 10)
	default:
		b = j.addr(i).AppendTo(b)
	}
	b = append(b, '/')
	if j.Kind == paths {
		b = strconv.AppendInt(b, int64(i), 10)
	}
	return string(b)
}

// tls returns the configuration that trusts the server.
func (j *job) tls() (*tls.Config, error) {
	root, err := x509.ParseCertificate(j.Root)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(root)
	return &tls.Config{RootCAs: pool, CurvePreferences: j.Curves}, nil
}
