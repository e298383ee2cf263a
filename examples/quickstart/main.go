// Command quickstart checks the sites named as its arguments.
package main

import (
	"context"
	"fmt"
	"os"

	"example.com/checker"
)

func main() {
	c, err := checker.New(checker.WithConcurrency(10))
	if err != nil {
		panic(err) // an option was wrong, and the text says which
	}
	for _, r := range c.CheckAll(context.Background(), os.Args[1:]) {
		fmt.Println(r)
	}
}
