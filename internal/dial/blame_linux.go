package dial

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"
	"time"

	"example.com/checker/internal/errno"
)

// An icmpMessage is what the kernel keeps of one about a connect. The zero icmpMessage
// is none: then the peer spoke, by TCP, or this kernel, by its routes.
type icmpMessage struct {
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

// readErrorQueue reads what the kernel keeps of a connect that failed (ip(7), IP_RECVERR;
// of TCP sockets since Linux 5.18).
func readErrorQueue(fd int) icmpMessage {
	var data, control [512]byte
	_, n, _, _, err := syscall.Recvmsg(fd, data[:], control[:], syscall.MSG_ERRQUEUE|syscall.MSG_DONTWAIT)
	if err != nil {
		return icmpMessage{}
	}
	return parseExtendedErr(control[:n])
}

// parseExtendedErr reads the control messages that come with an entry of the queue.
func parseExtendedErr(control []byte) (m icmpMessage) {
	all, err := syscall.ParseSocketControlMessage(control)
	if err != nil {
		return icmpMessage{}
	}
	for _, c := range all {
		v4 := c.Header.Level == syscall.IPPROTO_IP && c.Header.Type == syscall.IP_RECVERR
		v6 := c.Header.Level == syscall.IPPROTO_IPV6 && c.Header.Type == syscall.IPV6_RECVERR
		if (v4 || v6) && len(c.Data) >= lenExtendedErr && c.Data[4] != originLocal {
			m = icmpMessage{
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

// explain returns what err, of a connect from a socket's own address to addr that began
// well, stands for.
func (m icmpMessage) explain(ctx context.Context, from, addr netip.AddrPort, err error) error {
	if !m.by.IsValid() {
		return explain(ctx, addr, err)
	}
	switch own, _ := isOwn(m.by); {
	case !own:
		return &ICMPError{Text: icmpText(m.ipv6, m.typ, m.code), By: m.by, err: err}
	case errno.Of(m.errno) != errno.Unreachable:
		return &RouteError{Filtered, "a filter of this machine rejects the connection", err}
	case isHomeless(from.Addr(), addr.Addr()):
		return &RouteError{NoRoute, noSource, err}
	}
	h, unknown := nextHop(from, addr)
	switch {
	case unknown == nil && !h.silent:
		return &RouteError{Filtered, "a filter of this machine rejects the connection", err}
	case unknown != nil:
		h = hop{addr: addr.Addr()}
	}
	return h.blame(addr, err)
}

// explainUnsent returns what err stands for, of a connect to addr that this kernel
// refused before anything was sent.
func explainUnsent(ctx context.Context, addr netip.AddrPort, err error) error {
	number, _ := errno.In(err)
	switch errno.Of(number) {
	case errno.Descriptors, errno.Memory, errno.NoNetwork, errno.NoFamily:
		return err
	case errno.Ports:
		return explain(ctx, addr, err)
	case errno.Unreachable:
		return &RouteError{NoRoute, "a route of this machine says unreachable", err}
	}
	return &RouteError{Filtered, "a firewall, a security policy or a route of this machine forbids the connection", err}
}

// fairWait is how long a neighbour may take to answer ARP or neighbour discovery before
// it is taken to be absent: the kernel asks again after that.
const fairWait = 900 * time.Millisecond

// explainSilence returns what err stands for, of a connect to addr that was not
// answered in time. The socket's own address is zero if it is not known.
func explainSilence(from, addr netip.AddrPort, waited time.Duration, err error) error {
	h, e := nextHop(from, addr)
	switch {
	case e != nil && noWay(e), isLost(from):
		return &RouteError{NoRoute, lostWay, err}
	case e != nil:
		return err
	}
	return h.explain(addr, waited, err)
}

const lostWay = "this machine no longer has a route to the site, or the address that it connected from"

// ExplainSilence returns what err stands for, of a connection that has stood and whose
// peer was silent up to the timeout. That a link has nothing at its other end may be
// since the peer is gone, which did not answer before.
func ExplainSilence(nc net.Conn, err error) error {
	s, ok := nc.(*socket)
	if !ok {
		return err
	}
	from := s.name()
	if _, e := nextHop(from, s.remote); e != nil && noWay(e) || isLost(from) {
		return &RouteError{NoRoute, lostWay, err}
	}
	return err
}

// explainHop is explainSilence of a connect that may have gone another way than this
// machine's routes say, as one that is bound to an interface does: that they know no way
// says nothing of it.
func explainHop(from, addr netip.AddrPort, waited time.Duration, err error) error {
	h, e := nextHop(from, addr)
	if e != nil {
		return err
	}
	return h.explain(addr, waited, err)
}

// explain returns what err stands for, of a connect to addr by way of h that was not
// answered for so long.
func (h hop) explain(addr netip.AddrPort, waited time.Duration, err error) error {
	switch {
	case isHomeless(h.from, addr.Addr()):
		return &RouteError{NoRoute, noSource, err}
	case h.down, h.silent && (waited >= fairWait || h.addr != addr.Addr()):
		return h.blame(addr, err)
	}
	return err
}

// blame returns what err stands for, of a connect to addr that ended at its next hop,
// which does not answer.
func (h hop) blame(addr netip.AddrPort, err error) error {
	switch {
	case h.down:
		return &RouteError{NoLink, "the network interface on the way to the site has no link", err}
	case h.addr == addr.Addr() && (h.own || onLink(h.addr)):
		return &AbsentError{err}
	}
	return &RouteError{NoGateway, "the gateway on the way to the site does not answer", err}
}

// isLost reports whether a socket's own address is no longer one of this machine's, which
// has got another meanwhile.
func isLost(from netip.AddrPort) bool {
	if !from.IsValid() || from.Addr().IsUnspecified() {
		return false
	}
	own, err := isOwn(from.Addr())
	return err == nil && !own
}

const noSource = "this machine has no address to connect from, or has not made sure of it yet"

// isHomeless reports whether a connect to another machine was from a loopback address: so
// it is by IPv6 while this machine makes sure that nobody else has its own (RFC 4862,
// section 5.4). Until then it cannot ask for its neighbours either.
func isHomeless(from, to netip.Addr) bool {
	return from.IsLoopback() && !to.IsLoopback() && !to.IsUnspecified()
}
