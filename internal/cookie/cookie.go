// Package cookie keeps the cookies of one visitor, as browsers do (RFC 6265bis): no
// cookie goes where it would not go from there, since others must not see it, and
// none is missing, since many a site redirects for ever without.
//
// It is not [net/http/cookiejar], which knows neither the prefixes of names nor that
// http has no say in cookies of https, and compares paths as they are decoded.
package cookie

import (
	"cmp"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"example.com/checker/internal/target"
)

const (
	maxPair    = 4 << 10  // bytes of a name and its value, as in Chromium
	maxJar     = 64 << 10 // bytes of all cookies
	maxCookies = 300
)

// A Jar has what one visitor of sites brings along and what they give to it. The
// zero Jar is empty. It is not safe for concurrent use: a visitor is in one place at
// a time.
type Jar struct {
	own   []string // "name=value", for the home of the visitor only
	sites []cookie // of sites, the oldest first
}

// A cookie is one that a site set.
type cookie struct {
	name, value string
	domain      string // the host that it is for, and if it is wide those below it
	wide        bool
	path        string
	secure      bool
	end         time.Time // zero: with the visit
}

// New returns a Jar with the cookies of a Cookie field. They are for the origin
// that the visitor calls home, and unlike those of sites for that scheme, host and
// port alone.
func New(own string) *Jar {
	j := new(Jar)
	for pair := range strings.SplitSeq(own, ";") {
		if pair = trim(pair); pair != "" {
			j.own = append(j.own, pair)
		}
	}
	return j
}

// Take takes in the Set-Cookie fields of an answer from u, whose Date is date. A cookie
// of the visitor's own gives way to one of the same name that its home sets or deletes;
// other sites have no say in it.
func (j *Jar) Take(u *url.URL, fields []string, date string, home bool) {
	now := time.Now()
	for _, field := range fields {
		c, ok := parse(field, u, now, date)
		if !ok || !isSecure(u) && slices.ContainsFunc(j.sites, c.spoils) {
			continue
		}
		j.set(c, now)
		if home {
			j.own = slices.DeleteFunc(j.own, func(pair string) bool { return name(pair) == c.name })
		}
	}
}

// set puts c in the place of the one that it replaces. The oldest make room for it.
func (j *Jar) set(c cookie, now time.Time) {
	i := slices.IndexFunc(j.sites, c.replaces)
	switch over := c.ended(now); {
	case over && i >= 0:
		j.sites = slices.Delete(j.sites, i, i+1)
		return
	case over:
		return
	case i >= 0:
		j.sites[i] = c
	default:
		j.sites = append(j.sites, c)
	}
	size := 0
	for _, c := range j.sites {
		size += c.size()
	}
	for size > maxJar || len(j.sites) > maxCookies {
		size -= j.sites[0].size()
		j.sites = slices.Delete(j.sites, 0, 1)
	}
}

// Field returns the Cookie field of a request for u, "" for none. There is only one
// (RFC 6265, section 5.4). Those for the longest paths come first.
func (j *Jar) Field(u *url.URL, home bool) string {
	var pairs []string
	if home {
		pairs = slices.Clone(j.own)
	}
	now := time.Now()
	sent := slices.DeleteFunc(slices.Clone(j.sites), func(c cookie) bool { return c.ended(now) || !c.isFor(u) })
	slices.SortStableFunc(sent, func(a, b cookie) int { return cmp.Compare(len(b.path), len(a.path)) })
	for _, c := range sent {
		if c.name == "" {
			pairs = append(pairs, c.value)
		} else {
			pairs = append(pairs, c.name+"="+c.value)
		}
	}
	return strings.Join(pairs, "; ")
}

func (c cookie) size() int { return len(c.name) + len(c.value) + len(c.domain) + len(c.path) }

func (c cookie) ended(now time.Time) bool { return !c.end.IsZero() && !c.end.After(now) }

// isFor reports whether c is sent to u.
func (c cookie) isFor(u *url.URL) bool {
	return (u.Hostname() == c.domain || c.wide && isBelow(u.Hostname(), c.domain)) && isInPath(path(u), c.path) && (!c.secure || isSecure(u))
}

// replaces reports whether c takes the place of old.
func (c cookie) replaces(old cookie) bool {
	return c.name == old.name && c.domain == old.domain && c.wide == old.wide && c.path == old.path
}

// spoils reports whether c would be sent together with old, which is for https, and
// could be taken for it.
func (c cookie) spoils(old cookie) bool {
	return old.secure && c.name == old.name && isInPath(c.path, old.path) &&
		(c.domain == old.domain || isBelow(c.domain, old.domain) || isBelow(old.domain, c.domain))
}

// setDomain makes c a cookie of u's host or, with the value of a Domain attribute, of
// one above it. It reports whether u may set it.
func (c *cookie) setDomain(u *url.URL, attribute string) bool {
	host := u.Hostname()
	c.domain = host
	domain := strings.TrimPrefix(attribute, ".")
	switch {
	case attribute == "":
		return true
	case isAddr(host):
		return domain == host
	case domain != host && !isBelow(host, domain):
		return false
	}
	bare := strings.TrimSuffix(domain, ".") // as package publicsuffix wants it
	if suffix, _ := publicsuffix.PublicSuffix(bare); suffix == bare {
		return domain == host // and of no other
	}
	c.domain, c.wide = strings.Clone(domain), true
	return true
}

// isBelow reports whether host is a name below another.
func isBelow(host, domain string) bool {
	above, found := strings.CutSuffix(host, domain)
	return found && strings.HasSuffix(above, ".") && domain != "" && !isAddr(host)
}

// isInPath reports whether a path is at or below another (RFC 6265, section 5.1.4).
func isInPath(path, above string) bool {
	rest, found := strings.CutPrefix(path, above)
	return found && (rest == "" || rest[0] == '/' || strings.HasSuffix(above, "/"))
}

func isAddr(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// isSecure reports whether nobody on the way to u can read along. On loopback nobody
// can, as browsers have it.
func isSecure(u *url.URL) bool {
	host := strings.TrimSuffix(u.Hostname(), ".")
	addr, err := netip.ParseAddr(host)
	return u.Scheme == "https" || err == nil && addr.IsLoopback() || host == "localhost" || isBelow(host, "localhost")
}

// path returns the path of u as it is sent: cookies know no escapes.
func path(u *url.URL) string { return cmp.Or(target.Path(u), "/") }

func name(pair string) string {
	key, _, found := strings.Cut(pair, "=")
	if !found {
		return ""
	}
	return trim(key)
}

func trim(s string) string { return strings.Trim(s, " \t") }
