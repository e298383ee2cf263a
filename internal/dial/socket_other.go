//go:build !linux

package dial

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// connectTo opens a TCP connection to addr.
func connectTo(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	return connectByNet(ctx, addr)
}

// explainSilence returns err: who is silent cannot be told.
func explainSilence(_, _ netip.AddrPort, _ time.Duration, err error) error { return err }

// explainHop returns err, for the same reason.
func explainHop(_, _ netip.AddrPort, _ time.Duration, err error) error { return err }

// ExplainSilence returns err, for the same reason.
func ExplainSilence(_ net.Conn, err error) error { return err }
