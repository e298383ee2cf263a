package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
)

// An inbox is what a webhook was sent.
type inbox struct {
	mu    sync.Mutex
	got   []message
	times []time.Time // of all attempts
	next  []int       // the statuses of the next answers; 0 is none; 200 after them
}

func (in *inbox) RoundTrip(req *http.Request) (*http.Response, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	status := http.StatusOK
	if len(in.next) > 0 {
		status, in.next = in.next[0], in.next[1:]
	}
	in.times = append(in.times, time.Now())
	if status == 0 {
		return nil, syscall.ECONNREFUSED
	}
	var m message
	if err := json.NewDecoder(req.Body).Decode(&m); err != nil || req.Method != http.MethodPost || req.Header.Get("Content-Type") != "application/json" {
		return nil, fmt.Errorf("%s of %q: %w", req.Method, req.Header.Get("Content-Type"), err)
	}
	if status == http.StatusOK {
		in.got = append(in.got, m)
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Location": {"/elsewhere"}}, Body: http.NoBody, Request: req}, nil
}

// ids returns those of the messages that were taken.
func (in *inbox) ids() (ids []string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, m := range in.got {
		ids = append(ids, fmt.Sprint(m.Name, " ", m.Status))
	}
	return ids
}

// hooked opens a database and sends what it has to an inbox until stop is called.
func hooked(t *testing.T, file string, in *inbox, said io.Writer) (db *store, stop func()) {
	t.Helper()
	db, err := openStore(file)
	if err != nil {
		t.Fatal(err)
	}
	db.messages = make(chan struct{}, 1)
	h := newHook("http://hook.test/secret", db, said)
	h.client.Transport = in
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.run(ctx)
	}()
	return db, func() {
		cancel()
		<-done
		if err := db.close(); err != nil {
			t.Error(err)
		}
	}
}

func TestMessage(t *testing.T) {
	s := parseSite("https://u:p@a.example/x The shop")
	began := time.Unix(1e9, 0)
	x := incident{began: began, reason: checker.ReasonCertificate, cause: checker.CauseExpired, text: "the certificate was refused"}
	const fields = `"name":"The shop","target":"https://a.example/x","page":"/sites/KEY","began":"2001-09-09T01:46:40Z",`
	for _, test := range []struct {
		ended time.Time
		want  string
	}{
		{time.Time{}, `{"id":"KEY-1000000000000-offline","status":"offline","text":"The shop has been offline since Sun, 09 Sep 2001 01:46:40 UTC: the certificate was refused",` +
			fields + `"reason":"certificate","cause":"expired","error":"the certificate was refused"}`},
		{began.Add(2 * time.Minute), `{"id":"KEY-1000000000000-online","status":"online","text":"The shop is online again after 2 min",` +
			fields + `"ended":"2001-09-09T01:48:40Z","reason":"certificate","cause":"expired","error":"the certificate was refused"}`},
	} {
		x.ended = test.ended
		got, err := json.Marshal(newMessage(s, x))
		if want := strings.ReplaceAll(test.want, "KEY", s.key); string(got) != want || err != nil {
			t.Errorf("the message is\n%s, %v; want\n%s", got, err, want)
		}
	}
}

