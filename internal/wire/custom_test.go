package wire

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"example.com/checker/internal/hook"
)

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// What a caller's transport returns is believed as far as it can be.
func TestCustom(t *testing.T) {
	failed := errors.New("no quota")
	respond := func(code int, body io.ReadCloser) *http.Response {
		return &http.Response{StatusCode: code, Body: body}
	}
	long := func() io.ReadCloser { return io.NopCloser(strings.NewReader(strings.Repeat("x", MaxBody+9))) }
	for _, tt := range []struct {
		name string
		resp *http.Response
		err  error
		code int // of what Exchange returns; 0 for an error
	}{
		{"an answer", respond(404, long()), nil, 404},
		{"the least status", respond(200, long()), nil, 200},
		{"the greatest status", respond(999, long()), nil, 999},
		{"switching protocols", respond(101, long()), nil, 101},
		{"an error", nil, failed, 0},
		{"nothing", nil, nil, 0},
		{"no body", respond(200, nil), nil, 0},
		{"an interim status", respond(103, long()), nil, 0},
		{"the last interim status", respond(199, long()), nil, 0},
		{"no status", respond(0, long()), nil, 0},
		{"a status of four digits", respond(1000, long()), nil, 0},
	} {
		var asked *http.Request
		rt := Custom{roundTripper(func(req *http.Request) (*http.Response, error) {
			asked = req
			return tt.resp, tt.err
		})}
		sent := 0
		tr := Trace{Watcher: &heard{sent: func() { sent++ }}}
		resp, err := rt.Exchange(t.Context(), requestOf(newRequest(t.Context(), http.MethodHead, "http://h.test/a")), &tr)
		if asked == nil || asked.Method != http.MethodHead || asked.URL.Path != "/a" || sent != 1 || tr.Stage != Untold {
			t.Errorf("%s: it is asked for %+v, Sent is called %d times, in stage %d; want once, in %d", tt.name, asked, sent, tr.Stage, Untold)
		}
		if tt.code == 0 {
			if err == nil || resp != nil || tt.err != nil && !errors.Is(err, tt.err) {
				t.Errorf("%s: Exchange = %v, %v; want an error", tt.name, resp, err)
			}
			continue
		}
		if err != nil || resp.StatusCode != tt.code {
			t.Fatalf("%s: Exchange = %v, %v; want status %d", tt.name, resp, err, tt.code)
		}
		if resp == tt.resp {
			t.Errorf("%s: Exchange returned the transport's own response, and changed it", tt.name)
		}
		if got, err := io.ReadAll(resp.Body); len(got) != MaxBody || err != nil {
			t.Errorf("%s: a body of %d bytes, %v; want %d", tt.name, len(got), err, MaxBody)
		}
	}
}

// An error that cannot be asked what it is gives one that can be.
func TestCustomBrokenError(t *testing.T) {
	rt := Custom{roundTripper(func(*http.Request) (*http.Response, error) { return nil, (*net.OpError)(nil) })}
	_, err := rt.Exchange(t.Context(), requestOf(newRequest(t.Context(), http.MethodHead, "http://h.test/")), new(Trace))
	if _, ok := errors.AsType[*hook.PanicError](err); !ok {
		t.Errorf("Exchange error is a %T; want a PanicError", err)
	}
}

// Without leave there is no exchange over HTTP/2.
func TestAgainIsAsked(t *testing.T) {
	no := errors.New("no token")
	id := newIdentity(t)
	rt := id.serve(id.over(answer(settings), "h2"))
	tr := Trace{Watcher: &heard{refuse: no}}
	if _, err := rt.Exchange(t.Context(), requestOf(newRequest(t.Context(), http.MethodHead, "https://example.com/")), &tr); !errors.Is(err, no) {
		t.Errorf("Exchange = %v; want %v", err, no)
	}
}
