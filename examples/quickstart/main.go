// Command quickstart checks the sites named as its arguments.
package main

import (
	"context"
	"flag"
	"fmt"

	"example.com/checker"
)

func main() {
	flag.Usage = func() { fmt.Fprintln(flag.CommandLine.Output(), "Usage: quickstart URL…") }
	flag.Parse()
	c, err := checker.New(checker.WithConcurrency(10))
	if err != nil {
		panic(err) // an option was wrong, and the text says which
	}
	for _, r := range c.CheckAll(context.Background(), flag.Args()) {
		fmt.Println(r)
	}
}
