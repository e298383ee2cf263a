package checker

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"example.com/checker/internal/guard"
)

// A pulse knows whether this process gets to run. A site is not to blame for a timeout
// while it did not: the process was stopped, or others had its CPU, or more checks wanted
// it than it has. The zero pulse is ready. It is safe for concurrent use.
type pulse struct {
	mu     sync.Mutex
	missed time.Time // when it was last seen that it did not
}

const (
	lagShare = 4                      // what lags by 1/lagShare of the timeout leaves a site too little: an exchange waits several times
	leastLag = 200 * time.Millisecond // which a busy machine may take
	someLag  = 20 * time.Millisecond  // the same where there is other evidence

	turnShare = 10 // what lags by 1/turnShare will do where it was this process's turn
	turns     = 5  // the scheduler lets one that comes back from Gosched pass many others
)

// lag returns for how long this process did not get to run, as far as that can be seen
// at the end of a timeout, and 0 if that is no excuse. The end was noticed late by then,
// and it takes a turn of what wants to run to come back from Gosched. A check that
// was under way when another one saw the like is excused as well, as the process has
// to catch up. Less will do where it is known that it was this process's turn; for how
// long the other side had been idle counts then, if that is known, which the length of
// the queue for the CPU does not change.
func (p *pulse) lag(end time.Time, timeout time.Duration, turn bool, idle time.Duration) time.Duration {
	enough := max(leastLag, timeout/lagShare)
	lag := time.Since(end)
	for range turns {
		if lag <= enough {
			runtime.Gosched()
			lag = time.Since(end)
		}
	}
	if someLag < lag && lag <= enough { // it is busy: another look shows how much, or another check has seen it by then
		time.Sleep(someLag)
		lag = time.Since(end) - someLag
	}
	p.mu.Lock()
	overlaps := p.missed.After(end.Add(-timeout))
	p.mu.Unlock()
	switch {
	case lag > enough:
		p.mu.Lock()
		p.missed = time.Now()
		p.mu.Unlock()
	case overlaps && lag > someLag/2, turn && cmp.Or(idle, lag) > max(someLag, timeout/turnShare):
	default:
		return 0
	}
	return max(lag, idle)
}

func hintStarved(lag, timeout time.Duration) hint {
	return hint{CauseStarved, fmt.Sprintf("this process did not get to run for %v with a timeout of %v; it was stopped or starved of CPU: check fewer sites at once, or give it more",
		lag.Round(time.Millisecond), timeout)}
}

// A calendar knows what others say of the date, and whether a certificate that this
// machine's clock calls expired, or not yet valid, is so by theirs. Nobody is asked: it
// takes what answers say by the way. It is safe for concurrent use.
type calendar struct {
	began time.Time    // what again counts from
	again atomic.Int64 // no Date is wanted until then, in nanoseconds

	mu     sync.Mutex
	looked int      // at answers
	said   []saying // of different hosts and servers, the last one at the end
}

// A saying is the date that a host told, and when.
type saying struct {
	host        string
	addr        netip.Addr // zero if it is not known
	date, heard time.Time
}

const (
	maxSayings = 5                    // which are kept; one host that errs is outvoted
	maxLooks   = 20                   // answers that are looked at
	interval   = time.Minute          // in which none is looked at after that
	tolerance  = 24 * time.Hour       // caches tell old dates, and clocks go wrong by a little
	lifetime   = 20 * 365 * tolerance // no program is in use for longer once it is built
)

// wants reports whether note should be called with the next answer.
func (c *calendar) wants() bool { return int64(time.Since(c.began)) >= c.again.Load() }

// note takes in the Date of an answer. One out of a cache was made when it says, and is
// older now (RFC 9111, section 5.1). The names of one server are one voice.
func (c *calendar) note(host string, addr netip.Addr, h http.Header) {
	date, err := http.ParseTime(h.Get("Date"))
	age, _ := strconv.ParseUint(h.Get("Age"), 10, 31)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.looked++; c.looked%maxLooks == 0 {
		c.again.Store(int64(time.Since(c.began) + interval))
	}
	if err != nil {
		return
	}
	c.said = slices.DeleteFunc(c.said, func(s saying) bool { return s.host == host || addr.IsValid() && s.addr == addr })
	c.said = append(c.said[max(0, len(c.said)+1-maxSayings):], saying{host, addr, date.Add(time.Duration(age) * time.Second), time.Now()})
}

// others returns what time it is now in the middle of what others than host say, and of
// how many. Of two in the middle the one that is nearer to this machine's clock counts.
func (c *calendar) others(host string, now time.Time) (time.Time, int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var ahead []time.Duration
	for _, s := range c.said {
		if s.host != host {
			ahead = append(ahead, s.date.Add(now.Sub(s.heard)).Sub(now))
		}
	}
	if len(ahead) == 0 {
		return now, 0
	}
	slices.Sort(ahead)
	low, high := ahead[(len(ahead)-1)/2], ahead[len(ahead)/2]
	if low.Abs() < high.Abs() {
		high = low
	}
	return now.Add(high), len(ahead)
}

// doubt returns why the certificate of host, for which err was returned, may be refused
// for this machine's clock alone, and the zero hint if nothing says so. It is not, if it would not
// be good by the others' time either. Old answers are told again where pages are kept, so
// that the clock is ahead takes two who say so; that it is behind takes one, or that this
// program was built later.
func (c *calendar) doubt(err error, host, name string, pool *x509.CertPool) hint {
	bad, ok := errors.AsType[*tls.CertificateVerificationError](err)
	if e, dated := errors.AsType[x509.CertificateInvalidError](err); !ok || !dated || e.Reason != x509.Expired {
		return hint{}
	}
	now := time.Now()
	theirs, n := c.others(host, now)
	if ahead := theirs.Sub(now); ahead > tolerance || ahead < -tolerance && n > 1 {
		if isGood(bad.UnverifiedCertificates, name, pool, theirs) {
			return hintClock(now, "other sites say "+clockTime(theirs)+", when the certificate is valid")
		}
		return hint{}
	}
	built := builtAt()
	if !now.Before(built) {
		return hint{}
	}
	then := built // or a later time: when all of the chain has begun to be valid
	for _, cert := range bad.UnverifiedCertificates {
		if cert.NotBefore.After(then) {
			then = cert.NotBefore
		}
	}
	if then.Sub(built) > lifetime || !isGood(bad.UnverifiedCertificates, name, pool, then) {
		return hint{}
	}
	return hintClock(now, "and this program was made on "+built.UTC().Format(time.DateOnly))
}

func hintClock(now time.Time, but string) hint {
	return hint{CauseClock, "the clock of this machine says " + clockTime(now) + ", " + but + "; set the clock"}
}

func clockTime(t time.Time) string { return t.UTC().Format(time.DateTime) + " UTC" }

// isGood reports whether nothing is wrong with a chain at a time.
func isGood(chain []*x509.Certificate, name string, pool *x509.CertPool, at time.Time) bool {
	if len(chain) == 0 {
		return false
	}
	opts := x509.VerifyOptions{DNSName: name, Roots: pool, CurrentTime: at, Intermediates: x509.NewCertPool()}
	for _, cert := range chain[1:] {
		opts.Intermediates.AddCert(cert)
	}
	_, err := chain[0].Verify(opts)
	return err == nil
}

// builtAt returns a time at which this program was not there yet, or just about to be.
var builtAt = sync.OnceValue(func() time.Time {
	at := guard.Read()
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if t, err := time.Parse(time.RFC3339, s.Value); s.Key == "vcs.time" && err == nil && t.After(at) {
				at = t
			}
		}
	}
	return at
})
