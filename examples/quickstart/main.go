// Command quickstart checks the sites named as its arguments.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"example.com/checker"
)

func main() {
	c, err := checker.New()
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range c.CheckAll(context.Background(), os.Args[1:]) {
		fmt.Println(r)
	}
}
