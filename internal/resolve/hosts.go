package resolve

import (
	"bytes"
	"net/netip"
	"strings"
)

// hosts is what hosts(5) says: the addresses of names, which are in lower case.
type hosts map[string][]netip.Addr

// parseHosts reads the hosts file. A line that begins with no address is passed
// over, and so is a zone, as the GNU C library does it. Of many addresses of a
// name the first few are kept.
func parseHosts(text []byte) hosts {
	h := make(hosts)
	for line := range bytes.Lines(text) {
		if i := bytes.IndexByte(line, '#'); i >= 0 {
			line = line[:i]
		}
		fields := strings.FieldsFunc(string(line), isSpace)
		if len(fields) < 2 {
			continue
		}
		addr, err := netip.ParseAddr(fields[0])
		if err != nil || addr.Zone() != "" {
			continue
		}
		for _, name := range fields[1:] {
			name = lower(name)
			if known := h[name]; len(known) < 2*maxAddrs {
				h[name] = append(known, addr)
			}
		}
	}
	return h
}

// isSpace is isspace(3) in the C locale.
func isSpace(r rune) bool { return r == ' ' || '\t' <= r && r <= '\r' }

// lower returns s with the letters of ASCII in lower case, and nothing else
// changed: names are bytes.
func lower(s string) string {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if 'A' <= b[i] && b[i] <= 'Z' {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

// isLocalhost reports whether name is localhost or below it (RFC 6761, section
// 6.3), whatever the case and with or without a dot at the end.
func isLocalhost(name string) bool {
	const localhost = "localhost"
	name = strings.TrimSuffix(name, ".")
	head, ok := len(name)-len(localhost), len(name) >= len(localhost)
	return ok && strings.EqualFold(name[head:], localhost) && (head == 0 || name[head-1] == '.')
}

var loopback = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}

// localhost returns the addresses of a name for which isLocalhost holds: those
// of the hosts file if they are what the name promises.
func (h hosts) localhost(name string) []netip.Addr {
	addrs := h[lower(name)]
	for _, a := range addrs {
		if !a.Unmap().IsLoopback() {
			return loopback
		}
	}
	if len(addrs) == 0 {
		return loopback
	}
	return addrs
}
