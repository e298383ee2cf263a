package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"
)

const (
	jobsStream    = "JOBS"    // JOBS.<partition>.<list>.<chunk>: its lines
	resultsStream = "RESULTS" // RESULTS.<list>.<chunk>: its results
	listsBucket   = "LISTS"   // <list>: how far its last run is published; <list>.collected: which run was
	dedup         = 10 * time.Minute
)

func jobSubject(id string) string {
	run, p, _, _ := splitID(id)
	return fmt.Sprintf("%s.%04d.%s.%s", jobsStream, p, listOf(run), id)
}

func resultSubject(id string) string { return resultsStream + "." + listOf(id[:runWidth]) + "." + id }

// lastToken returns the chunk's id of either subject.
func lastToken(subject string) string { return subject[strings.LastIndexByte(subject, '.')+1:] }

func partitionConsumer(p int) string { return fmt.Sprintf("p%04d", p) }

// What programs on one queue must agree about is in the metadata of its streams.
const (
	partitionsKey = "checker-partitions"
	schemeKey     = "checker-scheme"
)

// A queue is the streams of a JetStream.
type queue struct {
	app           *app
	js            jetstream.JetStream
	jobs, results jetstream.Stream
	lists         jetstream.KeyValue
	ackWait       time.Duration // how long a silent worker keeps a chunk
	partitions    int
}

// make opens the queue, and makes it with so many partitions if need be.
func (s shape) make(ctx context.Context, a *app, js jetstream.JetStream, partitions int) (*queue, error) {
	if s.Queue < 10 || s.AckWait < time.Second {
		return nil, errors.New("-queue must be 10 or more, and -ack-wait 1s or more")
	}
	q := &queue{app: a, js: js, partitions: partitions}
	var err error
	if q.jobs, err = q.ensureStream(ctx, jetstream.StreamConfig{
		Name:     jobsStream,
		Subjects: []string{jobsStream + ".*.*.*"},
		MaxMsgs:  int64(s.Queue),
		Replicas: s.Replicas,

		MaxConsumers: q.partitions, // or a server has a limit of its own
	}); err != nil {
		return nil, err
	}
	if err := s.ensureConsumers(ctx, q); err != nil {
		return nil, err
	}
	if q.results, err = q.ensureStream(ctx, jetstream.StreamConfig{
		Name:     resultsStream,
		Subjects: []string{resultsStream + ".*.*"},
		Replicas: s.Replicas,
	}); err != nil {
		return nil, err
	}
	q.lists, err = js.KeyValue(ctx, listsBucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		q.lists, err = js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: listsBucket, Replicas: s.Replicas})
	}
	if err != nil {
		return nil, err
	}
	return q, q.readWait(ctx)
}

// readWait reads what the makers of the queue chose.
func (q *queue) readWait(ctx context.Context) error {
	c, err := q.jobs.Consumer(ctx, partitionConsumer(0))
	if err == nil {
		q.ackWait = c.CachedInfo().Config.AckWait
	}
	return err
}

// ensureStream returns a stream, and makes it if need be: a work queue, from
// which an acknowledged message is gone, and which refuses new messages rather
// than drop old ones.
func (q *queue) ensureStream(ctx context.Context, conf jetstream.StreamConfig) (jetstream.Stream, error) {
	s, err := q.js.Stream(ctx, conf.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		conf.Retention = jetstream.WorkQueuePolicy
		conf.Storage = jetstream.FileStorage
		conf.Discard = jetstream.DiscardNew
		conf.Duplicates = dedup
		conf.Compression = jetstream.S2Compression
		conf.Metadata = map[string]string{partitionsKey: strconv.Itoa(q.partitions), schemeKey: scheme}
		s, err = q.js.CreateStream(ctx, conf)
	}
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", conf.Name, err)
	}
	return s, q.agree(s)
}

// agree refuses a stream whose makers had other ideas about partitions: the chunks of
// one site would be in the hands of two workers. It takes the number from the stream if
// the queue has none.
func (q *queue) agree(s jetstream.Stream) error {
	conf := s.CachedInfo().Config
	n, err := strconv.Atoi(conf.Metadata[partitionsKey])
	if got := conf.Metadata[schemeKey]; err != nil || n < 1 || n > maxPartitions || got != scheme {
		return fmt.Errorf("stream %s was made by %q, and this program is %q; empty it with the program that made it", conf.Name, got, scheme)
	}
	if q.partitions = cmp.Or(q.partitions, n); q.partitions != n {
		return fmt.Errorf("the queue was made with -partitions %d, and not %d: say so, or use another queue (an embedded one is in -store)", n, q.partitions)
	}
	return nil
}

