package dial

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// controlMessage is what the kernel gives along with an entry of its queue of errors.
func controlMessage(level, typ int32, data []byte) []byte {
	b := make([]byte, syscall.CmsgSpace(len(data)))
	h := (*syscall.Cmsghdr)(unsafe.Pointer(&b[0])) // its lengths are the machine's
	h.Level, h.Type = level, typ
	h.SetLen(syscall.CmsgLen(len(data)))
	copy(b[syscall.CmsgLen(0):], data)
	return b
}

// extendedErr is a struct sock_extended_err of "host unreachable", and who said so.
func extendedErr(origin, typ, code byte, by []byte) []byte {
	m := make([]byte, lenExtendedErr, 64)
	binary.NativeEndian.PutUint32(m, uint32(syscall.EHOSTUNREACH))
	m[4], m[5], m[6] = origin, typ, code
	return append(m, by...)
}

// sockaddr is a struct sockaddr of an address.
func sockaddr(addr string) []byte {
	a := netip.MustParseAddr(addr)
	if a.Is4() {
		return append(binary.NativeEndian.AppendUint16(nil, syscall.AF_INET), append(make([]byte, 2), a.AsSlice()...)...)
	}
	return append(binary.NativeEndian.AppendUint16(nil, syscall.AF_INET6), append(make([]byte, 6), a.AsSlice()...)...)
}

// A message of ICMP is told by type, code and sender. What this machine says of itself is
// none, and without a sender there is nobody to name.
func TestExtendedErr(t *testing.T) {
	const ip, ip6, local, icmp, icmp6 = syscall.IPPROTO_IP, syscall.IPPROTO_IPV6, originLocal, 2, 3
	router, router6 := sockaddr("198.18.0.1"), sockaddr("2001:db8::1")
	by, by6 := netip.MustParseAddr("198.18.0.1"), netip.MustParseAddr("2001:db8::1")
	const number = syscall.EHOSTUNREACH
	for _, tt := range []struct {
		name       string
		level, typ int32
		data       []byte
		want       icmpMessage
	}{
		{"of IPv4", ip, syscall.IP_RECVERR, extendedErr(icmp, 3, 1, router), icmpMessage{by: by, typ: 3, code: 1, errno: number}},
		{"of IPv6", ip6, syscall.IPV6_RECVERR, extendedErr(icmp6, 1, 3, router6), icmpMessage{by: by6, ipv6: true, typ: 1, code: 3, errno: number}},
		{"of IPv6, by a mapped address", ip6, syscall.IPV6_RECVERR, extendedErr(icmp6, 1, 3, sockaddr("::ffff:198.18.0.1")), icmpMessage{by: by, ipv6: true, typ: 1, code: 3, errno: number}},
		{"of this machine", ip, syscall.IP_RECVERR, extendedErr(local, 3, 1, router), icmpMessage{}},
		{"without a sender", ip, syscall.IP_RECVERR, extendedErr(icmp, 3, 1, nil), icmpMessage{typ: 3, code: 1, errno: number}},
		{"by half a family", ip, syscall.IP_RECVERR, extendedErr(icmp, 3, 1, router[:1]), icmpMessage{typ: 3, code: 1, errno: number}},
		{"by half an address", ip, syscall.IP_RECVERR, extendedErr(icmp, 3, 1, router[:7]), icmpMessage{typ: 3, code: 1, errno: number}},
		{"by half an address of IPv6", ip6, syscall.IPV6_RECVERR, extendedErr(icmp6, 1, 3, router6[:23]), icmpMessage{ipv6: true, typ: 1, code: 3, errno: number}},
		{"by no address", ip, syscall.IP_RECVERR, extendedErr(icmp, 3, 1, make([]byte, 32)), icmpMessage{typ: 3, code: 1, errno: number}},
		{"cut short", ip, syscall.IP_RECVERR, extendedErr(icmp, 3, 1, nil)[:lenExtendedErr-1], icmpMessage{}},
		{"another option of IPv4", ip, syscall.IPV6_RECVERR, extendedErr(icmp, 3, 1, router), icmpMessage{}},
		{"another option of IPv6", ip6, syscall.IP_RECVERR, extendedErr(icmp6, 1, 3, router6), icmpMessage{}},
	} {
		if got := parseExtendedErr(controlMessage(tt.level, tt.typ, tt.data)); got != tt.want {
			t.Errorf("%s: parseExtendedErr() = %+v; want %+v", tt.name, got, tt.want)
		}
	}
}

// What the kernel keeps of an error is read once.
func TestErrorQueue(t *testing.T) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	to := &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: 1} // where nobody listens
	if err := errors.Join(
		syscall.SetsockoptInt(fd, syscall.IPPROTO_IP, syscall.IP_RECVERR, 1),
		syscall.Connect(fd, to), syscall.Sendto(fd, []byte("x"), 0, to),
	); err != nil {
		t.Fatal(err)
	}
	want := icmpMessage{by: netip.MustParseAddr("127.0.0.1"), typ: 3, code: 3, errno: syscall.ECONNREFUSED}
	for _, want := range []icmpMessage{want, {}} {
		if got := readErrorQueue(fd); got != want {
			t.Errorf("readErrorQueue() = %+v; want %+v", got, want)
		}
	}
}

func FuzzExtendedErr(f *testing.F) {
	f.Add(controlMessage(syscall.IPPROTO_IP, syscall.IP_RECVERR, extendedErr(2, 3, 1, sockaddr("198.18.0.1"))))
	f.Fuzz(func(t *testing.T, control []byte) {
		m := parseExtendedErr(control)
		if icmpText(m.ipv6, m.typ, m.code) == "" {
			t.Errorf("icmpText(%t, %d, %d) = %q; want words", m.ipv6, m.typ, m.code, "")
		}
	})
}

// A next hop that is silent is to blame at once where it is a gateway, and where it is the
// site itself once it has had the time to answer.
func TestBlameHop(t *testing.T) {
	site, gateway := netip.MustParseAddrPort("198.18.0.1:80"), netip.MustParseAddr("198.18.7.1")
	cause := errors.New("no answer")
	for _, tt := range []struct {
		name   string
		hop    hop
		waited time.Duration
		want   error
	}{
		{"no link", hop{addr: site.Addr(), down: true}, 0, &RouteError{Kind: NoLink}},
		{"a gateway that answers", hop{addr: gateway}, time.Hour, cause},
		{"a gateway that does not", hop{addr: gateway, silent: true}, 0, &RouteError{Kind: NoGateway}},
		{"a site that does not yet", hop{addr: site.Addr(), silent: true, own: true}, fairWait - 1, cause},
		{"a site that does not", hop{addr: site.Addr(), silent: true, own: true}, fairWait, &AbsentError{}},
		{"no address", hop{from: netip.IPv6Loopback(), addr: gateway, silent: true}, 0, &RouteError{Kind: NoRoute}},
	} {
		got := tt.hop.explain(site, tt.waited, cause)
		route, _ := got.(*RouteError)
		want, routed := tt.want.(*RouteError)
		if fmt.Sprintf("%T", got) != fmt.Sprintf("%T", tt.want) || routed && route.Kind != want.Kind {
			t.Errorf("%s: explain() = %T(%v); want %#v", tt.name, got, got, tt.want)
		}
	}
}
