package dial

import "net/netip"

// An ICMPError says that the site, or a router on the way to it, turned a connect away
// by ICMP. It wraps nothing: the errno that the kernel makes of it stands for faults of
// this machine as well.
type ICMPError struct {
	Text string     // what was said
	By   netip.Addr // who said it
	err  error
}

func (e *ICMPError) Error() string { return e.err.Error() + ": " + e.By.String() + " says: " + e.Text }

// An AbsentError says that an address of this machine's own network belongs to nobody
// who answers.
type AbsentError struct{ err error }

func (e *AbsentError) Error() string {
	return e.err.Error() + ": nobody on this machine's network answers to it"
}

// icmpText returns what an ICMP message says that ended a connect (RFC 792, RFC 1812
// and RFC 4443).
func icmpText(ipv6 bool, typ, code byte) string {
	texts, unreachable := unreachable4, byte(3)
	if ipv6 {
		texts, unreachable = unreachable6, 1
	}
	if typ == unreachable && int(code) < len(texts) {
		return texts[code]
	}
	return "the connection cannot be made"
}

var (
	unreachable4 = []string{
		"net unreachable", "host unreachable", "protocol unreachable", "port unreachable", "fragmentation needed",
		"source route failed", "net unknown", "host unknown", "source host isolated", "net administratively prohibited",
		"host administratively prohibited", "net unreachable for this type of service",
		"host unreachable for this type of service", "administratively prohibited", "precedence violation", "precedence cutoff",
	}
	unreachable6 = []string{
		"no route", "administratively prohibited", "beyond the scope of the source address", "address unreachable",
		"port unreachable", "source address failed a policy", "route rejected",
	}
)
