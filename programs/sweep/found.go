package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"example.com/checker"
)

// A cause is why sites are not online, as a table counts them.
type cause struct {
	reason checker.Reason
	detail string // what is finer than the reason; "" where that says all
}

func causeOf(r checker.Result) cause { return cause{r.Reason(), string(r.Cause())} }

func (c cause) String() string {
	text := printable(string(c.reason))
	if c.detail != "" {
		text += ": " + printable(c.detail)
	}
	return text
}

// meanings are the reasons in words.
var meanings = map[checker.Reason]string{
	checker.ReasonNotFound:    "the name has no address",
	checker.ReasonRefused:     "the host refused the connection",
	checker.ReasonUnreachable: "a router said that there is no such host",
	checker.ReasonReset:       "the connection was closed before an answer",
	checker.ReasonTimeout:     "no answer in time",
	checker.ReasonCertificate: "the certificate is not valid",
	checker.ReasonTLS:         "the TLS handshake failed",
	checker.ReasonMalformed:   "the answer is not HTTP",
	checker.ReasonRedirect:    "the redirects lead nowhere",
	checker.ReasonRejected:    "the status is not wanted",
	checker.ReasonInvalid:     "the line names no site",
	checker.ReasonDNS:         "the resolver failed",
	checker.ReasonLocal:       "this machine could not check",
	checker.ReasonChallenge:   "the site challenges bots",
}

// advice says what to look at where most of what is unknown is so for a reason.
var advice = map[checker.Reason]string{
	checker.ReasonInvalid:   "the lines that are no URLs (-only unknown lists them)",
	checker.ReasonDNS:       "the nameservers of this machine, in /etc/resolv.conf, and whether they stand that many questions (-c)",
	checker.ReasonLocal:     "this machine: its network, routes and firewall, its limit of descriptors (ulimit -n), its clock",
	checker.ReasonChallenge: "who asks: these sites let no program in, from this address",
}

// warning returns what a reader must know before the other figures are believed; ""
// if that is nothing.
func (s *stats) warning() string {
	n := s.statuses[checker.Unknown]
	if n*10 <= s.total {
		return ""
	}
	by := make(map[checker.Reason]int)
	for c, n := range s.causes {
		by[c.reason] += n
	}
	var most checker.Reason
	for reason := range by {
		if reason.Status() == checker.Unknown && (by[reason] > by[most] || by[reason] == by[most] && reason < most) {
			most = reason
		}
	}
	are := "are"
	if n == 1 {
		are = "is"
	}
	return fmt.Sprintf("%s of %s %s unknown, which says nothing about them. Look at %s: %s of them say %q",
		group(n), count(s.total, "site", "sites"), are, cmp.Or(advice[most], "their reasons"), group(by[most]), most)
}

// A site is a line of the list, and what is told of it.
type site struct {
	index int
	Name  string
	Text  string
}

func (s site) Line() int { return s.index + 1 }

// why says in a few words why a site is not online.
func why(r checker.Result) string {
	if e, ok := errors.AsType[*checker.Error](r.Err); ok {
		if text := e.Message(); text != "" { // which an output in csv or text has not kept
			return causeOf(r).String() + ": " + text
		}
	}
	return causeOf(r).String()
}

// places are the sites that a table has: the first of the list among those that came
// first, so that a table does not grow with the list.
type places struct {
	Total int
	sites []site
}

// kept is how many sites are kept, and shown how many of them a summary has.
const (
	kept  = 1000
	shown = 20
)

func (p *places) add(s site) {
	p.Total++
	if len(p.sites) < kept {
		p.sites = append(p.sites, s)
	}
}

// Sites returns what is kept, in the order of the list.
func (p *places) Sites() []site {
	return slices.SortedFunc(slices.Values(p.sites), func(a, b site) int { return cmp.Compare(a.index, b.index) })
}

// Left returns how many there are beyond n.
func (p *places) Left(n int) string {
	if p.Total <= n {
		return ""
	}
	return "and " + group(p.Total-n) + " more"
}

// table writes the sites as lines of a summary, made by format.
func (p *places) table(title string, format func(site) string) string {
	if p.Total == 0 {
		return ""
	}
	text := "\n" + title + "\n"
	for _, s := range p.Sites()[:min(shown, len(p.sites))] {
		text += fmt.Sprintf("line %8s  %s\n", strconv.Itoa(s.Line()), format(s))
	}
	if left := p.Left(shown); left != "" {
		text += left + "\n"
	}
	return text
}
