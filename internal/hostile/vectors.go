package hostile

import (
	"fmt"
	"net/netip"
	"slices"
)

// A Vector is a URL by which a stranger may try to make a checker connect to an
// address that is not public.
type Vector struct {
	URL  string // absolute
	Want string // the reason that a check of it ends with, if public addresses alone are allowed
}

// What a Vector ends with.
const (
	blocked  = "blocked"
	invalid  = "invalid"
	sinkhole = "dns" // 0.0.0.0 and :: as a resolver's answer are a filter's
)

// private lists addresses that are not public, in as many spellings as a URL
// may have of them: loopback, private use, link local, shared, reserved, what
// clouds serve their own machines, and IPv6 addresses with an IPv4 address
// inside.
var private = []string{
	"127.0.0.1", "127.0.0.2", "127.127.127.127", "127.255.255.254",
	"0.0.0.0", "0.0.0.1", "0.255.255.255",
	"10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255",
	"100.64.0.1", "100.100.100.200", "100.127.255.255",
	"169.254.169.254", "169.254.170.2", "169.254.0.1", "168.63.129.16", "192.0.0.192",
	"192.0.2.1", "198.51.100.1", "203.0.113.1", "192.88.99.2", "198.18.0.1", "198.19.255.255",
	"224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",

	"::", "::1", "0:0:0:0:0:0:0:1", "0000:0000:0000:0000:0000:0000:0000:0001", "::0.0.0.1",
	"::ffff:127.0.0.1", "::ffff:7f00:1", "::FFFF:7F00:0001", "::ffff:0.0.0.0", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe",
	"::127.0.0.1", "::ffff:0:127.0.0.1", "::ffff:0:7f00:1",
	"64:ff9b::7f00:1", "64:ff9b::127.0.0.1", "64:FF9B::7F00:0001", "0064:ff9b:0:0:0:0:7f00:0001",
	"64:ff9b::a9fe:a9fe", "64:ff9b::10.0.0.1", "64:ff9b::0.0.0.0",
	"64:ff9b:1::a00:1", "64:ff9b:1:1::808:808", "2001:db8:64::10.0.0.1",
	"2002:7f00:1::", "2002:A00:1::1", "2001:0:0:0:0:0:80ff:fffe", "2001::80ff:fffe",
	"fc00::1", "fd00:ec2::254", "FD00:0EC2::254", "fd20:ce::254", "fe80::1", "fe80::a9fe:a9fe", "fec0::1", "ff02::1",
	"100::1", "100:0:0:1::1", "5f00::1", "3fff::1", "2001:db8::1", "4000::1",
}

// public lists addresses that are public, many of them next to one that is not.
var public = []string{
	"1.1.1.1", "8.8.8.8", "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
	"128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0",
	"168.63.129.15", "168.63.129.17", "198.17.255.255", "198.20.0.0", "223.255.255.255",
	"2606:4700:4700::1111", "2a00:1450:4001::1", "2000::1", "3ffe:ffff::1", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "64:ff9b::808:808",
}

// names are names of the inside, and some of strangers who own the name and
// have it say what they like.
var names = map[string][]string{
	"localhost":                {"127.0.0.1", "::1"},
	"x.localhost":              {"127.0.0.1"},
	"ip6-localhost":            {"::1"},
	"metadata.google.internal": {"169.254.169.254"},
	"kubernetes.default.svc":   {"10.96.0.1"},
	"redis":                    {"10.96.0.2"},
	"good.test":                {"10.0.0.1"}, // listed as good by its name
	"two.test":                 {"10.0.0.1", "127.0.0.1"},
	"both.test":                {"169.254.169.254", "fd00:ec2::254"},
	"many.test":                {"127.0.0.1", "127.0.0.2", "10.0.0.1", "192.168.0.1", "::1", "fd00:ec2::254", "fe80::1", "64:ff9b::7f00:1"},
}

