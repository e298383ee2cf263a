package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	"example.com/checker"
	"example.com/checker/examples/cli"
)

// A linkRun checks the links of files.
type linkRun struct {
	options
	stderr  io.Writer
	links   []link
	files   int // that were read
	unread  int // that could not be
	known   baseline
	pages   *pages
	results map[string]checker.Result // by target
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	o, err := parse(args, stdout)
	if err != nil {
		return err
	}
	r := &linkRun{options: o, stderr: stderr, results: make(map[string]checker.Result)}
	if r.known, err = readBaseline(o.baseline); err != nil {
		return err
	}
	if err := r.collect(ctx, stdin); err != nil {
		return err
	}
	if err := r.check(ctx); err != nil {
		return err
	}
	findings := r.findings()
	if err := r.tell(stdout, findings); err != nil {
		return err
	}
	if o.writeBaseline != "" {
		if err := writeBaseline(o.writeBaseline, findings); err != nil {
			return err
		}
	}
	return r.conclude(ctx, findings)
}

// collect reads the files. What is wrong with one is said, and the others are read.
func (r *linkRun) collect(ctx context.Context, stdin io.Reader) error {
	paths := r.paths
	if r.options.files != "" {
		more, err := listed(ctx, r.options.files, stdin)
		if err != nil {
			return err
		}
		paths = append(paths, more...)
	}
	names, err := find(paths)
	if err != nil {
		return err
	}
	for _, name := range names {
		links, err := read(ctx, name)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			fmt.Fprintln(r.stderr, "linkcheck:", err)
			r.unread++
		default:
			r.files++
			r.links = append(r.links, links...)
		}
	}
	return nil
}

// skipped reports whether a link is left out.
func (r *linkRun) skipped(l link) bool {
	target, _ := l.target()
	return slices.ContainsFunc(r.exclude, func(prefix string) bool { return strings.HasPrefix(l.URL, prefix) }) ||
		!r.reserved && isReserved(target)
}

// check asks for each target once: by HEAD if that will do, and by GET if a link leads to
// a place in its page.
func (r *linkRun) check(ctx context.Context) error {
	accept := checker.StatusIn(r.checks.Status.Min, r.checks.Status.Max)
	r.pages = newPages(accept)
	seen := make(map[string]bool) // whether a place in it is wanted
	var targets []string
	for _, l := range r.links {
		if r.skipped(l) {
			continue
		}
		target, fragment := l.target()
		if _, ok := seen[target]; !ok {
			targets = append(targets, target)
		}
		seen[target] = r.pages.want(fragment) || seen[target]
	}
	var plain, fetched []string
	for _, t := range targets {
		if seen[t] {
			fetched = append(fetched, t)
		} else {
			plain = append(plain, t)
		}
	}
	c, err := r.checker(r.pages.judge)
	if err != nil {
		return err
	}
	byGet, err := c.With(checker.WithMethod(http.MethodGet))
	if err != nil {
		return err
	}
	r.ask(ctx, c, plain)
	r.ask(ctx, byGet, fetched)
	return nil
}

// ask checks targets, and those that are not online again.
func (r *linkRun) ask(ctx context.Context, c *checker.Checker, targets []string) {
	for n := 0; n <= r.again && len(targets) > 0 && ctx.Err() == nil; n++ {
		var missed []string
		for result := range c.Each(ctx, slices.Values(targets)) {
			if result.Reason() == checker.ReasonCanceled {
				continue
			}
			if !result.Online() {
				missed = append(missed, result.Target)
			}
			if before, ok := r.results[result.Target]; !ok || result.Status() != checker.Unknown || before.Status() == checker.Unknown {
				r.results[result.Target] = result
			}
		}
		targets = missed
	}
}

// tell writes what was found: to standard output, or to a file and as text to standard
// output.
func (r *linkRun) tell(stdout io.Writer, findings []finding) error {
	if r.output == "" {
		return formats[r.format](stdout, r, findings)
	}
	f, err := os.Create(r.output)
	if err != nil {
		return err
	}
	if err := errors.Join(formats[r.format](f, r, findings), f.Close()); err != nil {
		return err
	}
	return writeText(stdout, r, findings)
}

// conclude returns what the exit status is to tell.
func (r *linkRun) conclude(ctx context.Context, findings []finding) error {
	n := count(findings)
	for _, entry := range r.known.stale(findings) {
		fmt.Fprintf(r.stderr, "linkcheck: %s: %s is not dead any more, or not there: take it out\n", r.baseline, entry)
	}
	unsure := n[unknown] + n[doubtful] + n[misplaced]
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%w with %s not checked", context.Cause(ctx), plural(n[unchecked], "link"))
	case r.unread > 0:
		return fmt.Errorf("%s could not be read", plural(r.unread, "file"))
	case n[dead] > 0 && r.writeBaseline == "":
		return cli.WithStatus(cli.NotWanted, fmt.Errorf("%s dead", plural(n[dead], "link")))
	case r.fail && unsure > 0:
		return cli.WithStatus(cli.Untold, fmt.Errorf("%s not known to be good", plural(unsure, "link")))
	}
	return nil
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
