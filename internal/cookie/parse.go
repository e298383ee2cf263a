package cookie

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/idna"
)

const maxAttribute = 1 << 10 // bytes of an attribute's value; a longer one is passed over, as in Chromium

// parse reads a Set-Cookie field of an answer from u (RFC 6265bis, section 5.6), and
// reports whether u may set such a cookie. [http.ParseSetCookie] refuses names such
// as "a[b]", values in JSON and cookies without a name, which browsers send back, and
// dates that they read.
func parse(field string, u *url.URL, now time.Time, date string) (c cookie, ok bool) {
	pair, attributes, _ := strings.Cut(field, ";")
	key, value, found := strings.Cut(pair, "=")
	if !found {
		key, value = "", pair
	}
	key, value = trim(key), trim(value)
	if key == "" && value == "" || len(key)+len(value) > maxPair || hasControl(key) || hasControl(value) {
		return c, false
	}
	a := parseAttributes(attributes)
	// The copies let go of the head that they came in.
	c = cookie{name: strings.Clone(key), value: strings.Clone(value), path: strings.Clone(a["path"]), end: end(a, now, date)}
	_, c.secure = a["secure"]
	domain, err := hostOf(a["domain"])
	if err != nil || !c.setDomain(u, domain) || c.secure && !isSecure(u) || !c.keepsPrefix(a) {
		return c, false
	}
	if c.path == "" {
		c.path = "/"
		if p := path(u); strings.LastIndexByte(p, '/') > 0 {
			c.path = p[:strings.LastIndexByte(p, '/')]
		}
	}
	return c, true
}

// parseAttributes returns what counts of the attributes, by names in lower case. Of
// two the last counts.
func parseAttributes(s string) map[string]string {
	a := make(map[string]string)
	for attribute := range strings.SplitSeq(s, ";") {
		key, value, _ := strings.Cut(attribute, "=")
		key, value = strings.ToLower(trim(key)), trim(value)
		switch {
		case len(value) > maxAttribute:
			continue
		case key == "path" && !strings.HasPrefix(value, "/"):
			value = "" // the default
		}
		a[key] = value
	}
	return a
}

// end returns when a cookie with such attributes ends, the zero time for never. A
// server's clock made the date, so if it tells its time, that counts.
func end(a map[string]string, now time.Time, date string) time.Time {
	if age, ok := parseAge(a["max-age"]); ok {
		return now.Add(age)
	}
	t, ok := parseDate(a["expires"])
	if !ok {
		return time.Time{}
	}
	if server, err := http.ParseTime(date); err == nil {
		t = t.Add(now.Sub(server))
	}
	return t
}

// parseAge reads a Max-Age, in quotes too, as curl does.
func parseAge(s string) (time.Duration, bool) {
	const most = 1 << 32 // seconds, which no visit lasts
	s = strings.Trim(s, `"`)
	n, err := strconv.ParseInt(s, 10, 64)
	if digits := strings.TrimLeft(s, "+-"); err != nil && (digits == "" || strings.Trim(digits, "0123456789") != "") {
		return 0, false
	}
	return time.Duration(min(max(0, n), most)) * time.Second, true // n is the nearest there is
}

// hostOf returns the value of a Domain attribute as URLs have hosts.
func hostOf(domain string) (string, error) {
	domain = strings.ToLower(domain)
	if strings.Trim(domain, ascii) == "" {
		return domain, nil
	}
	return idna.Lookup.ToASCII(domain)
}

// ascii has the characters of host names that need no mapping.
const ascii = "abcdefghijklmnopqrstuvwxyz0123456789-_.:[]"

// keepsPrefix reports whether c is what its name promises (RFC 6265bis, section
// 4.1.3). One without a name must not look as if it had such a name.
func (c *cookie) keepsPrefix(a map[string]string) bool {
	text := strings.ToLower(c.name)
	if c.name == "" {
		text = strings.ToLower(c.value)
	}
	switch {
	case strings.HasPrefix(text, "__secure-"):
		return c.name != "" && c.secure
	case strings.HasPrefix(text, "__host-"):
		return c.name != "" && c.secure && a["domain"] == "" && c.path == "/"
	}
	return true
}

// hasControl reports whether s has a control character. Browsers pass over a cookie
// with one in its name or its value, be it a tab.
func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}
