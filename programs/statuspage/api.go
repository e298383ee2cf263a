package main

import (
	"encoding/json"
	"net/http"
	"time"

	"example.com/checker"
)

// A report is the form of /api/status.json. What is not known is left out.
type report struct {
	Title   string                 `json:"title"`
	Time    time.Time              `json:"time"`
	EveryMS int64                  `json:"every_ms"`
	Counts  map[checker.Status]int `json:"counts"`
	Sites   []siteReport           `json:"sites"`
}

type siteReport struct {
	Name               string         `json:"name"`
	Target             string         `json:"target"` // without userinfo
	Group              string         `json:"group,omitempty"`
	Page               string         `json:"page"` // its path
	Status             checker.Status `json:"status,omitempty"`
	Since              time.Time      `json:"since,omitzero"`
	LastVerdict        checker.Status `json:"last_verdict,omitempty"` // may differ from status while that is in doubt
	LastCheck          time.Time      `json:"last_check,omitzero"`
	LatencyMS          float64        `json:"latency_ms,omitempty"`
	P95MS              float64        `json:"p95_ms,omitempty"`
	Uptime24h          *float64       `json:"uptime_24h,omitempty"` // 0 to 1, of the seconds below
	Measured24h        float64        `json:"measured_24h_s,omitempty"`
	Uptime7d           *float64       `json:"uptime_7d,omitempty"`
	Measured7d         float64        `json:"measured_7d_s,omitempty"`
	CertificateExpires time.Time      `json:"certificate_expires,omitzero"`
	LastReason         checker.Reason `json:"last_reason,omitempty"` // why it was last not online
	LastReasonText     string         `json:"last_reason_text,omitempty"`
	LastReasonTime     time.Time      `json:"last_reason_time,omitzero"`
}

// api serves the figures of the page to programs.
func (s *server) api(w http.ResponseWriter, _ *http.Request) {
	now := time.Now()
	rep := report{Title: s.title, Time: now.UTC(), EveryMS: s.every.Milliseconds()}
	s.board.each(func(_ int, site *site) { rep.Sites = append(rep.Sites, newSiteReport(site, now)) })
	rep.Counts = map[checker.Status]int{checker.Online: 0, checker.Offline: 0, checker.Unknown: 0}
	for _, site := range rep.Sites {
		if site.Status != "" {
			rep.Counts[site.Status]++
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(rep) // fails only if the client has gone
}

func newSiteReport(s *site, now time.Time) siteReport {
	latency, p95 := s.latency()
	status, since := s.shown(now)
	r := siteReport{
		Name:               s.name,
		Target:             hide(s.target),
		Group:              s.heading,
		Page:               "/sites/" + s.key,
		Status:             status,
		Since:              since.UTC(),
		LatencyMS:          float64(latency) / 1e6,
		P95MS:              float64(p95) / 1e6,
		CertificateExpires: s.expires.UTC(),
		LastReason:         s.fault.reason,
		LastReasonText:     s.fault.text,
		LastReasonTime:     s.fault.at.UTC(),
	}
	r.Uptime24h, r.Measured24h = share(s.uptime(now, 24))
	r.Uptime7d, r.Measured7d = share(s.uptime(now, week))
	if n := len(s.samples); n > 0 {
		r.LastVerdict, r.LastCheck = s.samples[n-1].status, s.samples[n-1].at.UTC()
	}
	return r
}

func share(up, measured time.Duration) (of1 *float64, seconds float64) {
	if measured <= 0 {
		return nil, 0
	}
	return new(float64(up) / float64(measured)), measured.Seconds()
}
