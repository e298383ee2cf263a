//go:build !linux

package dial

import (
	"context"
	"net"
	"net/netip"
)

// connectTo opens a TCP connection to addr.
func connectTo(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	return connectByNet(ctx, addr)
}