// ensureConsumers makes the consumers of all partitions, beside each other,
// since each waits for the disk.
func (s shape) ensureConsumers(ctx context.Context, q *queue) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(16)
	for p := range q.partitions {
		g.Go(func() error { return s.ensureConsumer(ctx, q.js, p) })
	}
	return g.Wait()
}

// ensureConsumer makes the consumer of a partition. MaxAckPending is the lock:
// the server hands out no chunk of the partition while another is out. Neither
// BackOff nor a Nak with a delay has a place here, since either blocks the
// partition.
func (s shape) ensureConsumer(ctx context.Context, js jetstream.JetStream, p int) error {
	_, err := js.Consumer(ctx, jobsStream, partitionConsumer(p))
	if !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return err // it may have another AckWait; the first one's holds
	}
	_, err = js.CreateConsumer(ctx, jobsStream, jetstream.ConsumerConfig{
		Durable:       partitionConsumer(p),
		FilterSubject: fmt.Sprintf("%s.%04d.*.*", jobsStream, p),
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       s.AckWait,
		MaxDeliver:    -1,
		MaxAckPending: 1,
	})
	return err
}

// openQueue opens a queue that others make, with so many partitions if that is not 0,
// and waits for it if need be.
func openQueue(ctx context.Context, a *app, js jetstream.JetStream, partitions int) (*queue, error) {
	q := &queue{app: a, js: js, partitions: partitions}
	for waiting := false; ; waiting = true {
		var err error
		if q.lists, err = js.KeyValue(ctx, listsBucket); err == nil { // made last
			if q.jobs, err = js.Stream(ctx, jobsStream); err == nil {
				q.results, err = js.Stream(ctx, resultsStream)
			}
		}
		if err == nil {
			return q, cmp.Or(q.agree(q.jobs), q.agree(q.results), q.readWait(ctx))
		}
		switch {
		case errors.Is(err, jetstream.ErrBucketNotFound):
			if !waiting {
				a.logf("waiting for a publisher to make the queue")
			}
		case !isAway(err):
			return nil, err
		}
		if !pause(ctx, time.Second) {
			return nil, context.Cause(ctx)
		}
	}
}

// send publishes a message once, however often it tries: the server knows it by
// msgID for ten minutes, and by its subject for as long as it is there. It goes
// on until ctx ends, or the server refuses for good.
func (q *queue) send(ctx context.Context, subject, msgID string, header nats.Header, data []byte) error {
	msg := &nats.Msg{Subject: subject, Header: header, Data: data}
	for said := false; ; said = true {
		_, err := q.js.PublishMsg(ctx, msg, jetstream.WithMsgID(msgID), jetstream.WithExpectLastSequencePerSubject(0))
		if err == nil || isThere(err) {
			return nil
		}
		if isFinal(err) {
			return fmt.Errorf("publish %s: %w", subject, err)
		}
		if !said && ctx.Err() == nil {
			q.app.logf("publish %s: %v; trying until it is there", subject, err)
		}
		if !pause(ctx, 250*time.Millisecond) {
			return context.Cause(ctx)
		}
	}
}

// isThere reports whether a message was refused since its subject has one. A
// stream with replicas says so by another code.
func isThere(err error) bool {
	api, ok := errors.AsType[*jetstream.APIError](err)
	return ok && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
		api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}

// isFinal reports whether trying again is of no use. A full stream, a server
// that is away and a cluster between two leaders pass.
func isFinal(err error) bool {
	api, ok := errors.AsType[*jetstream.APIError](err)
	return ok && api.Code >= 400 && api.Code < 500 ||
		errors.Is(err, nats.ErrConnectionClosed) || errors.Is(err, nats.ErrMaxPayload)
}

// isAway reports whether a server did not get to answer.
func isAway(err error) bool {
	return errors.Is(err, nats.ErrReconnectBufExceeded) || errors.Is(err, nats.ErrDisconnected) ||
		errors.Is(err, nats.ErrTimeout) || errors.Is(err, context.DeadlineExceeded)
}

// pause waits, and reports whether ctx is still alive.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
