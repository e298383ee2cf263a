package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"example.com/checker"
)

// How long a fetch waits where there is nothing: a little while there is work
// elsewhere, longer once a round of all partitions has found none.
const (
	busyWait = 50 * time.Millisecond
	idleWait = 500 * time.Millisecond
)

// A worker checks chunks. Each of its hands takes one at a time, from a
// partition in which no other hand of the worker is.
type worker struct {
	*app
	*queue
	manners
	nc        *nats.Conn
	all       *checker.Checker // what the Checkers of all chunks are derived from
	session   session
	consumers []jetstream.Consumer // by partition

	mu    sync.Mutex
	taken []bool // by partition
	next  int
	dry   int // partitions in a row that had nothing
}

func (c *workCmd) do(ctx context.Context, a *app) error {
	if c.Tied {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		go func() { // ends with the process at the latest: nothing interrupts a read of standard input
			defer cancel()
			_, _ = io.Copy(io.Discard, os.Stdin)
		}()
	}
	w := &worker{app: a, manners: c.manners}
	if err := w.manners.validate(); err != nil {
		return err
	}
	asked := ctx // ends only if the worker is asked to end
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w.session.begin(ctx)
	e, err := c.link.in("out").open(a,
		nats.DisconnectErrHandler(func(*nats.Conn, error) { w.session.begin(ctx) }),
		nats.ClosedHandler(func(nc *nats.Conn) { cancel(fmt.Errorf("the connection has ended: %w", nc.LastError())) }),
	)
	if err != nil {
		return err
	}
	defer e.close()
	stop, err := c.tell(ctx, a, e, func(series) {})
	if err != nil {
		return err
	}
	defer stop()
	if err = w.open(ctx, e); err == nil {
		err = w.run(ctx)
	}
	if asked.Err() != nil {
		return nil
	}
	if errors.Is(err, nats.ErrConnectionClosed) {
		<-ctx.Done() // the handler comes a little later, and it knows why
		return context.Cause(ctx)
	}
	return cmp.Or(err, context.Cause(ctx))
}

// open finds the queue and its consumers.
func (w *worker) open(ctx context.Context, e *engine) (err error) {
	w.nc = e.nc
	if w.all, err = w.checker(); err != nil {
		return err
	}
	if w.queue, err = openQueue(ctx, w.app, e.js, 0); err != nil {
		return err
	}
	w.consumers, w.taken = make([]jetstream.Consumer, w.partitions), make([]bool, w.partitions)
	for p := range w.partitions {
		if w.consumers[p], err = w.js.Consumer(ctx, jobsStream, partitionConsumer(p)); err != nil {
			return err
		}
		if n := w.consumers[p].CachedInfo().Config.MaxAckPending; n != 1 {
			return fmt.Errorf("consumer %s hands out %d chunks at once; one is what keeps workers off each other's sites",
				partitionConsumer(p), n)
		}
	}
	return nil
}

// run checks chunks until ctx ends, which is no error.
func (w *worker) run(ctx context.Context) error {
	for _, name := range []string{chunksChecked, chunksSplit, chunksQuarantined, chunksDropped, "distributed_chunks_in_hand"} {
		w.add(0, name)
	}
	if w.Log {
		w.logf("working: %d chunks at once, %d checks", w.Hands, w.Concurrency)
		defer w.logf("worked")
	}
	g, ctx := errgroup.WithContext(ctx)
	w.next = int(time.Now().UnixNano()/1000) % w.partitions // workers begin in different places
	for range min(w.Hands, w.partitions) {
		g.Go(func() error { return w.hand(ctx) })
	}
	return g.Wait()
}

// hand takes chunks, from a partition for as long as it has any and then from
// the next.
func (w *worker) hand(ctx context.Context) error {
	for ctx.Err() == nil {
		p, wait := w.take()
		for ctx.Err() == nil { // or it would be given what it has just handed back
			session := w.session.current() // of before the fetch
			msg, err := w.fetch(ctx, p, wait)
			if err != nil {
				w.giveBack(p, false)
				return err
			}
			if msg == nil {
				break
			}
			w.found()
			w.add(1, "distributed_chunks_in_hand")
			if err := w.handle(session, msg); err != nil && ctx.Err() == nil {
				w.add(1, chunksDropped)
				w.logf("chunk %s: %v; it will come again", lastToken(msg.Subject()), err)
			}
			w.add(-1, "distributed_chunks_in_hand")
		}
		w.giveBack(p, true)
	}
	return nil
}

// take returns a partition for a hand, and how long to wait for a chunk.
func (w *worker) take() (p int, wait time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.taken[w.next] {
		w.next = (w.next + 1) % w.partitions
	}
	p = w.next
	w.taken[p] = true
	w.next = (w.next + 1) % w.partitions
	if w.dry > w.partitions {
		return p, idleWait
	}
	return p, busyWait
}

func (w *worker) giveBack(p int, dry bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.taken[p] = false
	if dry {
		w.dry++
	}
}

func (w *worker) found() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dry = 0
}

// fetch returns a chunk of a partition, or nil if there is none to be had for
// now. It asks with an expiry, never with NoWait: such a request is not
// answered at all while the partition's one chunk is out. It is not given up
// before the server has, or a chunk might be sent to nobody.
func (w *worker) fetch(ctx context.Context, p int, wait time.Duration) (jetstream.Msg, error) {
	if !w.nc.IsConnected() {
		pause(ctx, wait)
		return nil, nil
	}
	got, err := w.consumers[p].Fetch(1, jetstream.FetchMaxWait(wait))
	if err == nil {
		if msg, ok := <-got.Messages(); ok {
			return msg, nil
		}
		err = got.Error()
	}
	if err != nil && ctx.Err() == nil {
		if isFinal(err) {
			return nil, err
		}
		pause(ctx, wait) // a server that is away, or a change of leader
	}
	return nil, nil
}

// A session is the time between two losses of the connection.
type session struct {
	mu     sync.Mutex
	ctx    context.Context // a value that changes, not a call's
	cancel context.CancelCauseFunc
}

// errDisconnected is why a worker drops all that it has.
var errDisconnected = errors.New("the connection was lost")

// begin ends the session and begins another.
func (s *session) begin(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cancel != nil {
		s.cancel(errDisconnected)
	}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
}

func (s *session) current() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ctx
}
