package dial

import (
	"encoding/binary"
	"iter"
	"net"
	"net/netip"
	"syscall"

	"example.com/checker/internal/errno"
)

// A hop is the next station on the way to an address.
type hop struct {
	addr   netip.Addr // a gateway, or the address itself on this machine's own link
	link   int        // index of the network interface
	silent bool       // it does not answer ARP or neighbour discovery
}

// nextHop asks this machine's routes and its table of neighbours about the way to an
// address (rtnetlink(7)); nothing is sent. The error is an errno where there is no way.
func nextHop(to netip.Addr) (hop, error) {
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, syscall.NETLINK_ROUTE)
	if err != nil {
		return hop{}, err
	}
	defer syscall.Close(fd)

	family, dst := byte(syscall.AF_INET), to.AsSlice()
	if to.Is6() {
		family = syscall.AF_INET6
	}
	m := make([]byte, syscall.SizeofRtMsg)
	m[0], m[1] = family, byte(8*len(dst))
	route, err := askKernel(fd, syscall.RTM_GETROUTE, m, attribute{syscall.RTA_DST, dst})
	if err != nil {
		return hop{}, err
	}
	const via = 18 // RTA_VIA: a gateway of the other family
	h := hop{addr: to}
	for a := range attributes(route, syscall.SizeofRtMsg) {
		switch a.kind {
		case syscall.RTA_OIF:
			h.link = int(int32(binary.NativeEndian.Uint32(a.value)))
		case syscall.RTA_GATEWAY:
			h.addr, _ = netip.AddrFromSlice(a.value)
		case via:
			h.addr, _ = netip.AddrFromSlice(a.value[2:])
		}
	}
	h.silent = isSilent(fd, h)
	return h, nil
}

// isSilent reports whether the table of neighbours has it that a hop does not answer.
func isSilent(fd int, h hop) bool {
	const (
		dst                = 1          // NDA_DST
		incomplete, failed = 0x01, 0x20 // NUD_INCOMPLETE, NUD_FAILED
	)
	m := make([]byte, 12) // struct ndmsg
	m[0] = syscall.AF_INET
	if h.addr.Is6() {
		m[0] = syscall.AF_INET6
	}
	binary.NativeEndian.PutUint32(m[4:], uint32(h.link))
	entry, err := askKernel(fd, syscall.RTM_GETNEIGH, m, attribute{dst, h.addr.AsSlice()})
	return err == nil && len(entry) >= len(m) && binary.NativeEndian.Uint16(entry[8:])&(incomplete|failed) != 0
}

// An attribute is a part of a message.
type attribute struct {
	kind  uint16
	value []byte
}

// askKernel sends a request with one attribute and returns the body of the answer.
func askKernel(fd int, kind uint16, body []byte, a attribute) ([]byte, error) {
	const header = syscall.NLMSG_HDRLEN
	n := header + len(body) + syscall.SizeofRtAttr + len(a.value)
	m := make([]byte, header, n)
	binary.NativeEndian.PutUint32(m, uint32(n))
	binary.NativeEndian.PutUint16(m[4:], kind)
	binary.NativeEndian.PutUint16(m[6:], syscall.NLM_F_REQUEST)
	m = append(m, body...)
	m = binary.NativeEndian.AppendUint16(m, uint16(syscall.SizeofRtAttr+len(a.value)))
	m = binary.NativeEndian.AppendUint16(m, a.kind)
	m = append(m, a.value...)
	if err := syscall.Sendto(fd, m, 0, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}); err != nil {
		return nil, err
	}
	answer := make([]byte, 4<<10)
	got, _, err := syscall.Recvfrom(fd, answer, 0)
	switch {
	case err != nil:
		return nil, err
	case got < header+4:
		return nil, syscall.EBADMSG
	case binary.NativeEndian.Uint16(answer[4:]) == syscall.NLMSG_ERROR:
		return nil, syscall.Errno(-int32(binary.NativeEndian.Uint32(answer[header:])))
	}
	return answer[header:got], nil
}

// attributes yields the attributes that follow the first n bytes of a message, as far
// as they are whole and can be an address or a number.
func attributes(m []byte, n int) iter.Seq[attribute] {
	return func(yield func(attribute) bool) {
		for rest := m[min(n, len(m)):]; len(rest) >= syscall.SizeofRtAttr; {
			n := int(binary.NativeEndian.Uint16(rest))
			if n < syscall.SizeofRtAttr || n > len(rest) {
				return
			}
			a := attribute{binary.NativeEndian.Uint16(rest[2:]), rest[syscall.SizeofRtAttr:n]}
			if len(a.value) >= 4 && !yield(a) {
				return
			}
			const align = syscall.RTA_ALIGNTO
			rest = rest[min(len(rest), (n+align-1)&^(align-1)):]
		}
	}
}

// hasCarrier reports whether a network interface is up, with something at its other
// end. If that cannot be told, it is.
func (h hop) hasCarrier() bool {
	i, err := net.InterfaceByIndex(h.link)
	return err != nil || i.Flags&net.FlagRunning != 0
}

// noWay reports whether err, of nextHop, says that there is no way.
func noWay(err error) bool {
	number, _ := errno.In(err)
	switch errno.Of(number) {
	case errno.Unreachable, errno.NoNetwork, errno.Down:
		return true
	}
	return number == syscall.EACCES || number == syscall.EINVAL
}
