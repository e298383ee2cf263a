package main

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"example.com/checker"
	"example.com/checker/examples/cli"
)

// stats is what a summary and a report are made of. Its size depends on nothing
// that is added.
type stats struct {
	start    time.Time
	took     time.Duration
	total    int
	earlier  int // of them from the run that this one resumes
	statuses map[checker.Status]int
	causes   map[cause]int
	codes    map[int]int // of answers, by HTTP status
	dead     places
	moved    places
	latency  *hdrhistogram.Histogram // of online sites, in µs
	slowest  ranking                 // of online sites, by µs
	expiry   [len(expiries)]int      // of certificates, as in expiries
	expiring ranking                 // hosts, by the seconds since the expiry
}

// An expiry is a time within which certificates expire.
type expiry struct {
	within time.Duration
	name   string
}

// A certificate belongs to the first of the expiries that it does not outlive.
var expiries = [...]expiry{
	{0, "expired"},
	{7 * day, "within 7 days"},
	{30 * day, "within 30 days"},
	{90 * day, "within 90 days"},
	{365 * day, "within a year"},
	{1<<63 - 1, "later"},
}

const day = 24 * time.Hour

func newStats(start time.Time) *stats {
	return &stats{
		start:    start,
		statuses: make(map[checker.Status]int),
		causes:   make(map[cause]int),
		codes:    make(map[int]int),
		latency:  hdrhistogram.New(1, time.Hour.Microseconds(), 3),
	}
}

func (s *stats) add(r checker.Result) {
	s.total++
	s.statuses[r.Status()]++
	if r.Err != nil {
		s.causes[causeOf(r)]++
	}
	if r.StatusCode != 0 {
		s.codes[r.StatusCode]++
	}
	if r.Status() == checker.Offline {
		s.dead.add(site{r.Index, checker.Redact(r.Target), why(r)})
	}
	if to := cli.Moved(r); to != "" {
		s.moved.add(site{r.Index, checker.Redact(r.Target), to})
	}
	if r.Online() {
		us := min(max(r.Timing.Total.Microseconds(), 1), s.latency.HighestTrackableValue())
		_ = s.latency.RecordValue(us) // fails only outside of its range
		s.slowest.add(host(r), us)
	}
	if r.TLS != nil {
		end := r.TLS.Expires() // of the first certificate of its chain that does
		left := end.Sub(s.start)
		s.expiry[slices.IndexFunc(expiries[:], func(e expiry) bool { return left <= e.within })]++
		s.expiring.add(host(r), s.start.Unix()-end.Unix())
	}
}

// percentile returns how long at most p per cent of the online sites took.
func (s *stats) percentile(p float64) time.Duration {
	return time.Duration(s.latency.ValueAtPercentile(p)) * time.Microsecond
}

// A tally is how often something was found.
type tally struct {
	Name   string
	Text   string // what it means
	Status checker.Status
	Count  int
}

// byCause returns the causes that were found: offline before unknown, and the
// frequent ones first.
func (s *stats) byCause() (all []tally) {
	for c, n := range s.causes {
		all = append(all, tally{c.String(), meanings[c.reason], c.reason.Status(), n})
	}
	slices.SortFunc(all, func(a, b tally) int {
		return cmp.Or(cmp.Compare(a.Status, b.Status), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// byCode returns the statuses of the answers, in their order.
func (s *stats) byCode() (all []tally) {
	for _, code := range slices.Sorted(maps.Keys(s.codes)) {
		all = append(all, tally{Name: strconv.Itoa(code), Text: http.StatusText(code), Count: s.codes[code]})
	}
	return all
}

// host returns the host and port of the site that was asked.
func host(r checker.Result) string {
	h := cmp.Or(r.URL, r.Target)
	if _, after, ok := strings.Cut(h, "://"); ok {
		h = after
	}
	if i := strings.IndexAny(h, "/?#"); i >= 0 {
		h = h[:i]
	}
	return h
}

// A ranking keeps the hosts with the highest values, each host once.
type ranking []ranked

type ranked struct {
	host  string
	value int64
}

// ranks is how many hosts a ranking keeps.
const ranks = 10

func (r *ranking) add(host string, value int64) {
	if n := len(*r); n == ranks && value <= (*r)[n-1].value {
		return
	}
	switch i := slices.IndexFunc(*r, func(a ranked) bool { return a.host == host }); {
	case i >= 0:
		(*r)[i].value = max((*r)[i].value, value)
	case len(*r) == ranks:
		(*r)[ranks-1] = ranked{strings.Clone(host), value}
	default:
		*r = append(*r, ranked{strings.Clone(host), value})
	}
	slices.SortStableFunc(*r, func(a, b ranked) int { return cmp.Compare(b.value, a.value) })
}
