package watch_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"example.com/checker"
	"example.com/checker/watch"
)

// Each Result comes as its check ends, until the context does.
func ExampleRun() {
	site := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer site.Close()
	c, err := checker.New(checker.WithTimeout(5 * time.Second))
	if err != nil {
		log.Fatal(err)
	}
	sites := []string{site.URL, "http://127.0.0.1:1/"}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	last := make([]checker.Result, len(sites)) // what is known of each
	for r := range watch.Run(ctx, c, 20*time.Millisecond, sites) {
		last[r.Index] = r
		if last[0].Online() && last[1].Reason() == checker.ReasonRefused {
			break // and cancel
		}
	}
	fmt.Println(last[0].Status(), last[1].Status())
	// Output: online offline
}

// What a Tracker has learned is kept as JSON, so that a restart is no change.
func ExampleTracker_MarshalJSON() {
	var before, after watch.Tracker
	before.Add(checker.Result{StatusCode: 200})
	before.Add(checker.Result{Err: checker.ReasonTimeout}) // a first failure
	text, err := json.Marshal(before)
	if err != nil {
		log.Fatal(err)
	}
	if err := json.Unmarshal(text, &after); err != nil {
		log.Fatal(err)
	}
	fmt.Println(after.State().Status)
	state, changed := after.Add(checker.Result{Err: checker.ReasonRefused}) // the second one
	fmt.Println(state.Status, changed)
	// Output:
	// online
	// offline true
}

// A day's uptime is told with how much of the day was measured.
func ExampleTracker_Uptime() {
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	t := watch.Tracker{Every: time.Minute}
	for minute := range 8*60 + 1 { // from midnight until eight
		r := checker.Result{StatusCode: 200, Start: day.Add(time.Duration(minute) * time.Minute)}
		if minute >= 60 && minute < 84 {
			r = checker.Result{Err: checker.ReasonTimeout, Start: r.Start}
		}
		t.Add(r)
	}
	up, measured := t.Uptime(day, day.AddDate(0, 0, 1))
	fmt.Printf("%.0f %% of %v\n", 100*float64(up)/float64(measured), measured)
	// Output: 95 % of 8h0m0s
}
