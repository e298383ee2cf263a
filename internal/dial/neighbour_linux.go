package dial

import (
	"encoding/binary"
	"io"
	"net/netip"
	"syscall"

	"example.com/checker/internal/errno"
)

// A hop is the next station on the way to an address.
type hop struct {
	from   netip.Addr // this machine's address; zero if that is not known
	addr   netip.Addr // a gateway, or the address itself on this machine's own link
	link   int        // index of the network interface
	down   bool       // that has nothing at its other end
	silent bool       // the hop does not answer ARP or neighbour discovery
	own    bool       // a route has addr in a network of this machine's own
}

// nextHop asks this machine's routes and its table of neighbours about the way to an
// address (rtnetlink(7)) from a socket's own, which is zero if it is not known; nothing
// is sent. The error is an errno where there is no way.
func nextHop(from, to netip.AddrPort) (hop, error) {
	fd, err := openRoutes()
	if err != nil {
		return hop{}, err
	}
	defer syscall.Close(fd)

	h, source, err := route(fd, from, to)
	if err == nil && !from.IsValid() && source.IsValid() { // rules may look at it, as connect(2) has them do
		from = netip.AddrPortFrom(source, 0)
		h, _, err = route(fd, from, to)
	}
	if err != nil {
		return hop{}, err
	}
	h.from = from.Addr()
	h.down, h.silent = isDown(fd, h.link), isSilent(fd, h)
	if h.addr != to.Addr() {
		return h, nil
	}
	if h.down && isEmptyBridge(fd, h.link) {
		h.down, h.silent = false, true
	}
	if h.silent {
		h.own = isOwnNetwork(fd, to)
	}
	return h, nil
}

// askRoute asks for the route of a connect.
func askRoute(fd int, to netip.AddrPort, flags uint32, more ...attribute) ([]byte, error) {
	const ipProto, dport = 27, 29 // RTA_IP_PROTO, RTA_DPORT: for rules
	dst := to.Addr().AsSlice()
	m := make([]byte, syscall.SizeofRtMsg)
	m[0], m[1] = familyOf(to.Addr()), byte(8*len(dst))
	binary.NativeEndian.PutUint32(m[8:], flags)
	return askKernel(fd, syscall.RTM_GETROUTE, 0, m, append(more,
		attribute{syscall.RTA_DST, dst},
		attribute{ipProto, []byte{syscall.IPPROTO_TCP}},
		attribute{dport, binary.BigEndian.AppendUint16(nil, to.Port())})...)
}

// route returns the hop of a connect from an address, and the one that it would be from.
// Of a connect whose address is not known yet the kernel wants to know none. Its port
// counts where routes are shared among gateways by it, which of IPv6 the kernel chooses
// before there is a port.
func route(fd int, from, to netip.AddrPort) (h hop, source netip.Addr, err error) {
	const sport = 28 // RTA_SPORT
	var more []attribute
	if from.IsValid() {
		more = append(more, attribute{syscall.RTA_SRC, from.Addr().AsSlice()})
	}
	if from.Port() != 0 && to.Addr().Is4() {
		more = append(more, attribute{sport, binary.BigEndian.AppendUint16(nil, from.Port())})
	}
	answer, err := askRoute(fd, to, 0, more...)
	if err != nil {
		return hop{}, source, err
	}
	const via = 18 // RTA_VIA: a gateway of the other family
	h = hop{addr: to.Addr()}
	for a := range attributes(answer, syscall.SizeofRtMsg) {
		switch a.kind {
		case syscall.RTA_OIF:
			h.link = int(int32(binary.NativeEndian.Uint32(a.value)))
		case syscall.RTA_PREFSRC:
			source, _ = netip.AddrFromSlice(a.value)
		case syscall.RTA_GATEWAY:
			h.addr, _ = netip.AddrFromSlice(a.value)
		case via:
			h.addr, _ = netip.AddrFromSlice(a.value[2:])
		}
	}
	return h, source, nil
}

