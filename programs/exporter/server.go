package main

import (
	"io"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"example.com/checker"
)

// handler serves /metrics, and /probe unless p is nil.
func handler(m *monitor, p http.Handler) http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(m, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, "<!doctype html><title>exporter</title><p><a href=/metrics>metrics</a>\n")
	})
	if p != nil {
		mux.Handle("GET /probe", p)
	}
	return mux
}

// A prober checks the site that a request names. It is safe for concurrent use.
type prober struct {
	checker  *checker.Checker
	answers  *answers
	slots    chan struct{} // holds one for each check under way
	families []family
}

// maxProbes is how many checks /probe runs at once.
const maxProbes = 100

func newProber(allowPrivate bool, a *answers, opts ...checker.Option) (*prober, error) {
	opts = append(opts, checker.WithJudge(a.judge))
	if !allowPrivate {
		opts = append(opts, checker.WithAddrPolicy(checker.PublicOnly))
	}
	c, err := checker.New(opts...)
	return &prober{c, a, make(chan struct{}, maxProbes), families()}, err
}

func (p *prober) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	target := r.URL.Query().Get("target")
	if target == "" {
		http.Error(w, "want /probe?target=…", http.StatusBadRequest)
		return
	}
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	default:
		http.Error(w, "too many probes at once", http.StatusServiceUnavailable)
		return
	}
	// The request's context ends when Prometheus no longer waits for the answer.
	reg := prometheus.NewRegistry()
	reg.MustRegister(&probed{p.families, p.answers.finding(p.checker.Check(r.Context(), target))})
	promhttp.HandlerFor(reg, promhttp.HandlerOpts{}).ServeHTTP(w, r)
}

// probed is a prometheus.Collector of one finding.
type probed struct {
	families []family
	finding  finding
}

func (p *probed) Describe(ch chan<- *prometheus.Desc) { describe(ch, p.families) }
func (p *probed) Collect(ch chan<- prometheus.Metric) { send(ch, p.families, &p.finding) }
