package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"example.com/checker"
)

// maxDeliveries is at which delivery a chunk is taken to be what ended the
// workers before. It is not checked any more but split, until the line that
// does it is alone.
const maxDeliveries = 4

// roundKey marks chunks that are published again on purpose, and their results,
// which the server would take for duplicates otherwise.
const roundKey = "Checker-Round"

func roundHeader(round string) nats.Header {
	if round == "" {
		return nil
	}
	return nats.Header{roundKey: {round}}
}

func msgID(id, round string) string { return id + "@" + round }

// A job is a chunk in the hands of a worker.
type job struct {
	chunk
	msg   jetstream.Msg
	round string
	lease *lease
	began time.Time
	found []record // what is reported
}

// What became of chunks.
const (
	chunksChecked     = `distributed_chunks_total{outcome="checked"}`
	chunksSplit       = `distributed_chunks_total{outcome="split"}`
	chunksQuarantined = `distributed_chunks_total{outcome="quarantined"}`
	chunksDropped     = `distributed_chunks_total{outcome="dropped"}`
)

// handle does what is to be done with a chunk that was delivered. An error
// means that nothing was acknowledged: the chunk comes again, here or
// elsewhere.
func (w *worker) handle(ctx context.Context, msg jetstream.Msg) error {
	meta, err := msg.Metadata()
	if err != nil {
		return err
	}
	j := job{msg: msg, round: msg.Headers().Get(roundKey), began: time.Now()}
	if j.chunk, err = decodeChunk(lastToken(msg.Subject()), msg.Data()); err != nil {
		return errors.Join(err, msg.TermWithReason("malformed")) // or it would block its partition; the audit misses it
	}
	w.at("fetched", j.chunk)
	asked := ctx // ends when the worker is told to end, or has lost the connection
	ctx, j.lease, err = hold(ctx, w.ackWait, func(ctx context.Context) error {
		_, err := w.nc.RequestWithContext(ctx, msg.Reply(), []byte("+WPI"))
		return err
	})
	defer j.lease.release()
	switch {
	case err != nil:
		err = fmt.Errorf("first heartbeat: %w", err)
	case meta.NumDelivered < maxDeliveries:
		err = w.check(ctx, j)
	case len(j.lines) > 1:
		err = w.split(ctx, j)
	default:
		err = w.quarantine(ctx, j)
	}
	if err != nil && asked.Err() != nil && !errors.Is(context.Cause(asked), errDisconnected) {
		w.handBack(ctx, j, meta.Sequence.Stream)
	}
	return err
}

// handBack returns a chunk when the worker ends in order, for others not to
// wait for AckWait. Its checks have stopped by now. Not after the lease has
// ended: the server would take the chunk from whoever has it.
//
// It is published anew rather than refused: a server that ends as well forgets
// refusals, and counts them as deliveries, of which a chunk may have few.
func (w *worker) handBack(ctx context.Context, j job, seq uint64) {
	ctx, cancel := w.toTheEnd(ctx)
	defer cancel()
	w.coolDown(ctx, time.Now())
	if j.lease.check() != nil {
		return
	}
	again := &nats.Msg{Subject: j.msg.Subject(), Header: roundHeader(j.round), Data: j.msg.Data()}
	_, err := w.js.PublishMsg(ctx, again, jetstream.WithMsgID(msgID(j.id, fmt.Sprintf("%s-%d", j.round, seq))),
		jetstream.WithExpectLastSequencePerSubject(seq))
	if err == nil {
		err = j.msg.DoubleAck(ctx)
	}
	if err != nil {
		_ = j.msg.Nak() // without it AckWait does the same
	}
}

// toTheEnd returns a context for what a worker still does when it is told to end.
func (w *worker) toTheEnd(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), w.endLimit())
}

