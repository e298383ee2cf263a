//go:build linux

package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"example.com/checker/internal/resolve/dnstest"
)

// randomSetups returns set-ups that nobody thought of, the same ones every time.
// Silence has no part in them, for it takes its time, nor has a failure in one
// family alone, for which there are agreements.
func randomSetups() []setup {
	rnd := rand.New(rand.NewPCG(53, 1035))
	var all []setup
	for i := range 96 {
		all = append(all, randomSetup(rnd, i))
	}
	return all
}

func randomSetup(rnd *rand.Rand, i int) setup {
	pick := func(words ...string) string { return words[rnd.IntN(len(words))] }
	s := setup{
		name:     fmt.Sprintf("random %d", i),
		random:   true,
		nsswitch: pick("", "", "", "hosts: dns files\n", "hosts: files [NOTFOUND=return] dns\n", "hosts: files dns [NOTFOUND=return]\n"),
		hosts:    pick("", "192.0.2.70 api\n", "192.0.2.71 a.test\n2001:db8::71 b.test b\n"),
		resolv:   fmt.Sprintf("options ndots:%d attempts:%d %s\n", rnd.IntN(4), 1+rnd.IntN(2), pick("", "", "single-request", "single-request-reopen", "no-tld-query", "no-aaaa")),
	}
	s.resolv += pick("", "search x.test\n", "search x.test y.test\n", "domain y.test\n", "search . x.test\n", "search x.test y.test z\n")
	for range 1 + rnd.IntN(3) {
		if rnd.IntN(8) == 0 {
			s.servers = append(s.servers, nil)
			continue
		}
		s.servers = append(s.servers, randomZone(rnd))
	}
	s.ask = strings.Join([]string{"a.test", "b", "api", "a.b.c.test", pick("a.", "b.test."), pick("x.y", "A.b", "c")}, " ")
	return s
}

// randomZone answers by chance, but each name always alike.
func randomZone(rnd *rand.Rand) dnstest.Zone {
	replies := []dnstest.Reply{
		dnsNX, dnsNX, dnsNX, dnsNone, dnsFail, dnstest.Refused, dnstest.NotImp, dnstest.Lame,
		dnsBoth, dnsAddrs("192.0.2.2"), dnsAddrs("2001:db8::2"), dnsAddrs("q.test", "192.0.2.3"), dnsAddrs("q.test"),
		dnstest.Cut(dnsBoth), dnstest.Cut(dnsNX), dnstest.Per(dnsBoth, dnsNX), dnstest.Per(dnsNX, dnsNone),
	}
	seed := rnd.Uint64()
	return dnsAll(func(q *dnstest.Query) [][]byte {
		h := seed
		for _, c := range []byte(q.Name()) {
			h = (h ^ uint64(c)) * 0x100000001b3
		}
		return replies[h>>32%uint64(len(replies))](q)
	})
}
