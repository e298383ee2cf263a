package main

import "time"

type options struct {
	Run     *runCmd     `arg:"subcommand:run" help:"everything: server, publisher, workers, collector, audit"`
	Server  *serverCmd  `arg:"subcommand:server" help:"a JetStream server for other machines"`
	Publish *publishCmd `arg:"subcommand:publish" help:"put a list into the queue"`
	Work    *workCmd    `arg:"subcommand:work" help:"check what is in the queue, until interrupted"`
	Collect *collectCmd `arg:"subcommand:collect" help:"write the results of a list to files, until all are there"`
	Audit   *auditCmd   `arg:"subcommand:audit" help:"prove that every line has one result, and merge them in order"`
	Repair  *repairCmd  `arg:"subcommand:repair" help:"put back into the queue what has no result"`
}

func (options) Description() string {
	return "Check a list of sites with many processes or machines, on NATS JetStream."
}

func (options) Epilogue() string { return "-h after a subcommand explains it." }

// link says how to reach JetStream.
type link struct {
	NATS  string `arg:"--nats" placeholder:"URL" help:"servers, separated by commas [default: one inside of this process]"`
	Token string `arg:"--token,env:NATS_TOKEN" placeholder:"TEXT" help:"what the servers ask for"`
	Store string `arg:"--store" placeholder:"DIR" help:"where the server inside of this process keeps its queue [default: store in the directory for results]"`
}

// source says what to check.
type source struct {
	File  string `arg:"-f,--file,required" placeholder:"FILE" help:"the list, a target a line; blank lines and those that begin with # are skipped"`
	Chunk int    `arg:"--chunk" placeholder:"N" default:"500" help:"lines in a chunk, at most; the same for all subcommands"`
}

// sink says where results go.
type sink struct {
	Out string `arg:"-o,--out" placeholder:"DIR" default:"out" help:"where results go"`
}

// explained is a subcommand with more to say than its flags do.
type explained interface{ explain() string }

// shape says how the queue is made, by the first who needs it. It has no say
// in a queue that is there already.
type shape struct {
	Queue    int           `arg:"--queue" placeholder:"N" default:"20000" help:"chunks in the queue, at most, when it is made"`
	Replicas int           `arg:"--replicas" placeholder:"N" default:"1" help:"servers that keep each message, when the queue is made"`
	AckWait  time.Duration `arg:"--ack-wait" placeholder:"TIME" default:"30s" help:"after which a silent worker's chunk goes to another, when the queue is made"`
}

// manners say how sites are checked.
type manners struct {
	Timeout     time.Duration `arg:"--timeout" placeholder:"TIME" default:"10s" help:"for one whole check"`
	HostRate    float64       `arg:"--host-rate" placeholder:"N" default:"2" help:"requests a second on one host, over all workers; 0 for no limit"`
	Hands       int           `arg:"--hands" placeholder:"N" default:"16" help:"chunks that one worker checks at once"`
	Concurrency int           `arg:"--concurrency" placeholder:"N" default:"800" help:"checks that one worker has under way, over all its chunks"`
	UserAgent   string        `arg:"--user-agent" placeholder:"TEXT" help:"what to call oneself [default: that of package checker]"`
	Public      bool          `arg:"--public" help:"refuse addresses that are not public, for lists from strangers"`
}

type runCmd struct {
	source
	sink
	link
	shape
	manners
	Workers int `arg:"--workers" placeholder:"N" default:"4" help:"worker processes"`
}

func (runCmd) explain() string {
	return "The same command again goes on where an earlier one was ended, by whatever.\n" +
		"The exit status is 0 only if the audit finds every line with one result."
}

type serverCmd struct {
	Listen string `arg:"--listen" placeholder:"ADDR" default:"127.0.0.1:4222" help:"host:port; beyond this machine only with a token"`
	Token  string `arg:"--token,env:NATS_TOKEN" placeholder:"TEXT" help:"what clients must present"`
	Store  string `arg:"--store" placeholder:"DIR" default:"out/store" help:"where the queue is kept"`
}

type publishCmd struct {
	source
	link
	shape
}

func (publishCmd) explain() string {
	return "Ends when all is in the queue. Run again, it goes on where it was ended.\n" +
		"It waits while the queue is nine tenths full; the rest is for chunks that workers split."
}

type workCmd struct {
	link
	manners
	Tied bool `arg:"--tied" help:"end when standard input does, as with the one who started it"`
}

type collectCmd struct {
	source
	sink
	link
}

func (collectCmd) explain() string {
	return "There must be only one for a list; a directory takes only one."
}

type auditCmd struct {
	source
	sink
}

func (auditCmd) explain() string {
	return "Writes DIR/results.jsonl, a line for each target of the list and in its order.\n" +
		"Exits with 1, and names the first holes, if a target has no result or several."
}

type repairCmd struct {
	source
	sink
	link
	shape
}

func (repairCmd) explain() string {
	return "For results that were lost after they had been collected. Run it when publish has ended\n" +
		"and the queue is empty; then work and collect again."
}
