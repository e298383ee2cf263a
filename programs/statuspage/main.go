// Command statuspage watches sites and serves a page that shows live how they
// are.
//
//	statuspage -f sites.txt
//	statuspage -f sites.txt -every 10s -addr :8080 -db history.db
//
// A line of sites.txt is a URL, or a host, and if you like a name after it. Lines that
// begin with "## " are headings of groups; blank lines and other lines that begin with #
// are skipped:
//
//	# our sites
//	example.org
//
//	## Shops
//	https://shop.example/health   The shop
//
// A site is offline after two failures in a row, and online with one answer. A
// verdict of Unknown, which means that this machine could not check, changes neither
// and is no downtime; where there is no other for twice the interval, it is what is
// shown. Each site has a page with its incidents, which are the times in which it was
// offline.
//
// With -webhook a URL gets a POST with a JSON object when a site goes offline and when it
// is back, again and again until it answers with a status of 2xx, across restarts too.
//
// Beside the pages there are /feed.atom, with the newest incidents; /badge.svg and, for a
// site, /sites/KEY/badge.svg, with its state; /api/status.json, with the figures of the
// page; and /healthz, which says whether checks still come to an end. With -db the
// history outlives the program, in a file of SQLite's. ^C ends it. README.md has more.
package main

import (
	"context"
	"os"

	"example.com/checker/examples/cli"
)

func main() {
	cli.Main("statuspage", func(ctx context.Context, args []string) error {
		o, err := parse(args, os.Stdout)
		if err != nil {
			return err
		}
		return run(ctx, o, os.Stdout, os.Stderr)
	})
}