// Messages are sent in their order, each until it is taken, with longer and longer
// pauses, and across restarts; none is sent again that was taken.
func TestHook(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "history.db")
		var said strings.Builder
		in := &inbox{next: []int{0, 500, 302, 404, 500, 500, 500, 500}} // more than it tries in eight seconds
		b := listed("a.test A\nb.test B\n")
		db, stop := hooked(t, file, in, &said)
		feed := func(i int, verdicts string) {
			t.Helper()
			for _, letter := range verdicts {
				if err := db.save(b.record(i, given(letter, time.Now()))); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
			}
		}
		feed(0, "+-+")
		if synctest.Wait(); len(in.times) > 0 {
			t.Errorf("for a lone failure %v are sent", in.ids())
		}
		feed(0, "--")
		feed(1, "--")
		feed(0, "+")
		stop() // while it fails
		if got := in.ids(); len(got) > 0 {
			t.Errorf("a webhook that fails has taken %q", got)
		}
		for i, pause := range []time.Duration{time.Second, 2 * time.Second} {
			if d := in.times[i+1].Sub(in.times[i]); d < pause/2 || d >= pause {
				t.Errorf("after %d failures it was asked again after %v; want half of %v to all of it", i+1, d, pause)
			}
		}
		in.next = []int{404, 0, 200, 503}
		db, stop = hooked(t, file, in, &said)
		time.Sleep(time.Minute)
		want := []string{"A offline", "B offline", "A online"}
		if got := in.ids(); !slices.Equal(got, want) {
			t.Errorf("the webhook has taken %q; want %q", got, want)
		}
		stop()
		db, stop = hooked(t, file, in, &said)
		feed(1, "+")
		synctest.Wait()
		if got := in.ids(); !slices.Equal(got, append(want, "B online")) {
			t.Errorf("after a restart the webhook has taken %q; want B online as well", got)
		}
		stop()
		if got := said.String(); strings.Count(got, "are kept and sent again: connection refused\n") != 1 || strings.Contains(got, "secret") ||
			!strings.HasSuffix(got, "the webhook takes messages again\n") {
			t.Errorf("on standard error there is\n%s; want when it began to fail and when that was over", got)
		}
	})
}

// What could not be forgotten, as the disk was full, is not sent again.
func TestHookFull(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		in := new(inbox)
		db, stop := hooked(t, filepath.Join(t.TempDir(), "history.db"), in, io.Discard)
		defer stop()
		if _, err := db.db.Exec(`CREATE TRIGGER full BEFORE DELETE ON message BEGIN SELECT RAISE(ABORT, 'full'); END`); err != nil {
			t.Fatal(err)
		}
		b := listed("a.test A\n")
		for _, letter := range "--+" {
			if err := db.save(b.record(0, given(letter, time.Now()))); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		if got := in.ids(); !slices.Equal(got, []string{"A offline"}) {
			t.Errorf("the webhook has taken %q; want one", got)
		}
		if _, err := db.db.Exec(`DROP TRIGGER full`); err != nil {
			t.Fatal(err)
		}
		time.Sleep(hookMaxPause)
		if got := in.ids(); !slices.Equal(got, []string{"A offline", "A online"}) {
			t.Errorf("then the webhook has taken %q; want each once", got)
		}
	})
}

func TestPauseAfter(t *testing.T) {
	for failures, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 9: 256 * time.Second, 10: hookMaxPause, 1 << 20: hookMaxPause} {
		for range 100 {
			if got := pauseAfter(failures); got < want/2 || got >= want {
				t.Errorf("pauseAfter(%d) = %v; want up to %v", failures, got, want)
			}
		}
	}
}

// A program that is killed has lost nothing, and one that comes after it sends nothing
// twice.
func TestHookKilled(t *testing.T) {
	s := newTarget(t)
	s.down.Store(true)
	var mu sync.Mutex
	var got []string
	up := false
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		var m message
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			t.Error(err)
		}
		if !up {
			got = append(got, "refused")
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		got = append(got, string(m.Status))
	}))
	t.Cleanup(hook.Close)
	file := filepath.Join(t.TempDir(), "history.db")
	args := []string{"-f", list(t, s.URL), "-every", "1s", "-addr", "127.0.0.1:0", "-db", file, "-webhook", hook.URL}
	settled := func(last string) bool { // killed before it has noted the answer it could not know of it
		mu.Lock()
		defer mu.Unlock()
		if len(got) == 0 || got[len(got)-1] != last {
			return false
		}
		db, err := openStore(file)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.close() }()
		number, _, err := db.oldestMessage()
		return err == nil && (number == 0) == up
	}
	until := func(last string) {
		t.Helper()
		cmd := command(t, args...)
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			if settled(last) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("the webhook has got %q; want %s", got, last)
			}
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	until("refused")
	mu.Lock()
	up, got = true, nil
	mu.Unlock()
	until("offline")
	s.down.Store(false)
	until("online")
	if want := []string{"offline", "online"}; !slices.Equal(got, want) {
		t.Errorf("the webhook has got %q; want %q", got, want)
	}
}
