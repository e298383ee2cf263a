// Command linkcheck finds the links in Markdown and HTML files and says which of them
// are dead.
//
//	linkcheck docs README.md
//	git ls-files '*.md' '*.html' | linkcheck -files -
//	linkcheck -format sarif -o links.sarif .
//
// README.md says what is a link, what is dead, and what the formats have.
package main

import (
	"context"
	"os"

	"example.com/checker/examples/cli"
)

func main() {
	cli.Main("linkcheck", func(ctx context.Context, args []string) error {
		return run(ctx, args, os.Stdin, os.Stdout, os.Stderr)
	})
}
