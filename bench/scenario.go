//go:build linux

package main

import (
	"crypto/tls"
	"fmt"
	"slices"
	"time"
)

// A scenario is one question about cost.
type scenario struct {
	name   string
	about  string
	lacks  error // why it cannot be had here; nil if it can
	rounds int   // at most; 0 for as many as are asked for
	trials []trial
	rows   []row
}

// A trial is a job that some contestants take turns at.
type trial struct {
	name string
	job  job
	who  []string
}

// A row is a line of the table: a metric of a trial, and what it must hold.
type row struct {
	trial  string
	metric metric
	bars   []bar
}

var (
	everybody = []string{ours, "net/http", "fasthttp", "floor"}
	withCurl  = append(everybody[:4:4], "curl") // where a list is checked as one has it
	libraries = everybody[:3]
	transport = everybody[:2] // those that net/http's RoundTripper fits
)

// patient is a timeout that lets a slow server answer: a third of it, after
// which package checker asks again, is longer than the server takes.
const patient = 30 * time.Second

// scenarios returns all of them, against the given servers.
func scenarios(s *servers, short bool) []scenario {
	pick := func(whole, quick int) int {
		if short {
			return quick
		}
		return whole
	}
	room := descriptors() - 256 // the rest is for what else a process holds open
	return []scenario{
		plain(s, pick(20_000, 500), pick(100, 50)),
		tool(s, pick(5_000, 200), pick(100, 50)),
		https(s, pick(2_000, 50), pick(100, 10)),
		classic(s, pick(2_000, 50), pick(100, 10)),
		flight(s, min(room, pick(8_000, 200))),
		slow(s, min(room/2, pick(8_000, 200))),
		silence(s, pick(1_000, 60), pick(100, 9), s.silence),
		byName(s, pick(5_000, 200), pick(100, 50)),
		lookups(s, min(room/2, pick(8_000, 200))),
		scheduler(pick(100_000, 5_000), pick(1_000_000, 20_000)),
		oneHost(s, pick(5_000, 200)),
		release(s, room, short),
		scale(s, pick(16_000, 400), room, pick(1, 10)),
		most(s, min(room, pick(50_000, 400))),
	}
}

// laps is how often the hosts are asked of whom a turn would otherwise be over
// before the machine's other business has evened out.
const laps = 4

func plain(s *servers, n, atOnce int) scenario {
	j := job{Kind: hosts, Checks: laps * n, Hosts: n, AtOnce: atOnce, Timeout: 10 * time.Second, Port: s.port}
	return scenario{
		name:   "plain",
		about:  fmt.Sprintf("HTTP, %d checks at once, %d hosts %d times", atOnce, n, laps),
		trials: []trial{{"plain", j, everybody}},
		rows: []row{
			{"plain", cpu, []bar{{rival: "net/http", limit: 0.75}, {rival: "fasthttp", limit: 1}}},
			{"plain", allocs, []bar{{limit: 64}}},
			{"plain", allocated, []bar{{limit: 5}}},
			{"plain", perSecond, nil},
		},
	}
}

// tool compares with what people check a list with who do not program.
func tool(s *servers, checks, atOnce int) scenario {
	j := job{Kind: hosts, Checks: checks, AtOnce: atOnce, Timeout: 10 * time.Second, Port: s.port}
	return scenario{
		name:   "tool",
		about:  fmt.Sprintf("HTTP, a list of %d hosts, %d checks at once; curl with --parallel", checks, atOnce),
		trials: []trial{{"tool", j, withCurl}},
		rows:   []row{{"tool", wall, nil}, {"tool", cpu, nil}, {"tool", rss, nil}, {"tool", wrong, nil}},
	}
}

func https(s *servers, hosts, atOnce int) scenario {
	j := job{Kind: secure, Checks: laps * hosts, Hosts: hosts, AtOnce: atOnce, Timeout: 10 * time.Second, Port: s.tls.Port, Root: s.tls.Root}
	return scenario{
		name:   "https",
		about:  fmt.Sprintf("HTTPS, certificates verified, %d checks at once, %d hosts %d times", atOnce, hosts, laps),
		trials: []trial{{"https", j, libraries}},
		rows: []row{
			{"https", cpu, []bar{{rival: "net/http", limit: 1}}},
			{"https", allocs, nil},
			{"https", allocated, nil},
		},
	}
}

// classic is https without the share of a key that withstands quantum computers.
func classic(s *servers, hosts, atOnce int) scenario {
	sc := https(s, hosts, atOnce)
	sc.name, sc.about = "classic", "as https, with CurvePreferences of X25519 alone"
	t := &sc.trials[0]
	t.name, t.job.Curves = sc.name, []tls.CurveID{tls.X25519}
	sc.rows = []row{{sc.name, cpu, nil}, {sc.name, allocated, nil}}
	return sc
}

func flight(s *servers, checks int) scenario {
	j := job{Kind: hosts, Checks: checks, AtOnce: checks, Timeout: patient, Port: s.slow}
	return scenario{
		name:   "flight",
		about:  fmt.Sprintf("%d checks in flight, a server that answers after %v", checks, s.delay),
		rounds: 3,
		trials: []trial{{"flight", j, everybody}},
		rows: []row{
			{"flight", inFlight, []bar{{rival: "net/http", limit: 0.45}}},
			{"flight", stacks, nil},
			{"flight", cpu, nil},
		},
	}
}

