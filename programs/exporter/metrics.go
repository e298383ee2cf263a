package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"example.com/checker"
)

// A family is a metric by name, and how to get its samples from a Result.
type family struct {
	*prometheus.Desc
	samples func(r *checker.Result, emit func(value float64, labels ...string))
}

// families returns all metrics on a Result, with the given labels and those of
// their own. A label's values come from a closed set: the phases, Status, Reason and
// what crypto/tls knows here, the list of sites there. So there are never more series
// than some twenty a site, whatever the sites answer.
func families(labels ...string) []family {
	var all []family
	add := func(name, help string, samples func(*checker.Result, func(float64, ...string)), own ...string) {
		all = append(all, family{prometheus.NewDesc(name, help, append(own, labels...), nil), samples})
	}
	gauge := func(name, help string, value func(*checker.Result) (float64, bool)) {
		add(name, help, func(r *checker.Result, emit func(float64, ...string)) {
			if v, ok := value(r); ok {
				emit(v)
			}
		})
	}
	gauge("probe_success", "Whether the site gave an acceptable answer. Absent if there is no verdict; probe_verdict tells why.", success)
	gauge("probe_duration_seconds", "How long the check took, all attempts and redirects included.", always(func(r *checker.Result) float64 { return r.Timing.Total.Seconds() }))
	gauge("probe_dns_lookup_time_seconds", "How long the lookup of the name took.", always(func(r *checker.Result) float64 { return r.Timing.DNS.Seconds() }))
	gauge("probe_http_status_code", "The status code of the answer that decided, 0 without one.", always(func(r *checker.Result) float64 { return float64(r.StatusCode) }))
	gauge("probe_http_redirects", "How many redirects were followed.", always(func(r *checker.Result) float64 { return float64(len(r.Hops)) }))
	gauge("probe_http_ssl", "Whether the answer that decided came over TLS.", always(secure))
	gauge("probe_http_version", "The version of HTTP of the answer that decided. Absent without one.", version)
	gauge("probe_ip_protocol", "The version of IP, 4 or 6. Absent if no host was reached.", protocol)
	gauge("probe_ssl_earliest_cert_expiry", "When the site's certificate expires, in seconds since 1970. Absent without one.", certificate(func(t *checker.TLS) time.Time { return t.NotAfter }))
	gauge("probe_ssl_earliest_cert_not_before", "When that certificate began to be valid, in seconds since 1970. Absent without one.", certificate(func(t *checker.TLS) time.Time { return t.NotBefore }))
	gauge("probe_last_check_timestamp_seconds", "When the check began, in seconds since 1970, and 0 before the first.", always(func(r *checker.Result) float64 { return unix(r.Start) }))
	add("probe_http_duration_seconds", "How long each phase of the exchange that decided took, 0 if it was not completed.", phases, "phase")
	add("probe_tls_version_info", "1 for the version of TLS. Absent without TLS.", session(func(t *checker.TLS) string { return t.Version }), "version")
	add("probe_tls_cipher_info", "1 for the cipher suite of TLS. Absent without TLS.", session(func(t *checker.TLS) string { return t.CipherSuite }), "cipher")
	add("probe_verdict", "1 for the verdict: online, offline or unknown, and the reason unless it is online. Before the first check it is unknown for no reason.", verdict, "status", "reason")
	return all
}

// send sends all metrics on r, with values for the labels given to families.
func send(ch chan<- prometheus.Metric, all []family, r *checker.Result, labels ...string) {
	for _, f := range all {
		f.samples(r, func(value float64, own ...string) {
			ch <- prometheus.MustNewConstMetric(f.Desc, prometheus.GaugeValue, value, append(own, labels...)...)
		})
	}
}

func describe(ch chan<- *prometheus.Desc, all []family) {
	for _, f := range all {
		ch <- f.Desc
	}
}

func always(value func(*checker.Result) float64) func(*checker.Result) (float64, bool) {
	return func(r *checker.Result) (float64, bool) { return value(r), true }
}

func success(r *checker.Result) (float64, bool) {
	return number(r.Online()), r.Status() != checker.Unknown
}

func secure(r *checker.Result) float64 {
	return number(r.StatusCode != 0 && strings.HasPrefix(r.URL, "https:"))
}

func version(r *checker.Result) (float64, bool) {
	v, err := strconv.ParseFloat(strings.TrimPrefix(r.Proto, "HTTP/"), 64)
	return v, err == nil
}

func protocol(r *checker.Result) (float64, bool) {
	if r.Addr.Addr().Is4() {
		return 4, true
	}
	return 6, r.Addr.IsValid()
}

func certificate(date func(*checker.TLS) time.Time) func(*checker.Result) (float64, bool) {
	return func(r *checker.Result) (float64, bool) {
		if r.TLS == nil {
			return 0, false
		}
		return unix(date(r.TLS)), true
	}
}

func session(what func(*checker.TLS) string) func(*checker.Result, func(float64, ...string)) {
	return func(r *checker.Result, emit func(float64, ...string)) {
		if r.TLS != nil {
			emit(1, what(r.TLS))
		}
	}
}

// phases has the names that blackbox_exporter gives them. Its transfer is
// missing: no body is read.
func phases(r *checker.Result, emit func(float64, ...string)) {
	emit(r.Timing.DNS.Seconds(), "resolve")
	emit(r.Timing.Connect.Seconds(), "connect")
	emit(r.Timing.TLS.Seconds(), "tls")
	emit(r.Timing.FirstByte.Seconds(), "processing")
}

func verdict(r *checker.Result, emit func(float64, ...string)) {
	emit(1, string(r.Status()), string(r.Reason()))
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// unix returns the seconds since 1970, and 0 for the zero time, as Prometheus has it.
func unix(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}
