package watch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"time"

	"example.com/checker"
	"example.com/checker/checkertest"
	"example.com/checker/watch"
)

// monitor watches sites until ctx ends, and posts each change to a webhook.
func monitor(ctx context.Context, every time.Duration, sites []string, client *http.Client, webhook string, opts ...checker.Option) error {
	c, err := checker.New(append([]checker.Option{
		checker.WithTimeout(5 * time.Second),
		checker.WithConcurrency(len(sites)), // none waits for others that hang
		checker.WithJudge(checker.StatusIn(200, 299)),
	}, opts...)...)
	if err != nil {
		return err
	}
	trackers := make([]watch.Tracker, len(sites))
	for r := range watch.Run(ctx, c, every, sites) {
		before := trackers[r.Index].State()
		now, changed := trackers[r.Index].Add(r)
		if !changed || before.Status == "" && r.Online() {
			continue // that a site is there in the beginning is no news
		}
		body, err := json.Marshal(map[string]any{"site": sites[r.Index], "state": now, "reason": r.Reason()})
		if err != nil {
			return err
		}
		resp, err := client.Post(webhook, "application/json", bytes.NewReader(body))
		if err != nil {
			log.Println(err)
			continue
		}
		resp.Body.Close()
	}
	return nil
}

// A monitor of twenty sites, of which one fails for a while. In a program its client is
// http.DefaultClient, or better one with a timeout, and there is no network to give.
func ExampleTracker() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	network := checkertest.NewNetwork()
	var sites []string
	for i := range 20 {
		sites = append(sites, fmt.Sprintf("https://s%d.test/", i))
		network.Handle(sites[i], nil)
	}
	network.Fail("s7.test", checker.CauseExpired)
	network.Handle("hook.test", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var message struct {
			Site   string
			State  watch.State
			Reason string
		}
		if err := json.NewDecoder(r.Body).Decode(&message); err != nil {
			log.Fatal(err)
		}
		fmt.Println(message.Site, message.State.Status, message.Reason)
		if network.Handle("s7.test", nil); message.State.Status == checker.Online {
			cancel()
		}
	}))
	if err := monitor(ctx, 50*time.Millisecond, sites, network.Client(), "http://hook.test/", network.Option()); err != nil {
		log.Fatal(err)
	}
	// Output:
	// https://s7.test/ offline certificate
	// https://s7.test/ online
}
