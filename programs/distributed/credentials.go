package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"

	"github.com/nats-io/nats.go"
)

// pair is a certificate and its key, and the CA that signs those of the other side.
// The files are read for each connection anew, since certificates live for days.
type pair struct{ CA, Cert, Key string }

// validate reads the files once, so that what is wrong with them is said at the start.
func (p pair) validate() error {
	if (p.Cert == "") != (p.Key == "") {
		return errors.New("-cert and -key go together")
	}
	if p.Cert != "" {
		if _, err := tls.LoadX509KeyPair(p.Cert, p.Key); err != nil {
			return fmt.Errorf("-cert %s, -key %s: %w", p.Cert, p.Key, err)
		}
	}
	if p.CA != "" {
		if _, err := p.roots(); err != nil {
			return err
		}
	}
	return nil
}

func (p pair) roots() (*x509.CertPool, error) {
	text, err := os.ReadFile(p.CA)
	pool := x509.NewCertPool()
	if err == nil && !pool.AppendCertsFromPEM(text) {
		err = fmt.Errorf("%s has no certificate in PEM", p.CA)
	}
	if err != nil {
		return nil, fmt.Errorf("-ca: %w", err)
	}
	return pool, nil
}

// server returns the configuration of a server; nil for one without TLS. With a CA,
// who has no certificate of it is not let in.
func (p pair) server() (*tls.Config, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	if p.Cert == "" {
		if p.CA != "" {
			return nil, errors.New("-ca: who asks for certificates must show one; give -cert and -key")
		}
		return nil, nil
	}
	conf := &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		cert, err := tls.LoadX509KeyPair(p.Cert, p.Key)
		return &cert, err
	}}
	if p.CA != "" {
		conf.ClientAuth = tls.RequireAndVerifyClientCert
		var err error
		if conf.ClientCAs, err = p.roots(); err != nil {
			return nil, err
		}
	}
	return conf, nil
}

// isTLS reports whether a connection failed for what the two sides think of each other.
// A client hears late that its certificate will not do: as it reads, or as it writes.
func isTLS(err error) bool {
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "remote error" {
		return true // an alert; it has no exported type
	}
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok || errors.Is(err, nats.ErrTLS)
}

// credentials say who connects to the servers.
type credentials struct {
	Token       string
	Creds, NKey string
	pair
}

func (c *credentials) define(f *flag.FlagSet) {
	f.StringVar(&c.Token, "token", "", "the `TEXT` that the servers ask for; by default what NATS_TOKEN has in the environment")
	f.StringVar(&c.Creds, "creds", "", "the `FILE` with the JWT and seed of a user, for servers that want them")
	f.StringVar(&c.NKey, "nkey", "", "the `FILE` with the seed of an NKey, for servers that want one")
	f.StringVar(&c.CA, "ca", "", "the `FILE` with the CA of the servers, in PEM, and TLS for certain; by default the system's CAs are believed")
	f.StringVar(&c.Cert, "cert", "", "the `FILE` with a certificate to show to servers, in PEM")
	f.StringVar(&c.Key, "key", "", "the `FILE` with its key")
}

// given reports whether any of the files is.
func (c credentials) given() bool { return len(c.args()) > 0 }

// args returns the flags that give another process the same files. The token is not for
// command lines, which others can read.
func (c credentials) args() (args []string) {
	for _, f := range []struct{ name, value string }{
		{"-creds", c.Creds}, {"-nkey", c.NKey}, {"-ca", c.CA}, {"-cert", c.Cert}, {"-key", c.Key},
	} {
		if f.value != "" {
			args = append(args, f.name, f.value)
		}
	}
	return args
}

// options returns what a connection needs to be let in.
func (c credentials) options() (opts []nats.Option, err error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	if t := token(c.Token); t != "" {
		opts = append(opts, nats.Token(t))
	}
	if c.Creds != "" {
		if _, err := os.Stat(c.Creds); err != nil {
			return nil, fmt.Errorf("-creds: %w", err)
		}
		opts = append(opts, nats.UserCredentials(c.Creds))
	}
	if c.NKey != "" {
		key, err := nats.NkeyOptionFromSeed(c.NKey)
		if err != nil {
			return nil, fmt.Errorf("-nkey %s: %w", c.NKey, err)
		}
		opts = append(opts, key)
	}
	if c.CA != "" {
		opts = append(opts, nats.RootCAs(c.CA))
	}
	if c.Cert != "" {
		opts = append(opts, nats.ClientCert(c.Cert, c.Key))
	}
	return opts, nil
}
