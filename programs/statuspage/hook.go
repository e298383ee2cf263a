package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"example.com/checker"
)

const (
	hookTimeout  = 5 * time.Second // of a request; less than those who stop programs wait for
	hookPause    = time.Second     // after the first failure; it doubles with each one more
	hookMaxPause = 5 * time.Minute
)

// A message is what a webhook gets when a site goes offline or comes back.
type message struct {
	ID     string         `json:"id"` // the same if it is sent again
	Status checker.Status `json:"status"`
	Text   string         `json:"text"` // all of it in a sentence
	Name   string         `json:"name"`
	Target string         `json:"target"` // without userinfo
	Group  string         `json:"group,omitempty"`
	Page   string         `json:"page"` // its path
	Began  time.Time      `json:"began"`
	Ended  time.Time      `json:"ended,omitzero"`
	Reason checker.Reason `json:"reason"`
	Cause  checker.Cause  `json:"cause,omitempty"`
	Error  string         `json:"error,omitempty"`
}

func newMessage(s *site, x incident) message {
	m := message{
		Status: checker.Offline,
		Name:   s.name,
		Target: hide(s.target),
		Group:  s.heading,
		Page:   "/sites/" + s.key,
		Began:  x.began.UTC(),
		Ended:  x.ended.UTC(),
		Reason: x.reason,
		Cause:  x.cause,
		Error:  x.text,
	}
	m.Text = fmt.Sprintf("%s has been offline since %s: %s", s.name, m.Began.Format(time.RFC1123), x.text)
	if !x.ended.IsZero() {
		m.Status = checker.Online
		m.Text = fmt.Sprintf("%s is online again after %s", s.name, ago(x.ended.Sub(x.began)))
	}
	m.ID = fmt.Sprintf("%s-%d-%s", s.key, x.began.UnixMilli(), m.Status)
	return m
}

// A hook sends the messages of a store to a webhook, in the order in which they came and
// each until it was taken, which is an answer of 2xx. Only what was taken is forgotten,
// so nothing is lost when the program ends. What the webhook has taken without saying so
// in time is sent again: nobody could know.
type hook struct {
	url    string
	db     *store
	client *http.Client
	stderr io.Writer
}

// newHook returns a hook for a URL. Redirects are not followed: they would make a GET of
// the message.
func newHook(rawURL string, db *store, stderr io.Writer) *hook {
	return &hook{rawURL, db, &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, stderr}
}

// run sends until ctx ends, and what is being sent then, to its end.
func (h *hook) run(ctx context.Context) {
	var taken int64 // but perhaps not forgotten, if the disk is full
	for failures := 0; ; {
		number, body, err := h.db.oldestMessage()
		if err == nil && number != 0 && number != taken {
			if err = h.post(ctx, body); err == nil {
				taken = number
			}
		}
		if err == nil && number != 0 {
			err = h.db.forgetMessage(number)
		}
		h.report(failures, err)
		more := ctx.Err() == nil
		switch {
		case err != nil:
			failures++
			more = waitFor(ctx, nil, pauseAfter(failures))
		case number == 0:
			more = waitFor(ctx, h.db.messages, time.Hour)
		default:
			failures = 0
		}
		if !more {
			return
		}
	}
}

// pauseAfter returns for how long to wait after so many failures in a row, with jitter.
func pauseAfter(failures int) time.Duration {
	pause := min(hookPause<<min(failures-1, 20), hookMaxPause)
	return pause/2 + rand.N(pause/2)
}

// report says when it begins to fail, and when that is over.
func (h *hook) report(failures int, err error) {
	switch {
	case err != nil && failures == 0:
		fmt.Fprintln(h.stderr, "statuspage: messages to the webhook are kept and sent again:", err)
	case err == nil && failures > 0:
		fmt.Fprintln(h.stderr, "statuspage: the webhook takes messages again")
	}
}

func (h *hook) post(ctx context.Context, body []byte) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hookTimeout) // or it might be taken, and sent again
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return errors.New("its URL cannot be used")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "statuspage")
	resp, err := h.client.Do(req)
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err // without the URL, which may be a secret
	}
	if err != nil {
		return err
	}
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10) // for the next one to use the connection
	_ = resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("it answered with status %d", resp.StatusCode)
	}
	return nil
}

// steps returns what stores a message.
func (m message) steps() []step {
	body, _ := json.Marshal(m) // all of it can be
	return []step{{`INSERT OR IGNORE INTO message (id, body) VALUES (?, ?)`, []any{m.ID, string(body)}}}
}
