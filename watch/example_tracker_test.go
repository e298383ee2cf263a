package watch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	"example.com/checker"
	"example.com/checker/watch"
)

// monitor watches sites until ctx ends, and posts each change to a webhook.
func monitor(ctx context.Context, every time.Duration, sites []string, webhook string) error {
	c, err := checker.New(
		checker.WithTimeout(5*time.Second),
		checker.WithConcurrency(len(sites)), // none waits for others that hang
		checker.WithJudge(checker.StatusIn(200, 299)))
	if err != nil {
		return err
	}
	client := http.Client{Timeout: 5 * time.Second}
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

// A monitor of twenty sites, of which one fails for a while.
func ExampleTracker() {
	var asked atomic.Int64
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/7" {
			if n := asked.Add(1); n > 3 && n < 20 {
				w.WriteHeader(http.StatusBadGateway)
			}
		}
	}))
	defer site.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	webhook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var message struct {
			Site   string
			State  watch.State
			Reason string
		}
		if err := json.NewDecoder(r.Body).Decode(&message); err != nil {
			log.Fatal(err)
		}
		fmt.Println(message.Site[len(site.URL):], message.State.Status, message.Reason)
		if message.State.Status == checker.Online {
			cancel()
		}
	}))
	defer webhook.Close()
	var sites []string
	for i := range 20 {
		sites = append(sites, fmt.Sprintf("%s/%d", site.URL, i))
	}
	if err := monitor(ctx, 50*time.Millisecond, sites, webhook.URL); err != nil {
		log.Fatal(err)
	}
	// Output:
	// /7 offline rejected
	// /7 online
}
