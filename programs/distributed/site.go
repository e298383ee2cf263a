package main

import (
	"hash/fnv"
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// partitions is how many queues the sites are spread over. All chunks of a site
// are in one, and of each queue one chunk at a time is in the hands of a worker.
const partitions = 64

// scheme names what decides which lines have a target, the partition of a target
// and the chunk of a line.
// It stands in the streams' metadata, so that programs that disagree find out.
var scheme = "cli.List, fnv32a(registrable domain), " + publicsuffix.List.String()

// partition returns the partition of a site.
func partition(site string) int {
	h := fnv.New32a()
	h.Write([]byte(site))
	return int(h.Sum32() % partitions)
}

// site returns what the load on a target falls upon: the registrable domain of
// its host, so that a.example.org and b.example.org, which one machine may well
// serve, count as one; or its IP address. A text in which it finds no host is a
// site of its own; nothing will be sent to it.
//
// It must never tell two targets apart that go to one host, but it need not
// refuse anything: package checker does.
func site(target string) string {
	host := hostOf(target)
	if host == "" {
		return target
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().String()
	}
	if ascii, err := names.ToASCII(host); err == nil {
		host = ascii
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if domain, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return domain
	}
	return host
}

// names maps internationalised names as package checker does.
var names = idna.New(
	idna.MapForLookup(),
	idna.Transitional(false),
	idna.CheckHyphens(false),
	idna.StrictDomainName(false),
)

// hostOf cuts the host out of a target, without brackets.
func hostOf(target string) string {
	s := strings.Trim(target, " \t\r\n\v\f\ufeff")
	if scheme, rest, ok := strings.Cut(s, "://"); ok && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")) {
		s = rest
	}
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		s = s[:i]
	}
	s = s[strings.LastIndexByte(s, '@')+1:]
	if rest, ok := strings.CutPrefix(s, "["); ok {
		addr, _, _ := strings.Cut(rest, "]")
		return addr
	}
	host, _, _ := strings.Cut(s, ":")
	return host
}
