package main

import (
	"compress/gzip"
	"net/http"
	"strings"
)

// compressed compresses what h answers, event streams too, for those who take it. There
// is nothing secret in it that a guess of its length could tell.
func compressed(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Accept-Encoding")
		if !takesGzip(r.Header.Get("Accept-Encoding")) || r.Header.Get("Range") != "" || r.Method != http.MethodGet {
			h.ServeHTTP(w, r)
			return
		}
		z := &gzipWriter{ResponseWriter: w}
		h.ServeHTTP(z, r)
		z.close()
	})
}

// takesGzip reports whether an Accept-Encoding names gzip and does not refuse it
// (RFC 9110, section 12.5.3).
func takesGzip(accept string) bool {
	for field := range strings.SplitSeq(accept, ",") {
		coding, weight, _ := strings.Cut(strings.TrimSpace(field), ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			weight = strings.ReplaceAll(weight, " ", "")
			return strings.Trim(strings.TrimPrefix(weight, "q="), "0.") != "" || weight == ""
		}
	}
	return false
}

// A gzipWriter compresses the body of an answer that is whole; others are short, or have
// none.
type gzipWriter struct {
	http.ResponseWriter
	began bool
	z     *gzip.Writer // nil if the answer is left as it is
}

func (w *gzipWriter) WriteHeader(status int) {
	if !w.began && status == http.StatusOK {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Del("Content-Length")
		w.z = gzip.NewWriter(w.ResponseWriter)
	}
	w.began = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *gzipWriter) Write(p []byte) (int, error) {
	if !w.began {
		if w.Header().Get("Content-Type") == "" {
			w.Header().Set("Content-Type", http.DetectContentType(p))
		}
		w.WriteHeader(http.StatusOK)
	}
	if w.z == nil {
		return w.ResponseWriter.Write(p)
	}
	return w.z.Write(p)
}

// FlushError is what http.ResponseController calls.
func (w *gzipWriter) FlushError() error {
	if !w.began {
		w.WriteHeader(http.StatusOK)
	}
	if w.z != nil {
		if err := w.z.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController set deadlines.
func (w *gzipWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *gzipWriter) close() {
	if w.z != nil {
		_ = w.z.Close() // fails only if the client has gone
	}
}
