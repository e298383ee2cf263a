package resolve

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	maxServers  = 3 // the bounds are those of the GNU C library
	maxNdots    = 15
	maxAttempts = 5
	maxTimeout  = 30
)

// A resolvConf is what resolv.conf(5) says.
type resolvConf struct {
	servers  []netip.Addr // one to maxServers
	search   []string     // without a dot at the end; "" is the root
	ndots    int          // dots from which on a name is asked for as it is before the search list
	timeout  int          // seconds that the first server has for an answer
	attempts int          // rounds through the servers

	rotate bool // every question begins with another server
	useTCP bool // and never UDP
	edns   bool
	single bool // one question at a time
	reopen bool // and each on a socket of its own
	noAAAA bool // IPv4 only
	noTLD  bool // a name without a dot is asked for in the search list only

	plain [maxServers]atomic.Bool // the server cannot do EDNS
}

// stub reports whether all servers are those of systemd-resolved on this machine, so
// that to ask them is to ask it.
func (c *resolvConf) stub() bool {
	for _, a := range c.servers {
		if a != netip.AddrFrom4([4]byte{127, 0, 0, 53}) && a != netip.AddrFrom4([4]byte{127, 0, 0, 54}) {
			return false
		}
	}
	return true
}

// parseResolvConf reads resolv.conf as the GNU C library does: a keyword begins
// its line, what is not understood is passed over, and the last search or domain
// counts. The environment's RES_OPTIONS and LOCALDOMAIN go over the file.
func parseResolvConf(text []byte, hostname string, env func(string) string) *resolvConf {
	c := &resolvConf{ndots: 1, timeout: 5, attempts: 2}
	local := env("LOCALDOMAIN")
	for line := range bytes.Lines(text) {
		key, rest, ok := cutBlank(strings.TrimRight(string(line), "\r\n"))
		if !ok {
			continue
		}
		switch key {
		case "nameserver":
			if addr, ok := parseServer(rest); ok && len(c.servers) < maxServers {
				c.servers = append(c.servers, addr)
			}
		case "domain":
			if fields := blanks(rest); local == "" && len(fields) > 0 {
				c.search = fields[:1]
			}
		case "search":
			if fields := blanks(rest); local == "" && len(fields) > 0 {
				c.search = fields
			}
		case "options":
			c.options(rest)
		}
	}
	if local != "" {
		c.search = blanks(local)
	}
	if _, domain, ok := strings.Cut(hostname, "."); ok && c.search == nil {
		c.search = []string{domain}
	}
	for i, s := range c.search {
		c.search[i] = strings.TrimSuffix(strings.TrimPrefix(s, "."), ".")
	}
	if len(c.servers) == 0 {
		c.servers = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	}
	c.options(env("RES_OPTIONS"))
	return c
}

// cutBlank cuts a line at its first space or tab, which it must have.
func cutBlank(line string) (key, rest string, ok bool) {
	i := strings.IndexAny(line, " \t")
	if i < 0 {
		return "", "", false
	}
	return line[:i], line[i+1:], true
}

// blanks splits s at spaces and tabs, and at nothing else.
func blanks(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\t' })
}

func (c *resolvConf) options(s string) {
	for _, opt := range blanks(s) {
		switch key, value, _ := strings.Cut(opt, ":"); key {
		case "ndots":
			c.ndots = leading(value, maxNdots)
		case "timeout":
			c.timeout = max(1, leading(value, maxTimeout))
		case "attempts":
			c.attempts = max(1, leading(value, maxAttempts))
		default:
			on := !strings.HasPrefix(opt, "-")
			c.flag(strings.TrimPrefix(opt, "-"), on)
		}
	}
}

// flag sets an option without a value. The library compares their beginnings
// only, so this does.
func (c *resolvConf) flag(opt string, on bool) {
	for _, f := range []struct {
		name string
		flag *bool
	}{
		{"rotate", &c.rotate},
		{"edns0", &c.edns},
		{"single-request-reopen", &c.reopen},
		{"single-request", &c.single},
		{"no_tld_query", &c.noTLD},
		{"no-tld-query", &c.noTLD},
		{"use-vc", &c.useTCP},
		{"no-aaaa", &c.noAAAA},
	} {
		if strings.HasPrefix(opt, f.name) {
			*f.flag = on
			return
		}
	}
}

// leading returns the number with which s begins, 0 if with none, and at most most.
func leading(s string, most int) int {
	n := 0
	for i := 0; i < len(s) && '0' <= s[i] && s[i] <= '9' && n <= most; i++ {
		n = 10*n + int(s[i]-'0')
	}
	return min(n, most)
}

// parseServer reads the address of a nameserver, also in the shorter forms that
// inet_aton(3) takes.
func parseServer(s string) (netip.Addr, bool) {
	fields := blanks(s)
	if len(fields) == 0 {
		return netip.Addr{}, false
	}
	if addr, err := netip.ParseAddr(fields[0]); err == nil {
		return addr.Unmap(), true
	}
	return parseAton(fields[0])
}

// parseAton reads an IPv4 address of one to four numbers, each of them decimal,
// octal or hexadecimal, of which the last fills what the others leave.
func parseAton(s string) (netip.Addr, bool) {
	parts := strings.Split(s, ".")
	if len(parts) > 4 || strings.ContainsAny(s, "_bBoO+-") {
		return netip.Addr{}, false
	}
	var all uint64
	for i, part := range parts {
		bits := 8
		if i == len(parts)-1 {
			bits = 8 * (4 - i)
		}
		n, err := strconv.ParseUint(part, 0, bits)
		if err != nil {
			return netip.Addr{}, false
		}
		all = all<<bits | n
	}
	return netip.AddrFrom4([4]byte{byte(all >> 24), byte(all >> 16), byte(all >> 8), byte(all)}), true
}

// patience returns how long the i-th server has for an answer: the later ones have
// their share of twice as much, and four times as much, as the first one.
func (c *resolvConf) patience(i int) time.Duration {
	seconds := c.timeout << i
	if i > 0 {
		seconds /= len(c.servers)
	}
	return time.Duration(max(1, seconds)) * time.Second
}
