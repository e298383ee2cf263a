package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"example.com/checker"
)

// What the exporter tells of itself.
var (
	checksTotal   = own("checks_total", "How many checks of listed sites came to a verdict.", "status")
	sitesListed   = own("sites", "How many sites are listed.")
	reloadOK      = own("config_last_reload_successful", "Whether the list could be read when that was last tried.")
	reloadedAt    = own("config_last_reload_success_timestamp_seconds", "When the list was read last, in seconds since 1970.")
	ofTheExporter = []*prometheus.Desc{checksTotal, sitesListed, reloadOK, reloadedAt}
)

func own(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("checker_exporter_"+name, help, labels, nil)
}

func (m *monitor) Describe(ch chan<- *prometheus.Desc) {
	describe(ch, m.families)
	for _, d := range ofTheExporter {
		ch <- d
	}
}

// Collect sends what is known of each site, those among them that have not been checked,
// and of the exporter. Counters are there from the beginning, or their first increase
// would not be one to Prometheus.
func (m *monitor) Collect(ch chan<- prometheus.Metric) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.sites {
		send(ch, m.families, &m.sites[i].last, m.sites[i].name)
	}
	for _, status := range []checker.Status{checker.Online, checker.Offline, checker.Unknown} {
		ch <- prometheus.MustNewConstMetric(checksTotal, prometheus.CounterValue, float64(m.checks[status]), string(status))
	}
	gauge := func(d *prometheus.Desc, value float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value)
	}
	gauge(sitesListed, float64(len(m.sites)))
	gauge(reloadOK, number(!m.reload.failed))
	gauge(reloadedAt, unix(m.reload.at))
}
