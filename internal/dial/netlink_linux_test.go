package dial

import (
	"encoding/binary"
	"math"
	"net/netip"
	"slices"
	"syscall"
	"testing"
)

// What follows an attribute is found whatever its length, and what does not fit is left out.
func TestAttributes(t *testing.T) {
	attr := func(kind uint16, value string) []byte {
		m := binary.NativeEndian.AppendUint16(nil, uint16(4+len(value)))
		m = append(binary.NativeEndian.AppendUint16(m, kind), value...)
		for len(m)%4 > 0 {
			m = append(m, 0)
		}
		return m
	}
	cut := binary.NativeEndian.AppendUint16(nil, 9)
	for _, tt := range []struct {
		name string
		m    []byte
		skip int
		want []string
	}{
		{"none", nil, 0, nil},
		{"a body alone", make([]byte, 12), 12, nil},
		{"less than a body", make([]byte, 7), 12, nil},
		{"behind a body", slices.Concat([]byte("body"), attr(1, "abcd")), 4, []string{"abcd"}},
		{"several", slices.Concat(attr(1, "abcd"), attr(2, "abcde"), attr(3, "abcdef"), attr(4, "abcdefg"), attr(5, "abcdefgh")), 0, []string{"abcd", "abcde", "abcdef", "abcdefg", "abcdefgh"}},
		{"behind one without a value", slices.Concat(attr(1, ""), attr(2, "abcd")), 0, []string{"abcd"}},
		{"behind one too short for a number", slices.Concat(attr(1, "abc"), attr(2, "abcd")), 0, []string{"abcd"}},
		{"without the end of its alignment", attr(1, "abcde")[:9], 0, []string{"abcde"}},
		{"one that is cut", slices.Concat(attr(1, "abcd"), cut, []byte("\x02\x00abcd")), 0, []string{"abcd"}},
		{"one without a length", slices.Concat(attr(1, "abcd"), make([]byte, 4), attr(2, "abcd")), 0, []string{"abcd"}},
	} {
		var got []string
		for a := range attributes(tt.m, tt.skip) {
			if got = append(got, string(a.value)); int(a.kind) < len(got) {
				t.Errorf("%s: attribute %d is of kind %d", tt.name, len(got), a.kind)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: attributes(%x) = %q; want %q", tt.name, tt.m, got, tt.want)
		}
	}
}

// A request has its attributes where the kernel looks for them: each begins at a multiple of
// four.
func TestRequest(t *testing.T) {
	body, want := make([]byte, 12), []string{"abcd", "abcde", "abcdef", "abcdefg", "abcdefgh"}
	var attrs []attribute
	for i, value := range want {
		attrs = append(attrs, attribute{uint16(i), []byte(value)})
	}
	m := request(syscall.RTM_GETROUTE, syscall.NLM_F_DUMP, body, attrs...)
	all, err := syscall.ParseNetlinkMessage(m)
	if err != nil || len(all) != 1 || all[0].Header.Type != syscall.RTM_GETROUTE || all[0].Header.Flags != syscall.NLM_F_REQUEST|syscall.NLM_F_DUMP {
		t.Fatalf("request() = %x, which is %+v, %v; want one request", m, all, err)
	}
	var got []string
	for a := range attributes(all[0].Data, len(body)) {
		got = append(got, string(a.value))
	}
	if !slices.Equal(got, want) {
		t.Errorf("request() has %q; want %q", got, want)
	}
}

func FuzzAttributes(f *testing.F) {
	f.Add([]byte("\x08\x00\x04\x00\x02\x00\x00\x00\x08\x00\x05\x00\xc6\x12\x00\x01"))
	f.Fuzz(func(t *testing.T, m []byte) {
		n := 0
		for a := range attributes(m, 0) {
			n += 4 + len(a.value)
		}
		if n > len(m) {
			t.Errorf("attributes(%x) has %d bytes; want at most %d", m, n, len(m))
		}
	})
}

// The way to a loopback address is itself, from itself, and it is not silent.
func TestNextHop(t *testing.T) {
	for _, addr := range []string{"127.0.0.1", "::1"} {
		to := netip.MustParseAddr(addr)
		if h, err := nextHop(netip.AddrPort{}, netip.AddrPortFrom(to, 80)); err != nil || h.addr != to || h.from != to || h.link == 0 || h.silent || h.down {
			t.Errorf("nextHop(%s) = %+v, %v; want itself, from itself", addr, h, err)
		}
	}
}

// A link of which nothing can be told is well.
func TestLinkUnknown(t *testing.T) {
	fd, err := openRoutes()
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	const link = math.MaxInt32
	if _, err := askLink(fd, link); err != syscall.ENODEV || isDown(fd, link) || isEmptyBridge(fd, link) {
		t.Errorf("link %d, which is not there: %v, and is down or a bridge; want neither, and %v", link, err, syscall.ENODEV)
	}
}
