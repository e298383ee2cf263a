package main

import (
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"example.com/checker"
)

// shownOffences is how many of them are kept for each seed.
const shownOffences = 20

// A tally is what came of one seed.
type tally struct {
	Seed    uint64 `json:"seed"`
	Checks  int    `json:"checks"`
	Lost    int    `json:"lost"`
	Twice   int    `json:"twice"`
	Verdict int    `json:"wrong_verdict"`
	Reason  int    `json:"wrong_reason"` // or status code, the verdict being right
	Late    int    `json:"late"`         // over the timeout by more than 250 ms
	Ledger  int    `json:"ledger"`       // what was reported is not what was asked

	Goroutines  int    `json:"goroutines_left"`
	Descriptors int    `json:"descriptors_left"`
	Stacks      string `json:"stacks,omitempty"`

	PeakKiB  int            `json:"peak_rss_kib"`
	SlopeKiB float64        `json:"rss_slope_kib_per_100000"`
	Seconds  float64        `json:"seconds"`
	Lag      time.Duration  `json:"lag_ns"` // the most that a short sleep of the worker took too long
	Kinds    map[string]int `json:"kinds"`
	Offences []offence      `json:"offences,omitempty"`
	Samples  []sample       `json:"samples"`
}

// An offence is a site of which something is wrong.
type offence struct {
	Seed     uint64          `json:"seed"`
	Index    int             `json:"index"`
	Kind     string          `json:"kind"`
	Wrong    string          `json:"wrong"`
	Target   string          `json:"target"`
	Reason   checker.Reason  `json:"want_reason,omitempty"`
	Code     int             `json:"want_status_code,omitempty"`
	Conns    uint32          `json:"connections"`
	Requests uint32          `json:"requests"`
	Result   json.RawMessage `json:"result,omitempty"`
}

func (t *tally) faults() int {
	return t.Lost + t.Twice + t.Verdict + t.Reason + t.Late + t.Ledger + t.Goroutines + t.Descriptors
}

// A judge compares what the worker reports with what must be.
type judge struct {
	tally
	opts  options
	fleet *fleet
	got   []got
}

// got is what was reported of one site.
type got struct {
	times, attempts uint8
	online          bool
}

// soak runs one seed: the fleet here, the checks in a child.
func soak(ctx context.Context, opts options, seed uint64, stderr io.Writer) (*tally, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f, err := newFleet(ctx, opts.N, newDeck(seed, opts.Faults))
	if err != nil {
		return nil, err
	}
	defer f.close()
	j := &judge{opts: opts, fleet: f, got: make([]got, opts.N)}
	j.Seed, j.Kinds = seed, make(map[string]int)
	start := time.Now()
	bar := newProgress(stderr, opts.N, seed)
	err = j.watch(ctx, stderr, bar.add)
	bar.finish()
	j.Seconds = time.Since(start).Seconds()
	f.close() // so that nothing is counted any more
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	j.settle()
	if err != nil && j.Lost == 0 {
		return nil, err
	}
	return &j.tally, nil
}

// watch starts the worker and judges what it reports until it ends.
func (j *judge) watch(ctx context.Context, stderr io.Writer, progress func()) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, exe)
	cmd.Env = append(os.Environ(), workerEnv+"=1")
	cmd.Stderr = stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s := setup{Options: j.opts, Seed: j.Seed, Port: j.fleet.server.Port(), Closed: j.fleet.closed, DNS: j.fleet.dns.Addr(), Root: j.fleet.root}
	if j.opts.Canaries {
		s.Canary = fmt.Sprintf("https://%s:%d/", canaryName, j.fleet.canary.Port())
	}
	err = gob.NewEncoder(in).Encode(s)
	if err == nil {
		err = j.read(out, progress)
	}
	if err != nil {
		_ = cmd.Process.Kill() // nobody reads what it writes; that it has ended already is all right
	}
	return errors.Join(err, cmd.Wait())
}

func (j *judge) read(out io.Reader, progress func()) error {
	dec := gob.NewDecoder(out)
	for {
		var r report
		switch err := dec.Decode(&r); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read the worker's reports: %w", err)
		case r.Result != nil:
			j.judge(r.Result)
			progress()
		case r.Sample != nil:
			j.Samples = append(j.Samples, *r.Sample)
		case r.Left != nil:
			j.Goroutines, j.Descriptors, j.Stacks = r.Left.Goroutines, r.Left.Descriptors, r.Left.Stacks
			j.PeakKiB, j.Lag = r.Left.PeakKiB, r.Left.Lag
		}
	}
}

// judge looks at one result.
func (j *judge) judge(r *result) {
	j.Checks++
	if r.Index < 0 || r.Index >= len(j.got) {
		j.Ledger++
		return
	}
	g, k := &j.got[r.Index], j.fleet.deck.kind(r.Index)
	if g.times++; g.times > 1 {
		j.offend(&j.Twice, r.Index, "twice", r.JSON)
		return
	}
	g.attempts, g.online = uint8(r.Attempts), r.Status == checker.Online
	j.Kinds[k.name]++
	switch r.wrong(k) {
	case "verdict":
		j.offend(&j.Verdict, r.Index, "verdict", r.JSON)
	case "reason":
		j.offend(&j.Reason, r.Index, "reason", r.JSON)
	}
	if r.late(j.opts.bound()) {
		j.offend(&j.Late, r.Index, "late", r.JSON)
	}
}

// settle compares what was reported with the ledger, once all is over.
func (j *judge) settle() {
	for i, g := range j.got {
		conns, requests := int(j.fleet.conns[i].Load()), int(j.fleet.requests[i].Load())
		k := j.fleet.deck.kind(i)
		switch most := int(g.attempts) * k.mostRequests(); {
		case g.times == 0 && conns+requests > 0:
			j.offend(&j.Lost, i, "lost, though asked", nil)
		case g.times == 0:
			j.offend(&j.Lost, i, "lost", nil)
		case g.online && requests == 0:
			j.offend(&j.Ledger, i, "online without a request", nil)
		case k.serve == nil && conns+requests > 0:
			j.offend(&j.Ledger, i, "asked, though there is nobody to ask", nil)
		case conns > most || requests > most || int(g.attempts) > j.opts.mostAttempts():
			j.offend(&j.Ledger, i, "asked too often", nil)
		}
	}
	j.Ledger += int(j.fleet.astray.Load())
	j.SlopeKiB = slope(j.Samples)
}

// mostRequests returns how many requests one attempt may make on a site of this
// kind: HEAD and GET, by http and, without a scheme, by https.
func (k *kind) mostRequests() int {
	if k.bare {
		return 4
	}
	return 2
}

// offend counts an offence and keeps it, if it is among the first.
func (j *judge) offend(count *int, index int, wrong string, result []byte) {
	*count++
	if len(j.Offences) >= shownOffences {
		return
	}
	k := j.fleet.deck.kind(index)
	j.Offences = append(j.Offences, offence{
		Seed: j.Seed, Index: index, Kind: k.name, Wrong: wrong,
		Target: k.target(newSite(index, j.fleet.server.Port(), j.fleet.closed)),
		Reason: k.reason, Code: k.code,
		Conns: j.fleet.conns[index].Load(), Requests: j.fleet.requests[index].Load(),
		Result: result,
	})
}