// slow is flight without patience.
func slow(s *servers, checks int) scenario {
	j := job{Kind: hosts, Checks: checks, AtOnce: checks, Timeout: 10 * time.Second, Port: s.slow}
	return scenario{
		name:   "slow",
		about:  fmt.Sprintf("as flight, with the default timeout of %v: after a third of it GET is asked beside HEAD", j.Timeout),
		rounds: 3,
		trials: []trial{{"slow", j, transport}},
		rows:   []row{{"slow", inFlight, nil}, {"slow", stacks, nil}, {"slow", cpu, nil}},
	}
}

func silence(s *servers, checks, atOnce int, timeout time.Duration) scenario {
	j := job{Kind: hosts, Checks: checks, AtOnce: atOnce, Timeout: timeout, Port: s.port, Silent: s.mute}
	silent := checks - j.online()
	ideal := float64(silent) / float64(atOnce) * timeout.Seconds()
	return scenario{
		name: "silence",
		about: fmt.Sprintf("%d of %d hosts never answer, %d checks at once, timeout %v; at best %.3g s and what the others take",
			silent, checks, atOnce, timeout, ideal),
		rounds: 3,
		trials: []trial{{"silence", j, withCurl}},
		rows:   []row{{"silence", wall, []bar{{ideal: ideal, limit: 1.1}}}, {"silence", cpu, nil}, {"silence", wrong, nil}},
	}
}

func byName(s *servers, checks, atOnce int) scenario {
	j := job{Kind: names, Checks: checks, AtOnce: atOnce, Timeout: 10 * time.Second, Port: s.port, DNS: s.dns[0]}
	return scenario{
		name:   "names",
		about:  fmt.Sprintf("HTTP, %d names to look up, %d checks at once", checks, atOnce),
		lacks:  s.nameless,
		trials: []trial{{"names", j, libraries}},
		rows: []row{
			{"names", cpu, []bar{{rival: "net/http", limit: 0.6}}},
			{"names", allocs, []bar{{limit: 90}}},
			{"names", allocated, nil},
		},
	}
}

// lookups is flight with names of which nothing is known yet. Package net opens
// two sockets for a lookup.
func lookups(s *servers, checks int) scenario {
	j := job{Kind: names, Checks: checks, AtOnce: checks, Timeout: patient, Port: s.port, DNS: s.dns[1]}
	return scenario{
		name:   "lookups",
		about:  fmt.Sprintf("%d names being looked up, a nameserver that answers after %v", checks, s.delay),
		lacks:  s.nameless,
		rounds: 3,
		trials: []trial{{"lookups", j, libraries}},
		rows: []row{
			{"lookups", inFlight, []bar{{rival: "net/http", limit: 1}}},
			{"lookups", stacks, nil},
			{"lookups", goroutines, nil},
			{"lookups", cpu, nil},
		},
	}
}

func scheduler(few, many int) scenario {
	j := job{Kind: memory, AtOnce: 100, Port: 80, Timeout: 10 * time.Second}
	small, large := j, j
	small.Checks, large.Checks = few, many
	name := func(n int) string { return fmt.Sprintf("memory, %d hosts", n) }
	return scenario{
		name:   "memory",
		about:  fmt.Sprintf("%d and %d hosts, a transport that answers at once from memory: the scheduler alone", few, many),
		trials: []trial{{name(few), small, transport}, {name(many), large, transport[:1]}},
		rows: []row{
			{name(few), rss, nil},
			{name(many), rss, []bar{{trial: name(few), limit: 1.1}}},
			{name(few), cpu, nil},
			{name(many), cpu, nil},
			{name(few), allocs, nil},
		},
	}
}

func oneHost(s *servers, checks int) scenario {
	j := job{Kind: paths, Checks: checks, AtOnce: 100, PerHost: 6, Timeout: 10 * time.Second, Port: s.port}
	return scenario{
		name:   "onehost",
		about:  fmt.Sprintf("%d URLs on one host, %d at once", checks, j.PerHost),
		trials: []trial{{"onehost", j, everybody}},
		rows:   []row{{"onehost", cpu, nil}, {"onehost", perSecond, nil}},
	}
}

// scale is what the plot is of.
func scale(s *servers, checks, room, smaller int) scenario {
	sc := scenario{
		name:   "scale",
		about:  fmt.Sprintf("HTTP, %d hosts, more and more checks at once", checks),
		rounds: 3,
	}
	for _, n := range []int{10, 100, 1_000, 8_000} {
		n = min(n, room) / smaller
		j := job{Kind: hosts, Checks: checks, AtOnce: n, Timeout: patient, Port: s.port}
		t := trial{fmt.Sprintf("scale, %d", n), j, everybody}
		sc.trials = append(sc.trials, t)
		sc.rows = append(sc.rows, row{t.name, cpu.at(n), nil})
	}
	return sc
}

func most(s *servers, checks int) scenario {
	j := job{Kind: hosts, Checks: checks, AtOnce: checks, Timeout: 2 * patient, Port: s.slower}
	about := fmt.Sprintf("%d checks in flight, a server that answers after %v", checks, s.longer)
	if checks < 50_000 {
		about += "; more is not to be had from this machine's descriptors"
	}
	return scenario{
		name:   "most",
		about:  about,
		rounds: 1,
		trials: []trial{{"most", j, everybody}},
		rows: []row{
			{"most", inFlight, nil}, {"most", stacks, nil}, {"most", goroutines, nil},
			{"most", cpu, nil}, {"most", collector, nil},
		},
	}
}

// has reports whether a contestant takes part.
func (t trial) has(who string) bool { return slices.Contains(t.who, who) }
