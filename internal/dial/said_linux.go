package dial

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"example.com/checker/internal/errno"
)

// A said is what the kernel keeps of an ICMP message about a connect. The zero said is
// none: then the peer spoke, by TCP, or this kernel, by its routes.
type said struct {
	by        netip.Addr // who sent it; zero if nobody did
	ipv6      bool
	typ, code byte
	errno     syscall.Errno
}

// Of struct sock_extended_err: linux/errqueue.h.
const (
	lenExtendedErr = 16
	originLocal    = 1
)

// hear reads what the kernel keeps of a connect that failed (ip(7), IP_RECVERR; of TCP
// sockets since Linux 5.18).
func hear(fd int) said {
	var data, control [512]byte
	_, n, _, _, err := syscall.Recvmsg(fd, data[:], control[:], syscall.MSG_ERRQUEUE|syscall.MSG_DONTWAIT)
	if err != nil {
		return said{}
	}
	return parseSaid(control[:n])
}

// parseSaid reads the control messages that come with an entry of the queue.
func parseSaid(control []byte) (m said) {
	all, err := syscall.ParseSocketControlMessage(control)
	if err != nil {
		return said{}
	}
	for _, c := range all {
		v4 := c.Header.Level == syscall.IPPROTO_IP && c.Header.Type == syscall.IP_RECVERR
		v6 := c.Header.Level == syscall.IPPROTO_IPV6 && c.Header.Type == syscall.IPV6_RECVERR
		if (v4 || v6) && len(c.Data) >= lenExtendedErr && c.Data[4] != originLocal {
			m = said{
				errno: syscall.Errno(binary.NativeEndian.Uint32(c.Data)),
				typ:   c.Data[5], code: c.Data[6], ipv6: v6,
				by: addrIn(c.Data[lenExtendedErr:]),
			}
		}
	}
	return m
}

// addrIn returns the address in a struct sockaddr.
func addrIn(b []byte) netip.Addr {
	if len(b) < 2 {
		return netip.Addr{}
	}
	switch family := binary.NativeEndian.Uint16(b); {
	case family == syscall.AF_INET && len(b) >= 8:
		return netip.AddrFrom4([4]byte(b[4:8]))
	case family == syscall.AF_INET6 && len(b) >= 24:
		return netip.AddrFrom16([16]byte(b[8:24])).Unmap()
	}
	return netip.Addr{}
}

// explain returns what err, of a connect to addr that began well, stands for.
func (m said) explain(ctx context.Context, addr netip.AddrPort, err error) error {
	switch {
	case !m.by.IsValid():
		return explain(ctx, addr, err)
	case !isOwn(m.by):
		return &ICMPError{Text: icmpText(m.ipv6, m.typ, m.code), By: m.by, err: err}
	case errno.Of(m.errno) != errno.Unreachable:
		return &RouteError{"a filter of this machine rejects it", err}
	}
	h, unknown := nextHop(addr.Addr())
	switch {
	case unknown == nil && !h.silent:
		return &RouteError{"a filter of this machine rejects it", err}
	case unknown != nil:
		h = hop{addr: addr.Addr()}
	}
	return h.blame(addr, err)
}

// ownWord returns what err stands for, of a connect to addr that this kernel refused
// before anything was sent.
func ownWord(ctx context.Context, addr netip.AddrPort, err error) error {
	number, _ := errno.In(err)
	switch errno.Of(number) {
	case errno.Descriptors, errno.Memory, errno.NoNetwork, errno.NoFamily:
		return err
	case errno.Ports:
		return explain(ctx, addr, err)
	case errno.Unreachable:
		return &RouteError{"a route of this machine forbids it", err}
	}
	return &RouteError{"a firewall, a security policy or a route of this machine forbids it", err}
}

// silent returns what err stands for, of a connect to addr that was not answered in
// time.
func silent(addr netip.AddrPort, err error) error {
	h, e := nextHop(addr.Addr())
	switch {
	case e != nil && noWay(e):
		return &RouteError{"this machine has no route to it any more", err}
	case e == nil && h.silent:
		return h.blame(addr, err)
	}
	return err
}

// blame returns what err stands for, of a connect to addr that ended at its next hop,
// which does not answer.
func (h hop) blame(addr netip.AddrPort, err error) error {
	switch {
	case h.link != 0 && !h.hasCarrier():
		return &RouteError{"the network interface that it is reached by has no link", err}
	case h.addr == addr.Addr() && onLink(h.addr):
		return &AbsentError{err}
	}
	return &RouteError{"the gateway that it is reached by does not answer", err}
}

// isOwn reports whether addr is of this machine.
func isOwn(addr netip.Addr) bool {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	return slices.ContainsFunc(all, func(a net.Addr) bool {
		p, err := netip.ParsePrefix(a.String())
		return err == nil && p.Addr().WithZone("") == addr.WithZone("")
	})
}
