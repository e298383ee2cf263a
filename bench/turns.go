//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A bench runs scenarios.
type bench struct {
	rounds  int
	profile string    // a directory
	log     io.Writer // progress
}

// servers are where the targets are.
type servers struct {
	port, slow, slower, mute int
	delay, longer            time.Duration // of slow and slower
	silence                  time.Duration // the timeout for what is mute
	tls                      tlsHello
	dns                      []netip.Addr // of which the second answers after delay
	nameless                 error        // why there are none
	stops                    []func()
}

// stop ends all servers and waits for them.
func (s *servers) stop() {
	for _, stop := range s.stops {
		stop()
	}
}

// startServers starts them. Even if it fails, the caller must call stop.
func startServers(ctx context.Context, short bool) (*servers, error) {
	s := &servers{delay: 4 * time.Second, longer: 4 * time.Second, silence: 2 * time.Second}
	if descriptors() > 25_000 {
		s.longer = 12 * time.Second // what it takes to open 50 000 connections, and more
	}
	if short {
		s.delay, s.longer, s.silence = 300*time.Millisecond, 300*time.Millisecond, 300*time.Millisecond
	}
	var ports []int
	for _, one := range []struct {
		role        string
		args, hello any
	}{
		{"http", []time.Duration{0, s.delay, s.longer, never}, &ports},
		{"https", nil, &s.tls},
	} {
		if err := s.start(ctx, one.role, one.args, one.hello); err != nil {
			return s, err
		}
	}
	s.port, s.slow, s.slower, s.mute = ports[0], ports[1], ports[2], ports[3]
	s.nameless = s.start(ctx, "etc", nil, new(bool))
	if s.nameless == nil {
		s.nameless = s.start(ctx, "dns", []time.Duration{0, s.delay}, &s.dns)
	}
	if s.nameless != nil {
		s.dns = make([]netip.Addr, 2)
	}
	return s, nil
}

func (s *servers) start(ctx context.Context, role string, args, hello any) error {
	stop, err := start(ctx, role, args, hello)
	if err == nil {
		s.stops = append(s.stops, stop)
	}
	return err
}

// descriptors returns how many descriptors a process here may have.
func descriptors() int {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return 1024
	}
	return int(min(l.Cur, 1<<20))
}

// run runs the scenarios that match.
func (b *bench) run(ctx context.Context, short bool, match *regexp.Regexp) (*report, error) {
	begun := time.Now()
	s, err := startServers(ctx, short)
	defer s.stop()
	if err != nil {
		return nil, err
	}
	rep := &report{Machine: machine(), Runs: make(results)}
	for _, sc := range scenarios(s, short) {
		if !match.MatchString(sc.name) {
			continue
		}
		if sc.lacks != nil {
			fmt.Fprintf(b.log, "%-8s LEFT OUT: %v\n", sc.name, sc.lacks)
			rep.leaveOut(sc)
			continue
		}
		if err := b.scenario(ctx, sc, rep.Runs); err != nil {
			return nil, fmt.Errorf("%s: %w", sc.name, err)
		}
		rep.add(sc)
	}
	rep.Took = time.Since(begun).Seconds()
	return rep, nil
}

// enough is for how long a scenario begins further rounds, so that on a machine
// that is busy the whole still ends.
const enough = time.Minute

// scenario runs the rounds of a scenario.
func (b *bench) scenario(ctx context.Context, sc scenario, res results) error {
	rounds := b.rounds
	if sc.rounds != 0 {
		rounds = min(rounds, sc.rounds)
	}
	end := time.Now().Add(enough)
	for round := range rounds {
		if time.Now().After(end) {
			break
		}
		fmt.Fprintf(b.log, "%-8s %d/%d ", sc.name, round+1, rounds)
		for _, t := range sc.trials {
			if res[t.name] == nil {
				res[t.name] = make(map[string][]measure)
			}
			if err := b.turns(ctx, t, round, res[t.name]); err != nil {
				fmt.Fprintln(b.log)
				return err
			}
		}
		fmt.Fprintln(b.log)
	}
	return nil
}

// turns lets each contestant make the job once. A different one begins in each
// round, and every other round goes the other way about, so that none always
// follows the same other.
func (b *bench) turns(ctx context.Context, t trial, round int, into map[string][]measure) error {
	first := round % len(t.who)
	who := slices.Concat(t.who[first:], t.who[:first])
	if round%2 == 1 {
		slices.Reverse(who)
	}
	for _, name := range who {
		j := t.job
		j.Contestant = name
		if b.profile != "" && j.Contestant == ours {
			j.Profile = filepath.Join(b.profile, strings.NewReplacer(", ", "-", " ", "-").Replace(t.name))
		}
		m, err := compete(ctx, j)
		if err != nil {
			return err
		}
		into[j.Contestant] = append(into[j.Contestant], m)
		fmt.Fprintf(b.log, "  %s %.1f s", j.Contestant, m.Wall)
	}
	return nil
}
