package main

import (
	"cmp"
	"context"
	"flag"
	"os"
	"time"

	"example.com/checker/examples/cli"
)

// A subcommand has flags, and does something.
type subcommand interface {
	define(*flag.FlagSet)
	do(context.Context, *app) error
}

// commands has the subcommands as help shows them.
var commands = []struct {
	name, help string
	explain    string // what else -h says
	new        func() subcommand
}{
	{"run", "everything: server, publisher, workers, collector, audit",
		"The same command again goes on where an earlier one was ended, by whatever.\n" +
			"The exit status is 0 only if the audit finds every line with one result.",
		func() subcommand { return new(runCmd) }},
	{"server", "a JetStream server for other machines", "", func() subcommand { return new(serverCmd) }},
	{"publish", "put a list into the queue",
		"Ends when all is in the queue. Run again, it goes on where it was ended.\n" +
			"It waits while the queue is nine tenths full; the rest is for chunks that workers split.",
		func() subcommand { return new(publishCmd) }},
	{"work", "check what is in the queue, until interrupted", "", func() subcommand { return new(workCmd) }},
	{"collect", "write the results of a list to files, until all are there",
		"There must be only one for a list; a directory takes only one.",
		func() subcommand { return new(collectCmd) }},
	{"audit", "prove that every line has one result, and merge them in order",
		"Writes DIR/results.jsonl, a line for each target of the list and in its order.\n" +
			"Exits with 1, and names the first holes, if a target has no result or several.",
		func() subcommand { return new(auditCmd) }},
	{"repair", "put back into the queue what has no result",
		"For results that were lost after they had been collected. Run it when publish has ended\n" +
			"and the queue is empty; then work and collect again.",
		func() subcommand { return new(repairCmd) }},
}

// link says how to reach JetStream.
type link struct {
	NATS  string
	Store string
	credentials
}

func (l *link) define(f *flag.FlagSet) {
	f.StringVar(&l.NATS, "nats", "", "the `URL` of servers, several separated by commas; by default one inside of this process")
	l.credentials.define(f)
	f.StringVar(&l.Store, "store", "", "the `DIR` where the server inside of this process keeps its queue; by default store in the directory for results")
}

// token returns what servers and clients show each other.
func token(flag string) string { return cmp.Or(flag, os.Getenv("NATS_TOKEN")) }

// source says what to check.
type source struct {
	File       string
	Chunk      int
	Partitions int
}

func (s *source) define(f *flag.FlagSet) {
	f.StringVar(&s.File, "f", "", "the `FILE` with the list: a URL a line, and if you like a name after it")
	f.IntVar(&s.Chunk, "chunk", 500, "up to `N` lines in a chunk; the same for all subcommands")
	f.IntVar(&s.Partitions, "partitions", 64, "`N` parts that sites are spread over, of each of which one chunk at a time is checked; the same for all subcommands, and for all lists of a queue")
}

// sink says where results go.
type sink struct{ Out string }

func (s *sink) define(f *flag.FlagSet) {
	f.StringVar(&s.Out, "o", "out", "the `DIR` where results go")
}

// again says whether a list that was checked is checked once more.
type again struct{ Again bool }

func (o *again) define(f *flag.FlagSet) {
	f.BoolVar(&o.Again, "again", false, "check a list again that was checked before, in a new run with results of its own")
}

// shape says how the queue is made, by the first who needs it. It has no say
// in a queue that is there already.
type shape struct {
	Queue    int
	Replicas int
	AckWait  time.Duration
}

func (s *shape) define(f *flag.FlagSet) {
	f.IntVar(&s.Queue, "queue", 20000, "up to `N` chunks in the queue, when it is made")
	f.IntVar(&s.Replicas, "replicas", 1, "`N` servers keep each message, when the queue is made")
	f.DurationVar(&s.AckWait, "ack-wait", 30*time.Second, "after this `DUR` a silent worker's chunk goes to another, when the queue is made")
}

// manners say how sites are checked.
type manners struct {
	cli.Checks
	HostRate float64
	Hands    int
	Public   bool
	Log      bool
}

func (m *manners) define(f *flag.FlagSet) {
	m.Concurrency = 800
	m.Checks.Define(f)
	f.Float64Var(&m.HostRate, "host-rate", 2, "`N` requests a second on one host, over all workers; 0 for no limit")
	f.IntVar(&m.Hands, "hands", 16, "one worker checks `N` chunks at once, and -c sites of them all")
	f.BoolVar(&m.Public, "public", false, "refuse addresses that are not public, for lists from strangers")
	f.BoolVar(&m.Log, "log", m.Log, "log each chunk, not just what goes wrong")
}

// verdicts say whether the exit status tells what was found.
type verdicts struct{ Fail bool }

func (v *verdicts) define(f *flag.FlagSet) {
	f.BoolVar(&v.Fail, "fail", false, "exit with status 1 if any site is offline, or else 3 if any is unknown")
}

type runCmd struct {
	listener
	source
	again
	sink
	link
	shape
	manners
	verdicts
	Workers int
}

func (c *runCmd) define(f *flag.FlagSet) {
	c.listener.define(f)
	c.source.define(f)
	c.again.define(f)
	c.sink.define(f)
	c.link.define(f)
	c.shape.define(f)
	c.manners.define(f)
	c.verdicts.define(f)
	f.IntVar(&c.Workers, "workers", 4, "`N` worker processes")
}

type serverCmd struct {
	listener
	Listen string
	Token  string
	Store  string
	pair
}

func (c *serverCmd) define(f *flag.FlagSet) {
	c.listener.define(f)
	f.StringVar(&c.Listen, "listen", "127.0.0.1:4222", "`HOST:PORT`; beyond this machine only with a token or -ca")
	f.StringVar(&c.Token, "token", "", "the `TEXT` that clients must present; by default what NATS_TOKEN has in the environment")
	f.StringVar(&c.Store, "store", "out/store", "the `DIR` where the queue is kept")
	f.StringVar(&c.Cert, "cert", "", "the `FILE` with the server's certificate and those below its CA's, in PEM: TLS only")
	f.StringVar(&c.Key, "key", "", "the `FILE` with its key")
	f.StringVar(&c.CA, "ca", "", "the `FILE` with the CA of the clients, in PEM: each must show a certificate of it")
}

type publishCmd struct {
	source
	again
	link
	shape
}

func (c *publishCmd) define(f *flag.FlagSet) {
	c.source.define(f)
	c.again.define(f)
	c.link.define(f)
	c.shape.define(f)
}

type workCmd struct {
	listener
	link
	manners
	Tied bool
}

func (c *workCmd) define(f *flag.FlagSet) {
	c.listener.define(f)
	c.Log = true
	c.link.define(f)
	c.manners.define(f)
	f.BoolVar(&c.Tied, "tied", false, "end when standard input does, as with the one who started it")
}

type collectCmd struct {
	listener
	source
	sink
	link
}

func (c *collectCmd) define(f *flag.FlagSet) {
	c.listener.define(f)
	c.source.define(f)
	c.sink.define(f)
	c.link.define(f)
}

type auditCmd struct {
	source
	sink
	verdicts
}

func (c *auditCmd) define(f *flag.FlagSet) {
	c.source.define(f)
	c.sink.define(f)
	c.verdicts.define(f)
}

type repairCmd struct {
	source
	sink
	link
	shape
}

func (c *repairCmd) define(f *flag.FlagSet) {
	c.source.define(f)
	c.sink.define(f)
	c.link.define(f)
	c.shape.define(f)
}