// check checks a chunk and reports it.
func (w *worker) check(ctx context.Context, j job) error {
	c, err := w.under(j.lease, w.all)
	if err != nil {
		return err
	}
	targets := make([]string, len(j.lines))
	for i, l := range j.lines {
		targets[i] = l.target
	}
	w.at("checking", j.chunk)
	results := c.CheckAll(ctx, targets)
	last := time.Now()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := j.lease.check(); err != nil {
		return err
	}
	w.at("checked", j.chunk)
	data, err := encodeResults(j.lines, results)
	if err != nil {
		return err
	}
	for _, r := range results {
		j.found = append(j.found, record{Status: string(r.Status()), Reason: string(r.Reason())})
	}
	return w.report(ctx, j, data, last)
}

// report publishes the results of a chunk, and only when the server has them
// acknowledges the chunk. A worker that dies in between leaves a chunk that is
// checked again, and whose second results are dropped.
func (w *worker) report(ctx context.Context, j job, data []byte, last time.Time) error {
	err := w.send(ctx, resultSubject(j.id), msgID(j.id, j.round), nil, data)
	if errors.Is(err, nats.ErrMaxPayload) && len(j.lines) > 1 {
		return w.split(ctx, j)
	}
	if err != nil {
		return err
	}
	w.at("published", j.chunk)
	ctx, cancel := w.toTheEnd(ctx) // or the chunk would be checked again
	defer cancel()
	w.coolDown(ctx, last)
	if err := j.lease.check(); err != nil {
		return err
	}
	if err := j.msg.DoubleAck(ctx); err != nil {
		return err
	}
	w.at("acknowledged", j.chunk)
	w.note(j)
	return nil
}

// note counts and logs what was reported of a chunk.
func (w *worker) note(j job) {
	t, outcome := newTally(), chunksChecked
	for _, r := range j.found {
		t.count(r)
		w.add(1, fmt.Sprintf("distributed_results_total{status=%q,reason=%q}", r.Status, r.Reason))
	}
	if t.quarantined > 0 {
		outcome = chunksQuarantined
	}
	w.add(1, outcome)
	if w.Log || t.quarantined > 0 {
		w.logf("chunk %s: %d lines in %v: %s", j.id, len(j.lines), time.Since(j.began).Round(time.Millisecond), t.verdicts())
	}
}

// coolDown lets the interval between two requests to a host pass before the
// next chunk of its partition is handed out: the worker that gets it knows
// nothing of the last request.
func (w *worker) coolDown(ctx context.Context, last time.Time) {
	if w.HostRate > 0 {
		pause(ctx, time.Until(last.Add(w.interval())))
	}
}

// split puts the halves of a chunk into the queue, and only then acknowledges
// it. Their ids are fixed, so a split that is done twice is done once.
func (w *worker) split(ctx context.Context, j job) error {
	l, r := j.halves()
	if err := w.publishAll(ctx, []chunk{l, r}, j.round); err != nil {
		return err
	}
	w.at("split", j.chunk)
	if err := j.lease.check(); err != nil {
		return err
	}
	if err := j.msg.DoubleAck(ctx); err != nil {
		return err
	}
	w.add(1, chunksSplit)
	w.logf("chunk %s: %d lines: split in halves, since whoever had it did not come back, or its results are too long", j.id, len(j.lines))
	return nil
}

// quarantine reports a line that cannot be checked, since no worker that tried
// came back. Its result says so in a field of its own.
func (w *worker) quarantine(ctx context.Context, j job) error {
	data, err := encodeResults(j.lines, []checker.Result{{
		Target: j.lines[0].target,
		Err:    &checker.Error{Phase: checker.PhaseRequest, Reason: checker.ReasonInternal},
	}})
	if err != nil {
		return err
	}
	j.found = []record{{Status: string(checker.Unknown), Reason: string(checker.ReasonInternal), Quarantined: true}}
	data = append(bytes.TrimSuffix(data, []byte("}\n")), `,"quarantined":true}`+"\n"...)
	return w.report(ctx, j, data, time.Now())
}

// encodeResults returns a JSON line for each line of a chunk, with its index in
// the list.
func encodeResults(lines []line, results []checker.Result) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for i, r := range results {
		r.Index = lines[i].index
		if err := enc.Encode(r); err != nil {
			return nil, fmt.Errorf("line %d: %w", r.Index, err)
		}
	}
	return b.Bytes(), nil
}
