//go:build unix

package faults_test

import (
	"crypto/tls"
	"net"
	"testing"

	"example.com/checker/internal/hostile"
)

// P3: a machine without instructions for AES offers ChaCha20 first, and many servers take
// it. On Windows a program cannot be told to do without them.
func TestUnparsableWithoutAES(t *testing.T) {
	child(t, []string{"GODEBUG=cpu.aes=off"}, func(t *testing.T) {
		ca := hostile.NewCA(t)
		here, there := net.Pipe()
		defer there.Close()
		go tls.Server(there, ca.Config(hostile.Cert{Names: []string{"site.test"}})).Handshake()
		c := tls.Client(here, &tls.Config{RootCAs: ca.Pool(), ServerName: "site.test"})
		if err := c.Handshake(); err != nil || c.ConnectionState().CipherSuite != tls.TLS_CHACHA20_POLY1305_SHA256 {
			t.Fatalf("Handshake() = %v with suite %#x; want ChaCha20, or this test proves nothing", err, c.ConnectionState().CipherSuite)
		}
		TestUnparsable(t)
	})
}
