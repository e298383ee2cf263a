package checker_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"example.com/checker"
)

// site is a server for the examples: "/" answers, "/old" redirects to it, and
// "/gone" is not there.
var site = func() *httptest.Server {
	mux := http.NewServeMux()
	mux.Handle("/old", http.RedirectHandler("/", http.StatusMovedPermanently))
	mux.Handle("/gone", http.NotFoundHandler())
	mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) {})
	return httptest.NewServer(mux)
}()

// nowhere is a URL on a port that nothing listens on.
const nowhere = "http://127.0.0.1:1/"

func Example() {
	c, err := checker.New(checker.WithTimeout(5 * time.Second))
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range c.CheckAll(context.Background(), []string{site.URL, nowhere, "ftp://example.org/"}) {
		fmt.Printf("%s %q\n", r.Status(), r.Reason())
	}
	// Output:
	// online ""
	// offline "refused"
	// unknown "invalid"
}

func ExampleNew() {
	_, err := checker.New(checker.WithTimeout(0), checker.WithMethod("POST"))
	fmt.Println(err)
	fmt.Println(errors.Is(err, checker.ErrInvalidOption))
	// Output:
	// invalid option: WithTimeout: 0s is not positive
	// invalid option: WithMethod: "POST" is neither HEAD nor GET
	// true
}

func ExampleChecker_Check() {
	c, err := checker.New()
	if err != nil {
		log.Fatal(err)
	}
	r := c.Check(context.Background(), site.URL+"/gone")
	fmt.Println(r.Status(), r.StatusCode)
	// Output: online 404
}

func ExampleChecker_CheckAll() {
	c, err := checker.New()
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range c.CheckAll(context.Background(), []string{nowhere, "http://:80/"}) {
		fmt.Println(r)
	}
	// Output:
	// http://127.0.0.1:1/: offline: the host refused the connection
	// http://:80/: unknown: not a site to check: it has no host
}

// Stream takes a list of any length and gives each Result as it falls.
func ExampleChecker_Stream() {
	c, err := checker.New(checker.WithConcurrency(10))
	if err != nil {
		log.Fatal(err)
	}
	list := slices.Repeat([]string{site.URL, site.URL + "/gone", nowhere}, 20)
	count := make(map[checker.Status]int)
	for r := range c.Stream(context.Background(), slices.Values(list)) {
		count[r.Status()]++
	}
	fmt.Println(count)
	// Output: map[offline:20 online:40]
}

// A reader that has seen enough cancels the context.
func ExampleChecker_Stream_stop() {
	c, err := checker.New()
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	forever := func(yield func(string) bool) {
		for yield(site.URL) {
		}
	}
	for r := range c.Stream(ctx, forever) {
		fmt.Println(r.Status())
		break
	}
	// Output: online
}

func ExampleReason() {
	c, err := checker.New()
	if err != nil {
		log.Fatal(err)
	}
	r := c.Check(context.Background(), nowhere)
	fmt.Println(errors.Is(r.Err, checker.ReasonRefused))
	switch r.Reason() {
	case checker.ReasonRefused, checker.ReasonReset:
		fmt.Println("the web server is down")
	case checker.ReasonNotFound:
		fmt.Println("the domain is gone")
	}
	// Output:
	// true
	// the web server is down
}

func ExampleError() {
	c, err := checker.New()
	if err != nil {
		log.Fatal(err)
	}
	r := c.Check(context.Background(), nowhere)
	if e, ok := errors.AsType[*checker.Error](r.Err); ok {
		fmt.Println(e.Phase, e.Reason)
		fmt.Println(e.Err) // for the operator: the cause as it came
	}
	// Output:
	// connect refused
	// dial tcp 127.0.0.1:1: connect: connection refused
}
