package resolve

import (
	"bytes"
	"strings"
)

// A status is what a source of nsswitch.conf says of a name.
type status uint8

const (
	success status = iota
	notFound
	unavail  // the source failed, or is not there
	tryAgain // the source is busy; none of ours ever is
	statuses
)

// A source is one of those that nsswitch.conf names for hosts, and the statuses
// after which no further one is asked.
type source struct {
	name string
	last [statuses]bool
}

// parseNSSwitch returns the sources for hosts. Without a line for them, or with
// one that cannot be read, it is files and then dns.
func parseNSSwitch(text []byte) []source {
	var line string
	for l := range bytes.Lines(text) {
		l, _, _ = bytes.Cut(l, []byte{'#'})
		key, rest, ok := strings.Cut(strings.TrimLeftFunc(string(l), isSpace), ":")
		if ok && strings.TrimRightFunc(key, isSpace) == "hosts" {
			line = rest
		}
	}
	if sources := parseSources(line); len(sources) > 0 {
		return sources
	}
	return parseSources("files dns")
}

// parseSources returns nil if s cannot be read.
func parseSources(s string) []source {
	var all []source
	for {
		s = strings.TrimLeftFunc(s, isSpace)
		if s == "" {
			return all
		}
		if s[0] == '[' {
			criteria, rest, ok := strings.Cut(s[1:], "]")
			if !ok || len(all) == 0 || !all[len(all)-1].criteria(criteria) {
				return nil
			}
			s = rest
			continue
		}
		end := strings.IndexFunc(s, func(r rune) bool { return isSpace(r) || r == '[' })
		if end < 0 {
			end = len(s)
		}
		all = append(all, source{name: s[:end], last: [statuses]bool{success: true}})
		s = s[end:]
	}
}

// criteria reads what stands between brackets, such as "!UNAVAIL=return".
func (src *source) criteria(s string) bool {
	pairs := strings.FieldsFunc(strings.ReplaceAll(s, "=", " = "), isSpace)
	if len(pairs) == 0 || len(pairs)%3 != 0 {
		return false
	}
	for ; len(pairs) > 0; pairs = pairs[3:] {
		name, not := strings.CutPrefix(strings.ToLower(pairs[0]), "!")
		st, ok := map[string]status{"success": success, "notfound": notFound, "unavail": unavail, "tryagain": tryAgain}[name]
		action := strings.ToLower(pairs[2])
		if !ok || pairs[1] != "=" || action != "return" && action != "continue" && action != "merge" {
			return false
		}
		for other := range src.last {
			if (status(other) == st) != not {
				src.last[other] = action == "return"
			}
		}
	}
	return true
}

// concerns reports whether the source, which this package cannot ask, has
// something to say of name. What it says is not known then. Where it has not,
// it says the second value.
func (src *source) concerns(name string, c *conf) (bool, status) {
	name = strings.TrimSuffix(lower(name), ".")
	switch src.name {
	case "myhostname": // systemd's, for the names of this machine and of its gateway
		own := name == lower(c.hostname) || name == "_gateway" || name == "_outbound" ||
			name == "localdomain" || strings.HasSuffix(name, ".localdomain")
		return own, notFound
	case "mdns", "mdns4", "mdns6", "mdns_minimal", "mdns4_minimal", "mdns6_minimal":
		allowed := c.mdnsAllow && !strings.HasSuffix(src.name, "_minimal")
		return isMulticast(name) || allowed, unavail
	case "resolve": // a service, which is not there without its socket
		return c.resolved, unavail
	case "mymachines":
		return c.machined, unavail
	}
	return true, unavail
}

// alone reports whether nobody but the source can know name. Other names are asked
// for in DNS as well: what is found there is found.
func (src *source) alone(name string) bool {
	return src.name == "myhostname" || src.name == "resolve" || isMulticast(name)
}

// isMulticast reports whether name is one for multicast DNS (RFC 6762), as nss-mdns
// tells them from those of private domains, such as Kubernetes' cluster.local: it has
// two labels, and the last is local.
func isMulticast(name string) bool {
	first, ok := strings.CutSuffix(strings.TrimSuffix(lower(name), "."), ".local")
	return ok && !strings.Contains(first, ".")
}