// web lists what follows "http://" or "https://", with what becomes of it.
var web = map[string][]string{
	blocked: {
		"127.0.0.1:80/", "127.0.0.1:443/", "127.0.0.1:8080/", "10.0.0.1:22/", "[::1]:80/", "[::1]:443/", "[::ffff:127.0.0.1]:8080/",
		"127.0.0.1:00080/", "169.254.169.254/latest/meta-data/", "169.254.170.2/v2/credentials",
		"good.test@127.0.0.1/", "good.test:80@127.0.0.1:80/", "1.1.1.1@127.0.0.1/", "1.1.1.1:80@[::1]:80/", "a@b@127.0.0.1/",
		"127.0.0.1#@1.1.1.1/", "127.0.0.1?@1.1.1.1/", "127.0.0.1/@1.1.1.1/", "127.0.0.1#.1.1.1.1/",
		"localhost/", "LOCALHOST/", "LocalHost:8080/", "localhost./", "x.localhost/", "ip6-localhost/", "ｌocalhost/",
		"metadata.google.internal/", "METADATA.google.internal./", "kubernetes.default.svc/", "redis/",
		"GOOD.test./", "good.test/", "two.test/", "both.test/", "many.test/",
	},
	invalid: {
		"0/", "127.1/", "127.0.1/", "2130706433/", "017700000001/", "0x7f000001/", "0x7f.1/", "0177.0.0.1/", "0x7f.0x0.0x0.0x1/",
		"00000177.0.0.1/", "127.0.0.1./", "127.0.0.1.:80/", "127.0.0.01/", "2852039166/", "0xa9fea9fe/", "0xA9FEA9FE/", "0xa9.254.169.254/",
		"4294967297/", "127.0.0.1.1/", "256.0.0.1/", "1.1.1.1.127.1/", "good.test.0x7f000001/",
		"①②⑦.⓪.⓪.①/", "127。0。0。1/", "127．0．0．1/", "127｡0｡0｡1/", "１２７.0.0.1/", "127.0.0.１/", "0ｘ7f000001/", "[①::1]/", "[：：1]/",
		"%31%32%37.0.0.1/", "127.0.0.%31/", "%6cocalhost/", "[%3a:1]/", "%5b::1%5d/",
		"[fe80::1%25lo]/", "[fe80::1%lo]/", "[::1%25lo]/", "[::1%lo]/", "[::ffff:127.0.0.1%25lo]/", "[::ffff:127.0.0.1%lo]/", "[::1%]/",
		"::1/", "::1:80/", "[127.0.0.1]/", "[good.test]/", "[::1/", "::1]/", "[[::1]]/", "[::1]x/", "[::1]1.1.1.1/", "[::1].1.1.1.1/",
		"/", ":80/", ":8080/", "@/", "@:80/", "good.test@/", "?127.0.0.1", "#127.0.0.1", "[]/", "[]:80/", "./", ".:80/", "../",
		"good.test\\@127.0.0.1/", "127.0.0.1\\@good.test/", "127.0.0.1\\.good.test/", "good.test%5c@127.0.0.1/", "\\127.0.0.1/",
		"good.test%2f@127.0.0.1/", "good.test%3f@127.0.0.1/", "good.test%23@127.0.0.1/", "good.test%2f127.0.0.1/",
		"127.0.0.1:80:443/", "127.0.0.1:065535/", "127.0.0.1:99999/", "127.0.0.1:65616/", "127.0.0.1:0/", "127.0.0.1:-80/", "127.0.0.1:+80/",
		"127.0.0.1:8０/", "127.0.0.1:0x50/", "127.0.0.1: 80/", "127.0.0.1 :80/", "127.0.0.1 good.test/", "127.0.0.1:80 good.test/",
		"127.0.0.1%00.good.test/", "127.0.0.1%0d%0aHost:good.test/", "127.0.0.1%20/", "127.0.0.1%09/", "good.test%0a127.0.0.1/",
		"127.0.0.1,good.test/", "127.0.0.1;good.test/", "127.0.0.1&good.test/", "good.test|127.0.0.1/", "{127.0.0.1}/", "<127.0.0.1>/", "`127.0.0.1`/",
		"127..0.0.1/", ".127.0.0.1/", "good..test/", "/127.0.0.1/", "//127.0.0.1/",
	},
}

// other lists URLs with a scheme of their own.
var other = []string{
	"file:///etc/passwd", "file://127.0.0.1/etc/passwd", "gopher://127.0.0.1:6379/_INFO", "dict://127.0.0.1:11211/stats",
	"ftp://127.0.0.1/", "ws://127.0.0.1/", "wss://127.0.0.1/", "unix:///run/docker.sock", "http+unix://%2frun%2fdocker.sock/",
	"unix:/run/docker.sock", "jar:http://127.0.0.1!/x", "jar:https://127.0.0.1!/x", "ldap://127.0.0.1/", "tftp://127.0.0.1/x",
	"netdoc:///etc/passwd", "view-source:http://127.0.0.1/", "url:http://127.0.0.1/", "data:text/html,x", "javascript:fetch(1)",
	"http:127.0.0.1/", "http:/127.0.0.1/", "https:127.0.0.1/", "https:/127.0.0.1/", "http:\\\\127.0.0.1\\",
	"hTTp:127.0.0.1/",
}

// Vectors returns the vectors: every private address as it is and as what a
// name resolves to, every other text that may lead to one, all as http and as
// https. Their names are those of [VectorNames].
func Vectors() []Vector {
	var vs []Vector
	add := func(rest, want string) {
		vs = append(vs, Vector{"http://" + rest, want}, Vector{"https://" + rest, want})
	}
	for i, s := range private {
		a := netip.MustParseAddr(s)
		want := blocked
		if a.Unmap().IsUnspecified() {
			want = sinkhole
		}
		add(literal(s), blocked)
		add(privateName(i), want)
		add(privateName(i)+".:8080/", want)
	}
	for _, want := range []string{blocked, invalid} {
		for _, rest := range web[want] {
			add(rest, want)
		}
	}
	for _, u := range other {
		vs = append(vs, Vector{u, invalid})
	}
	return vs
}

// VectorNames returns the addresses of the names in the vectors.
func VectorNames() map[string][]string {
	all := make(map[string][]string)
	for i, s := range private {
		all[privateName(i)] = []string{netip.MustParseAddr(s).String()}
	}
	for name, addrs := range names {
		all[name] = slices.Clone(addrs)
	}
	return all
}

// PublicURLs returns URLs with addresses that are public.
func PublicURLs() []string {
	var urls []string
	for _, s := range public {
		urls = append(urls, "http://"+literal(s))
	}
	return urls
}

func privateName(i int) string { return fmt.Sprintf("private%d.test", i) }

// literal returns an address as the host of a URL, with the path after it.
func literal(s string) string {
	if netip.MustParseAddr(s).Is4() {
		return s + "/"
	}
	return "[" + s + "]/"
}
