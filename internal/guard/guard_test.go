package guard

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"example.com/checker/internal/emulator"
)

// edges lists every refused block with whether the addresses right before and
// right after it are public.
var edges = []struct {
	prefix        string
	before, after bool
}{
	{"0.0.0.0/8", false, true},
	{"10.0.0.0/8", true, true},
	{"100.64.0.0/10", true, true},
	{"127.0.0.0/8", true, true},
	{"168.63.129.16/32", true, true},
	{"169.254.0.0/16", true, true},
	{"172.16.0.0/12", true, true},
	{"192.0.0.0/24", true, true},
	{"192.0.2.0/24", true, true},
	{"192.31.196.0/24", true, true},
	{"192.52.193.0/24", true, true},
	{"192.88.99.0/24", true, true},
	{"192.168.0.0/16", true, true},
	{"192.175.48.0/24", true, true},
	{"198.18.0.0/15", true, true},
	{"198.51.100.0/24", true, true},
	{"203.0.113.0/24", true, true},
	{"224.0.0.0/4", true, false},
	{"240.0.0.0/4", false, false},

	{"::/3", false, true},
	{"2001::/23", true, true},
	{"2001:db8::/32", true, true},
	{"2002::/16", true, true},
	{"2620:4f:8000::/48", true, true},
	{"3fff::/20", true, true},
	{"4000::/2", true, false},
	{"8000::/1", false, false},
}

// last returns the last address of p.
func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < 8*len(b); i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// embed returns the IPv4 address a inside of the /96 prefix.
func embed(prefix string, a netip.Addr) netip.Addr {
	b := netip.MustParseAddr(prefix).As16()
	v4 := a.As4()
	copy(b[12:], v4[:])
	return netip.AddrFrom16(b)
}

func checkPublic(t *testing.T, a netip.Addr, want bool) {
	t.Helper()
	if err := Public(a); (err == nil) != want {
		t.Errorf("Public(%v) = %v; want public: %t", a, err, want)
	}
}

func TestPublicEdges(t *testing.T) {
	for _, e := range edges {
		p := netip.MustParsePrefix(e.prefix)
		for _, at := range []struct {
			addr netip.Addr
			want bool
		}{
			{p.Addr().Prev(), e.before},
			{p.Addr(), false},
			{last(p), false},
			{last(p).Next(), e.after},
		} {
			checkPublic(t, at.addr, at.want)
			if at.addr.Is4() {
				checkPublic(t, embed("::ffff:0:0", at.addr), at.want)
				checkPublic(t, embed("64:ff9b::", at.addr), at.want)
			}
		}
	}
}

// registry reads an entry list of IANA's line by line: whatever looks like a
// prefix at the beginning of a line, or after the comma of a pair.
func registry(t *testing.T, name string) (prefixes []netip.Prefix) {
	t.Helper()
	text, err := os.ReadFile("data/" + name)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^"?([0-9a-f:.]+/\d+)(?:, ([0-9a-f:.]+/\d+))?`).FindAllStringSubmatch(string(text), -1) {
		for _, s := range m[1:] {
			if s != "" {
				prefixes = append(prefixes, netip.MustParsePrefix(s))
			}
		}
	}
	return prefixes
}

// Everything that IANA lists is refused, from edge to edge, and what lies right
// beside it only if something else is listed or not global unicast.
func TestPublicIsTheRegistries(t *testing.T) {
	v4, v6 := registry(t, "iana-ipv4-special-registry-1.csv"), registry(t, "iana-ipv6-special-registry-1.csv")
	if len(v4) < 25 || len(v6) < 25 {
		t.Fatalf("read %d and %d entries; want the registries", len(v4), len(v6))
	}
	v4 = append(v4, netip.MustParsePrefix("224.0.0.0/4"), netip.MustParsePrefix("168.63.129.16/32"))
	listed := func(a netip.Addr) bool {
		for _, p := range append(v4, v6...) {
			if p.Contains(a) && p != nat64 {
				return true
			}
		}
		return false
	}
	want := func(a netip.Addr) bool {
		if nat64.Contains(a) {
			b := a.As16()
			a = netip.AddrFrom4([4]byte(b[12:]))
		}
		return !listed(a) && (a.Is4() || global6.Contains(a))
	}
	check := func(a netip.Addr) {
		if a.IsValid() && !a.Is4In6() {
			checkPublic(t, a, want(a))
		}
	}
	for _, p := range append(v4, v6...) {
		for _, a := range []netip.Addr{p.Addr().Prev(), p.Addr(), p.Addr().Next(), last(p).Prev(), last(p), last(p).Next()} {
			check(a)
		}
	}
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		var b [16]byte
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		check(netip.AddrFrom16(b))
		check(netip.AddrFrom4([4]byte(b[:4])))
		b[0] = 0x20 | b[0]&0x1f
		check(netip.AddrFrom16(b))
	}
}

