package main

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"

	"example.com/checker"
	"example.com/checker/internal/hostile"
)

// maxSites is how many addresses 127.1.0.0 to 127.253.255.255 are.
const maxSites = 253 << 16

// A kind is a way in which sites behave. Its name begins with its number in the
// catalogue of faults: A, the target; B, DNS; C, connecting; D, TLS; E,
// malformed responses; F, the meaning of responses; G, redirects; H, slow peers.
type kind struct {
	name   string
	weight int // among the live kinds, or among the faults

	target func(s site) string
	bare   bool                           // the target has no scheme
	dns    func(s site) []hostile.Answer  // nil: its name is not looked up
	serve  func(f *fleet) hostile.Handler // nil: nothing must get to the server

	reason checker.Reason // "": Online
	code   int            // the status of the answer that decides
}

// A site is what one check is about. Each but the hot ones has an address and a
// name of its own, by which the servers know it before it says anything.
type site struct {
	index        int
	addr         netip.Addr
	name         string
	port, closed uint16
}

func newSite(index int, port, closed uint16) site {
	return site{
		index: index,
		addr:  netip.AddrFrom4([4]byte{127, byte(1 + index>>16), byte(index >> 8), byte(index)}),
		name:  fmt.Sprintf("i%d.soak.test", index),
		port:  port, closed: closed,
	}
}

// indexOf returns the number of the site that has an address, or -1.
func indexOf(addr netip.Addr) int {
	b := addr.Unmap().As4()
	if b[1] == 0 {
		return -1
	}
	return int(b[1]-1)<<16 | int(b[2])<<8 | int(b[3])
}

// A deck chooses the kind of each site.
type deck struct {
	seed      uint64
	faults    float64
	live, bad []*kind // each as often as its weight says
	all       []*kind
}

func newDeck(seed uint64, faults float64) *deck {
	d := &deck{seed: seed, faults: faults}
	for _, k := range liveKinds() {
		d.all = append(d.all, k)
		for range k.weight {
			d.live = append(d.live, k)
		}
	}
	for _, k := range badKinds() {
		d.all = append(d.all, k)
		for range k.weight {
			d.bad = append(d.bad, k)
		}
	}
	return d
}

// kind returns the kind of a site. It depends on the seed and the index alone,
// so the process that checks and the one that serves agree on it.
func (d *deck) kind(index int) *kind {
	r := rand.NewPCG(d.seed, uint64(index))
	fault := float64(r.Uint64()>>11)/(1<<53) < d.faults
	from := d.live
	if fault {
		from = d.bad
	}
	return from[r.Uint64()%uint64(len(from))]
}

// The ways to write a target.

func byAddr(s site) string { return fmt.Sprintf("http://%v:%d/%d", s.addr, s.port, s.index) }
func bare(s site) string   { return fmt.Sprintf("%v:%d/%d", s.addr, s.port, s.index) }
func byName(s site) string { return fmt.Sprintf("http://%s:%d/%d", s.name, s.port, s.index) }
func secure(s site) string { return fmt.Sprintf("https://%s:%d/%d", s.name, s.port, s.index) }
func nobody(s site) string { return fmt.Sprintf("http://%v:%d/%d", s.addr, s.closed, s.index) }

// hotHosts is on how many hosts the sites are that share one.
const hotHosts = 40

func hotName(i int) string { return fmt.Sprintf("hot%d.soak.test", i%hotHosts) }

func hot(s site) string { return fmt.Sprintf("http://%s:%d/%d", hotName(s.index), s.port, s.index) }

func found(s site) []hostile.Answer { return []hostile.Answer{hostile.Addrs(s.addr.String())} }

func answers(a ...hostile.Answer) func(site) []hostile.Answer {
	return func(site) []hostile.Answer { return a }
}

// invalidForms name no site, though a careless reader would find the server, or
// another, by most of them.
var invalidForms = []string{
	"ftp://ADDR:PORT/", "http:/ADDR:PORT/", "http:///ADDR:PORT/", "http://ADDR:99999/", "http://ADDR:0/", "//:PORT/",
	"http://:PORT/", "http://ADDR:PORT/\r\nX: y", "http://%31%32%37.B.C.D:PORT/", "http://0x7f.B.C.D:PORT/",
	"http://127.REST:PORT/", "http://[ADDR]:PORT/", "http://[::1%25lo]:PORT/", "http://ADDR:PORTx/", "  ",
}

func invalid(s site) string {
	b := s.addr.As4()
	rest := int(b[1])<<16 | int(b[2])<<8 | int(b[3])
	return strings.NewReplacer(
		"ADDR", s.addr.String(), "PORT", strconv.Itoa(int(s.port)), "REST", strconv.Itoa(rest),
		"B", strconv.Itoa(int(b[1])), "C", strconv.Itoa(int(b[2])), "D", strconv.Itoa(int(b[3])),
	).Replace(invalidForms[s.index%len(invalidForms)])
}