// isOwn reports whether an address is of this machine: it may have whole networks, as it
// has that of loopback.
func isOwn(addr netip.Addr) (own bool, err error) {
	fd, err := openRoutes()
	if err != nil {
		return false, err
	}
	defer syscall.Close(fd)
	answer, err := askRoute(fd, netip.AddrPortFrom(addr.WithZone(""), 0), 0)
	return err == nil && answer[7] == syscall.RTN_LOCAL, err // rtm_type
}

// isOwnNetwork reports whether a route makes the network of an address one of this
// machine's, as it does where the machine's own address is a network of one: by DHCPv6,
// and in clouds. A route for nearly everything is a default route, or a piece of one.
func isOwnNetwork(fd int, to netip.AddrPort) bool {
	const (
		fibMatch = 0x2000 // RTM_F_FIB_MATCH: the route itself
		least    = 8
	)
	answer, err := askRoute(fd, to, fibMatch)
	return err == nil && least <= answer[1]
}

// askLink asks about a network interface.
func askLink(fd, link int) ([]byte, error) {
	const (
		extMask = 29 // IFLA_EXT_MASK
		noStats = 8  // RTEXT_FILTER_SKIP_STATS
	)
	m := make([]byte, syscall.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(m[4:], uint32(link))
	return askKernel(fd, syscall.RTM_GETLINK, 0, m, attribute{extMask, binary.NativeEndian.AppendUint32(nil, noStats)})
}

// isDown reports whether a network interface is down or has nothing at its other end. If
// that cannot be told, it is well.
func isDown(fd, link int) bool {
	answer, err := askLink(fd, link)
	return err == nil && binary.NativeEndian.Uint32(answer[8:])&syscall.IFF_RUNNING == 0
}

// isEmptyBridge reports whether a network interface is a bridge to which nobody is
// connected. Its network is in this machine alone, as that of containers is, and is whole.
func isEmptyBridge(fd, link int) bool {
	const linkInfo, infoKind, master = 18, 1, 10 // IFLA_LINKINFO, IFLA_INFO_KIND, IFLA_MASTER
	answer, err := askLink(fd, link)
	if err != nil || binary.NativeEndian.Uint32(answer[8:])&syscall.IFF_UP == 0 {
		return false
	}
	bridge := false
	for a := range attributes(answer, syscall.SizeofIfInfomsg) {
		if a.kind != linkInfo {
			continue
		}
		for b := range attributes(a.value, 0) {
			bridge = bridge || b.kind == infoKind && string(b.value) == "bridge\x00"
		}
	}
	if !bridge {
		return false
	}
	_, err = askKernel(fd, syscall.RTM_GETLINK, syscall.NLM_F_DUMP, make([]byte, syscall.SizeofIfInfomsg),
		attribute{master, binary.NativeEndian.AppendUint32(nil, uint32(link))})
	return err == io.EOF
}

// isSilent reports whether the table of neighbours has it that a hop does not answer. One
// that did before is asked again, and answers to that at once if it is there.
func isSilent(fd int, h hop) bool {
	const (
		dst, cacheInfo            = 1, 3             // NDA_DST, NDA_CACHEINFO
		incomplete, probe, failed = 0x01, 0x10, 0x20 // NUD_INCOMPLETE, NUD_PROBE, NUD_FAILED
		patience                  = 20               // in hundredths of a second
	)
	m := make([]byte, 12) // struct ndmsg
	m[0] = familyOf(h.addr)
	binary.NativeEndian.PutUint32(m[4:], uint32(h.link))
	entry, err := askKernel(fd, syscall.RTM_GETNEIGH, 0, m, attribute{dst, h.addr.AsSlice()})
	if err != nil {
		return false
	}
	state := binary.NativeEndian.Uint16(entry[8:])
	if state&probe != 0 {
		for a := range attributes(entry, len(m)) {
			if a.kind == cacheInfo && len(a.value) >= 12 {
				return binary.NativeEndian.Uint32(a.value[8:]) >= patience
			}
		}
	}
	return state&(incomplete|failed) != 0
}

func familyOf(addr netip.Addr) byte {
	if addr.Is6() {
		return syscall.AF_INET6
	}
	return syscall.AF_INET
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
