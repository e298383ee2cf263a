package main

import (
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"example.com/checker"
)

// A family is a metric by name, and how to get its samples from a finding.
type family struct {
	*prometheus.Desc
	samples func(f *finding, emit func(value float64, labels ...string))
}

// families returns all metrics on a finding, with the given labels and those of
// their own. A label's values come from a closed set: the phases, Status, Reason and
// what crypto/tls knows here, the list of sites there. So there are never more series
// than some twenty a site, whatever the sites answer.
func families(labels ...string) []family {
	var all []family
	add := func(name, help string, samples func(*finding, func(float64, ...string)), own ...string) {
		all = append(all, family{prometheus.NewDesc(name, help, append(own, labels...), nil), samples})
	}
	gauge := func(name, help string, value func(*finding) (float64, bool)) {
		add(name, help, func(f *finding, emit func(float64, ...string)) {
			if v, ok := value(f); ok {
				emit(v)
			}
		})
	}
	gauge("probe_success", "Whether the site gave an acceptable answer. Absent if there is no verdict; probe_verdict tells why.", success)
	gauge("probe_duration_seconds", "How long the check took, all attempts and redirects included.", always(func(f *finding) float64 { return f.Timing.Total.Seconds() }))
	gauge("probe_dns_lookup_time_seconds", "How long the lookup of the name took.", always(func(f *finding) float64 { return f.Timing.DNS.Seconds() }))
	gauge("probe_http_status_code", "The status code of the answer that decided, 0 without one.", always(func(f *finding) float64 { return float64(f.StatusCode) }))
	gauge("probe_http_redirects", "How many redirects were followed.", always(func(f *finding) float64 { return float64(len(f.Hops)) }))
	gauge("probe_http_ssl", "Whether the answer that decided came over TLS.", always(secure))
	gauge("probe_http_version", "The version of HTTP of the answer that decided. Absent without one.", version)
	gauge("probe_http_content_length", "The length of the answer that decided, as it says, -1 if it does not, and 0 without one.", always(func(f *finding) float64 { return float64(f.length) }))
	gauge("probe_http_last_modified_timestamp_seconds", "When what was asked for was changed last, as the answer that decided says, in seconds since 1970. Absent if it does not.", func(f *finding) (float64, bool) { return unix(f.modified), !f.modified.IsZero() })
	gauge("probe_ip_protocol", "The version of IP, 4 or 6. Absent if no host was reached.", protocol)
	gauge("probe_ip_addr_hash", "A hash of the address, which changes with it. Absent if no host was reached.", address)
	gauge("probe_ssl_earliest_cert_expiry", "When the first of the certificates that the site sent expires, in seconds since 1970. Absent without one.", certificate((*checker.TLS).Expires))
	gauge("probe_ssl_earliest_cert_not_before", "When that certificate began to be valid, in seconds since 1970. Absent without one.", certificate(begins))
	gauge("probe_last_check_timestamp_seconds", "When the check began, in seconds since 1970, and 0 before the first.", always(func(f *finding) float64 { return unix(f.Start) }))
	add("probe_http_duration_seconds", "How long each phase of the exchange that decided took, 0 if it was not completed.", phases, "phase")
	add("probe_tls_version_info", "1 for the version of TLS. Absent without TLS.", session(func(t *checker.TLS) string { return t.Version }), "version")
	add("probe_tls_cipher_info", "1 for the cipher suite of TLS. Absent without TLS.", session(func(t *checker.TLS) string { return t.CipherSuite }), "cipher")
	add("probe_verdict", "1 for the verdict: online, offline or unknown, and the reason unless it is online. Before the first check it is unknown for no reason.", verdict, "status", "reason")
	return all
}

// send sends all metrics on a finding, with values for the labels given to families.
func send(ch chan<- prometheus.Metric, all []family, what *finding, labels ...string) {
	for _, f := range all {
		f.samples(what, func(value float64, own ...string) {
			ch <- prometheus.MustNewConstMetric(f.Desc, prometheus.GaugeValue, value, append(own, labels...)...)
		})
	}
}

func describe(ch chan<- *prometheus.Desc, all []family) {
	for _, f := range all {
		ch <- f.Desc
	}
}

func always(value func(*finding) float64) func(*finding) (float64, bool) {
	return func(f *finding) (float64, bool) { return value(f), true }
}

func success(f *finding) (float64, bool) {
	return number(f.Online()), f.Status() != checker.Unknown
}

func secure(f *finding) float64 {
	return number(f.StatusCode != 0 && strings.HasPrefix(f.URL, "https:"))
}

func version(f *finding) (float64, bool) {
	v, err := strconv.ParseFloat(strings.TrimPrefix(f.Proto, "HTTP/"), 64)
	return v, err == nil
}

func protocol(f *finding) (float64, bool) {
	if f.Addr.Addr().Is4() {
		return 4, true
	}
	return 6, f.Addr.IsValid()
}

// address makes the hash that blackbox_exporter does.
func address(f *finding) (float64, bool) {
	h := fnv.New32a()
	h.Write(f.Addr.Addr().Unmap().AsSlice())
	return float64(h.Sum32()), f.Addr.IsValid()
}

// begins returns when the certificate began to be valid that expires first.
func begins(t *checker.TLS) time.Time {
	for _, c := range t.Chain {
		if c.NotAfter.Equal(t.Expires()) {
			return c.NotBefore
		}
	}
	return t.NotBefore
}

func certificate(date func(*checker.TLS) time.Time) func(*finding) (float64, bool) {
	return func(f *finding) (float64, bool) {
		if f.TLS == nil {
			return 0, false
		}
		return unix(date(f.TLS)), true
	}
}

func session(what func(*checker.TLS) string) func(*finding, func(float64, ...string)) {
	return func(f *finding, emit func(float64, ...string)) {
		if f.TLS != nil {
			emit(1, what(f.TLS))
		}
	}
}

// phases has the names that blackbox_exporter gives them. Its transfer is
// missing: no body is read.
func phases(f *finding, emit func(float64, ...string)) {
	emit(f.Timing.DNS.Seconds(), "resolve")
	emit(f.Timing.Connect.Seconds(), "connect")
	emit(f.Timing.TLS.Seconds(), "tls")
	emit(f.Timing.FirstByte.Seconds(), "processing")
}

func verdict(f *finding, emit func(float64, ...string)) {
	emit(1, string(f.Status()), string(f.Reason()))
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
