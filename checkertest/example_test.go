package checkertest_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"strings"

	"example.com/checker"
	"example.com/checker/checkertest"
)

// A host that the network was not told of does not exist.
func ExampleNetwork() {
	network := checkertest.NewNetwork()
	network.Handle("up.test", nil)
	network.Fail("old.test", checker.CauseExpired)
	c, err := checker.New(network.Option())
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range c.CheckAll(context.Background(), []string{"https://up.test/", "https://old.test/", "https://none.test/"}) {
		fmt.Printf("%s %s %q\n", r.Target, r.Status(), r.Cause())
	}
	// Output:
	// https://up.test/ online ""
	// https://old.test/ offline "expired"
	// https://none.test/ offline "nxdomain"
}

// What a site answers is a handler's affair.
func ExampleNetwork_Handle() {
	network := checkertest.NewNetwork()
	c, err := checker.New(network.Option(), checker.WithJudge(checker.StatusIn(200, 299)))
	if err != nil {
		log.Fatal(err)
	}
	network.Handle("shop.test", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	fmt.Println(c.Check(context.Background(), "shop.test"))
	network.Handle("shop.test", nil)
	fmt.Println(c.Check(context.Background(), "shop.test").Status())
	// Output:
	// shop.test: offline: http://shop.test/: the answer was not accepted: status 429, wanted 200–299
	// online
}

// A program's own requests, here to a webhook, go to the same hosts.
func ExampleNetwork_Client() {
	network := checkertest.NewNetwork()
	network.Handle("hook.test", http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		fmt.Println(req.Method, req.URL.Path)
	}))
	resp, err := network.Client().Post("https://hook.test/down", "text/plain", strings.NewReader("shop.test"))
	if err != nil {
		log.Fatal(err)
	}
	resp.Body.Close()
	// Output: POST /down
}

// advice says whom to call.
func advice(r checker.Result) string {
	switch r.Reason() {
	case checker.ReasonCertificate:
		return "renew it"
	case checker.ReasonNotFound:
		return "call the registrar"
	}
	return map[checker.Status]string{checker.Offline: "call the hoster", checker.Unknown: "look at this machine"}[r.Status()]
}

func ExampleResult() {
	r := checkertest.Result("https://shop.test/", checker.CauseExpired)
	fmt.Println(r)
	fmt.Println(advice(r))
	// Output:
	// https://shop.test/: offline: the certificate was refused: it has expired
	// renew it
}

// Whatever is the matter, there is advice.
func ExampleResults() {
	for _, r := range checkertest.Results() {
		if (advice(r) == "") != r.Online() {
			fmt.Println("no advice for", r)
		}
	}
	// Output:
}