// Address lists rot.
func TestRegistriesAreFresh(t *testing.T) {
	read, err := time.Parse(time.DateOnly, date)
	if err != nil {
		t.Fatal(err)
	}
	if age := time.Since(read); age > 400*24*time.Hour {
		t.Errorf(`the address registries were read on %s, over 400 days ago. To renew them, in internal/guard:
	curl -o data/iana-ipv4-special-registry-1.csv https://www.iana.org/assignments/iana-ipv4-special-registry/iana-ipv4-special-registry-1.csv
	curl -o data/iana-ipv6-special-registry-1.csv https://www.iana.org/assignments/iana-ipv6-special-registry/iana-ipv6-special-registry-1.csv
	date -I > data/date
	go generate .`, date)
	}
}

// What is compiled in is what the data says.
func TestBlocksAreGenerated(t *testing.T) {
	emulator.Skip(t, emulator.Wine, "no go command; what it generates is the same everywhere")
	before, err := os.ReadFile("blocks.go")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", "gen.go")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=", "GOARCH=") // for this machine, whatever this test was built for
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go run gen.go: %v\n%s", err, out)
	}
	after, err := os.ReadFile(filepath.Join(dir, "blocks.go"))
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("blocks.go is not what gen.go makes of the data, %v; run go generate", err)
	}
}

// The table above and the package's must name the same blocks.
func TestPublicEdgesComplete(t *testing.T) {
	known := make(map[netip.Prefix]bool)
	for _, e := range edges {
		known[netip.MustParsePrefix(e.prefix)] = true
	}
	for _, b := range append(blocks4[:len(blocks4):len(blocks4)], blocks6...) {
		if !known[b.prefix] {
			t.Errorf("no test of the edges of %v", b.prefix)
		}
		if b.prefix != b.prefix.Masked() || b.name == "" {
			t.Errorf("block %v %q; want it masked and named", b.prefix, b.name)
		}
	}
}

func TestPublicAddrs(t *testing.T) {
	for _, tt := range []struct {
		addr string
		want bool
	}{
		{"1.1.1.1", true},
		{"2606:4700:4700::1111", true},
		{"2000::", true},
		{"::ffff:1.1.1.1", true},
		{"64:ff9b::1.1.1.1", true},

		{"::", false},
		{"::1", false},
		{"::127.0.0.1", false},
		{"::1.1.1.1", false},
		{"::ffff:0:1.1.1.1", false},
		{"64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff", false},
		{"64:ff9b::1:0:0", false},
		{"64:ff9b:1::a00:1", false},
		{"64:ff9b:1:1::808:808", false},
		{"100::1", false},
		{"100:0:0:1::1", false},
		{"2001::80ff:fffe", false},
		{"2002:7f00:1::", false},
		{"2002:101:101::", false},
		{"5f00::1", false},
		{"fd00:ec2::254", false},
		{"fe80::1", false},
		{"fec0::1", false},
		{"ff02::1", false},
		{"100.100.100.200", false},
		{"169.254.169.254", false},
		{"255.255.255.255", false},

		{"2606:4700:4700::1111%eth0", false},
		{"::ffff:1.1.1.1%lo", false},
		{"fe80::1%1", false},
	} {
		checkPublic(t, netip.MustParseAddr(tt.addr), tt.want)
	}
	checkPublic(t, netip.Addr{}, false)
}

// reference judges a by the table above alone, bit by bit.
func reference(a netip.Addr) bool {
	if a.Is4In6() {
		a = a.Unmap()
	} else if b := a.AsSlice(); a.Is6() && a.Less(netip.MustParseAddr("64:ff9b::1:0:0")) && !a.Less(netip.MustParseAddr("64:ff9b::")) {
		a, _ = netip.AddrFromSlice(b[12:])
	}
	for _, e := range edges {
		p := netip.MustParsePrefix(e.prefix)
		if a.BitLen() == p.Addr().BitLen() && !a.Less(p.Addr()) && !last(p).Less(a) {
			return false
		}
	}
	return true
}

func checkProperties(t *testing.T, a netip.Addr) {
	t.Helper()
	err := Public(a)
	if want := reference(a); (err == nil) != want {
		t.Errorf("Public(%v) = %v; want public: %t", a, err, want)
	}
	if un := Public(a.Unmap()); (un == nil) != (err == nil) {
		t.Errorf("Public(%v) = %v, but Public(%v) = %v", a, err, a.Unmap(), un)
	}
}

func TestPublicRandom(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 5_000 {
		var b [16]byte
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		v4 := netip.AddrFrom4([4]byte(b[:4]))
		checkProperties(t, v4)
		checkProperties(t, embed("::ffff:0:0", v4))
		checkProperties(t, embed("64:ff9b::", v4))
		checkProperties(t, netip.AddrFrom16(b))
		b[0] = 0x20 | b[0]&0x1f // where the public ones are
		checkProperties(t, netip.AddrFrom16(b))
	}
}

func FuzzPublic(f *testing.F) {
	for _, e := range edges {
		f.Add(netip.MustParsePrefix(e.prefix).Addr().AsSlice())
	}
	f.Add([]byte{0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, 127, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, ok := netip.AddrFromSlice(b); ok {
			checkProperties(t, a)
		}
	})
}
