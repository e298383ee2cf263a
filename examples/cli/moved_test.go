package cli

import (
	"testing"

	"example.com/checker"
)

func TestMoved(t *testing.T) {
	const a, b, c = "http://a/", "http://b/", "http://c/"
	hop := func(url string, status int) checker.Hop { return checker.Hop{URL: url, StatusCode: status} }
	for _, test := range []struct {
		name   string
		hops   []checker.Hop
		url    string
		status int
		err    error
		want   string
	}{
		{"nowhere", nil, a, 200, nil, ""},
		{"for good", []checker.Hop{hop(a, 301)}, b, 200, nil, b},
		{"for good, with its method", []checker.Hop{hop(a, 308)}, b, 204, nil, b},
		{"for now", []checker.Hop{hop(a, 302)}, b, 200, nil, ""},
		{"for good, twice", []checker.Hop{hop(a, 301), hop(b, 308)}, c, 200, nil, c},
		{"for good, then for now", []checker.Hop{hop(a, 301), hop(b, 302)}, c, 200, nil, b},
		{"for now, then for good", []checker.Hop{hop(a, 307), hop(b, 301)}, c, 200, nil, ""},
		{"back to itself", []checker.Hop{hop(a, 301), hop(b, 301)}, a, 200, nil, ""},
		{"to an error page", []checker.Hop{hop(a, 301)}, b, 404, nil, ""},
		{"to what is refused", []checker.Hop{hop(a, 301)}, b, 200, checker.ReasonRejected, ""},
		{"to what is dead", []checker.Hop{hop(a, 301)}, b, 0, checker.ReasonRefused, ""},
	} {
		r := checker.Result{Target: a, URL: test.url, StatusCode: test.status, Hops: test.hops, Err: test.err}
		if got := Moved(r); got != test.want {
			t.Errorf("%s: Moved = %q; want %q", test.name, got, test.want)
		}
	}
}
