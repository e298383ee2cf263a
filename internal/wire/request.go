package wire

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"example.com/checker/internal/target"
)

// A Request asks for a URL. It has no body, and it is never modified: unlike an
// http.Request it may share its fields with others.
type Request struct {
	Method string
	URL    *url.URL
	Host   string  // the Host field, if not the host of URL
	Fields *Fields // the other fields
}

// Fields are fields of requests, written once for all of them.
type Fields struct {
	header http.Header
	text   string
}

// NewFields returns the fields of h, which must not be modified any more. They
// are sorted, so that equal requests are equal on the wire.
func NewFields(h http.Header) *Fields {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[key] {
			b.WriteString(key + ": " + value + "\r\n")
		}
	}
	return &Fields{h, b.String()}
}

// HTTP returns the request as one of package http, with a header of its own.
func (r Request) HTTP(ctx context.Context) *http.Request {
	req := blank.WithContext(ctx)
	req.Method, req.URL, req.Host, req.Header = r.Method, r.URL, r.URL.Host, r.Fields.header.Clone()
	if r.Host != "" {
		req.Host = r.Host
	}
	return req
}

// pathOnly returns u without the host in its Opaque part, where target has a path
// that package url writes in no other way. With it net/http asks in absolute form,
// as proxies want it, and which would outdo another Host field.
func pathOnly(u *url.URL) *url.URL {
	if u.Opaque == "" {
		return u
	}
	short := *u
	short.Opaque = target.Path(u)
	return &short
}

// blank is what all requests have in common.
var blank = &http.Request{Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}

// appendTo appends the request as HTTP/1.1 writes it.
func (r Request) appendTo(b []byte) []byte {
	b = append(b, r.Method...)
	b = append(b, ' ')
	b = append(b, target.Requested(r.URL)...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, r.host()...)
	b = append(b, "\r\n"...)
	b = append(b, r.Fields.text...)
	return append(b, "Connection: close\r\n\r\n"...)
}

// host returns the Host field: the caller's, or the host of the URL without the
// dot of a rooted name, which virtual hosts do not know.
func (r Request) host() string {
	if r.Host != "" && r.Host != r.URL.Host {
		return r.Host
	}
	if name, port, found := strings.Cut(r.URL.Host, ".:"); found {
		return name + ":" + port
	}
	return serverName(r.URL.Host)
}
