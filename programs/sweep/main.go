// Command sweep checks every site of a list, of any length, and says what it
// found.
//
//	sweep -o found.jsonl -report found.html sites.txt
//	sweep -o found.jsonl -resume sites.txt      # after ^C, a crash or a kill
//	sweep -format text -only offline < sites.txt
//
// A line of the list is a URL, and if you like a name after it; blank lines and
// lines that begin with # are skipped. A line of the output is written as its check
// ends; its index is the number of the site's line in the list, from 0. A summary goes
// to standard output if the results go to a file, and otherwise to standard error if
// that is a terminal, which also gets a progress bar. A script finds nothing but errors
// and warnings there.
//
// An output that is there already is not touched, unless -resume or -force says what is
// to become of it. -resume checks the lines whose index the output does not hold, and
// counts what it holds; with -only, that is fewer than were checked. The list must be
// the same. Of certificates and redirects the format text knows nothing.
//
// -again N asks what was not online, unknown sites included, up to N times more at the
// end. Such a site's line is written once, when it is online or the last time is over;
// a second verdict of unknown says nothing against an offline before it. -resume after
// a kill asks it anew; ^C writes what was found so far.
//
// Memory does not grow with the list: what a run keeps is a bit for each line
// that -resume skips, counters, a histogram, and a few hosts and sites. What -again is
// to ask comes on top.
//
// The exit status is 0 even if sites are down. With -fail it is 1 if any is offline, or
// else 3 if any is unknown. It is 2 for an error, 130 after ^C and 143 after SIGTERM.
package main

import (
	"context"
	"fmt"
	"os"

	"example.com/checker/examples/cli"
)

func main() {
	cli.Main("sweep", func(ctx context.Context, args []string) error { return run(ctx, args, os.Stdout) })
}

// interrupted returns an error for the end of ctx, with what had been done.
func interrupted(ctx context.Context, done int, resume bool) error {
	text := "after " + count(done, "site", "sites")
	if resume {
		text += "; -resume goes on from there"
	}
	return fmt.Errorf("%w %s", context.Cause(ctx), text)
}
