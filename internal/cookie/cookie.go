// Package cookie keeps the cookies of one visitor.
//
// [cookiejar.Jar] decides which cookie goes where. What is here reads Set-Cookie
// as browsers do, who take more than package net/http, and keeps apart what a
// caller brings along, which no site but one may see.
package cookie

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"
)

const (
	maxPair = 4 << 10  // bytes of a name and its value, as in Chromium
	maxJar  = 64 << 10 // bytes of all Set-Cookie fields that a Jar takes in
)

// A Jar has what one visitor of sites brings along and what they give to it. The
// zero Jar is empty, and costs nothing until a site sets a cookie. It is not safe
// for concurrent use: a visitor is in one place at a time.
type Jar struct {
	own   []string       // "name=value", for the home of the visitor only
	sites *cookiejar.Jar // nil until a site sets a cookie
	size  int            // bytes of the fields that were taken in
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

// Take takes in the Set-Cookie fields of an answer from u. A cookie of the visitor's
// own gives way to one of the same name that its home sets or deletes; other sites
// have no say in it.
func (j *Jar) Take(u *url.URL, fields []string, home bool) {
	var taken []*http.Cookie
	for _, field := range fields {
		c, ok := parse(field)
		if !ok || !keepsPrefix(c, u) || j.size+len(field) > maxJar {
			continue
		}
		j.size += len(field)
		taken = append(taken, c)
		if home {
			j.own = slices.DeleteFunc(j.own, func(pair string) bool { return name(pair) == c.Name })
		}
	}
	if taken == nil {
		return
	}
	if j.sites == nil {
		j.sites, _ = cookiejar.New(&cookiejar.Options{PublicSuffixList: publicsuffix.List}) // there is no error
	}
	j.sites.SetCookies(portless(u), taken)
}

// Field returns the Cookie field of a request for u, "" for none. There is only one
// (RFC 6265, section 5.4).
func (j *Jar) Field(u *url.URL, home bool) string {
	var pairs []string
	if home {
		pairs = slices.Clone(j.own)
	}
	if j.sites != nil {
		for _, c := range j.sites.Cookies(portless(u)) {
			if c.Name == "" {
				pairs = append(pairs, c.Value)
			} else {
				pairs = append(pairs, c.Name+"="+c.Value)
			}
		}
	}
	return strings.Join(pairs, "; ")
}

// portless returns u without its port, which no cookie knows of: package cookiejar
// would tell "[::1]" from "[::1]:8080".
func portless(u *url.URL) *url.URL {
	return &url.URL{Scheme: u.Scheme, Host: u.Hostname(), Path: u.Path}
}

// parse reads a Set-Cookie field (RFC 6265bis, section 5.6). [http.ParseSetCookie] has the attributes, but
// refuses names such as "a[b]", values in JSON and cookies without a name, which
// browsers send back.
func parse(field string) (*http.Cookie, bool) {
	pair, attributes, _ := strings.Cut(field, ";")
	key, value, found := strings.Cut(pair, "=")
	if !found {
		key, value = "", pair
	}
	key, value = trim(key), trim(value)
	if key == "" && value == "" || len(key)+len(value) > maxPair || hasControl(key) || hasControl(value) {
		return nil, false
	}
	c, err := http.ParseSetCookie("c=v" + tidied(attributes))
	if err != nil {
		return nil, false
	}
	// The copies let go of the head that they came in.
	c.Name, c.Value, c.Raw = strings.Clone(key), strings.Clone(value), ""
	if c.MaxAge > 0 {
		// A visit is shorter, and package cookiejar makes past of a far future.
		c.MaxAge, c.Expires = 0, time.Time{}
	}
	return c, true
}

// keepsPrefix reports whether a cookie from u is what its name says (RFC 6265bis, section
// 4.1.3). Others are passed over.
func keepsPrefix(c *http.Cookie, u *url.URL) bool {
	secure := c.Secure && u.Scheme == "https"
	switch name := strings.ToLower(c.Name); {
	case strings.HasPrefix(name, "__host-"):
		return secure && c.Path == "/" && c.Domain == ""
	case strings.HasPrefix(name, "__secure-"):
		return secure
	}
	return true
}

// tidied returns attributes without the spaces that browsers pass over.
func tidied(attributes string) string {
	var b strings.Builder
	for attribute := range strings.SplitSeq(attributes, ";") {
		key, value, found := strings.Cut(attribute, "=")
		b.WriteString("; " + trim(key))
		if found {
			b.WriteString("=" + trim(value))
		}
	}
	return b.String()
}

func name(pair string) string {
	key, _, found := strings.Cut(pair, "=")
	if !found {
		return ""
	}
	return trim(key)
}

func trim(s string) string { return strings.Trim(s, " \t") }

// hasControl reports whether s has a control character: Chromium and curl pass over
// such cookies. To both a tab is one, unlike to RFC 6265bis.
func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}
