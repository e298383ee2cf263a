package checker

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/netip"
	"slices"
	"time"

	"example.com/checker/internal/target"
)

// resultJSON is the JSON form of a Result: flat, snake_case, durations as
// numbers of milliseconds (encoding/json/v2 has no default form for a
// time.Duration), times in UTC.
type resultJSON struct {
	Index      int        `json:"index"`
	Target     string     `json:"target"`
	URL        string     `json:"url,omitempty"`
	Status     Status     `json:"status"`
	Reason     Reason     `json:"reason,omitempty"`
	Cause      Cause      `json:"cause,omitempty"`
	Phase      Phase      `json:"phase,omitempty"`
	Error      string     `json:"error,omitempty"`
	StatusCode int        `json:"status_code"`
	Method     string     `json:"method,omitempty"`
	Proto      string     `json:"proto,omitempty"`
	Addr       string     `json:"addr,omitempty"`
	Hops       []Hop      `json:"hops,omitempty"`
	Attempts   int        `json:"attempts"`
	TLS        *TLS       `json:"tls,omitempty"`
	Start      time.Time  `json:"start,omitzero"`
	Timing     timingJSON `json:"timing"`
}

type timingJSON struct {
	Wait      float64 `json:"wait_ms"`
	DNS       float64 `json:"dns_ms"`
	Connect   float64 `json:"connect_ms"`
	TLS       float64 `json:"tls_ms"`
	FirstByte float64 `json:"first_byte_ms"`
	Total     float64 `json:"total_ms"`
}

// MarshalJSON returns the result as one flat object with a "status" that is
// always there, a "reason", "phase" and "error" if the check failed, a "cause" if more
// than the reason is known, durations as "…_ms" numbers and times in UTC as in RFC 3339. Userinfo in the
// target is hidden.
func (r Result) MarshalJSON() ([]byte, error) {
	j := resultJSON{
		Index:      r.Index,
		Target:     target.Redact(r.Target),
		URL:        r.URL,
		Status:     r.Status(),
		Reason:     r.Reason(),
		Cause:      r.Cause(),
		Phase:      r.Phase(),
		StatusCode: r.StatusCode,
		Method:     r.Method,
		Proto:      r.Proto,
		Hops:       r.Hops,
		Attempts:   r.Attempts,
		TLS:        r.TLS.utc(),
		Start:      writable(r.Start),
		Timing: timingJSON{
			Wait:      millis(r.Timing.Wait),
			DNS:       millis(r.Timing.DNS),
			Connect:   millis(r.Timing.Connect),
			TLS:       millis(r.Timing.TLS),
			FirstByte: millis(r.Timing.FirstByte),
			Total:     millis(r.Timing.Total),
		},
	}
	if r.Err != nil {
		j.Error = textOf(r.Err)
	}
	if r.Addr.IsValid() {
		j.Addr = r.Addr.String()
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON wrote. Err becomes an [*Error] with the
// same Phase, Reason, Cause, URL and text; what it wrapped is gone. Reasons and causes
// that this version of the package does not know are kept, and the status that was
// written with them counts. A status that is missing, or contradicts the reason or the
// status code, is an error, as is a cause of another reason, and leaves r as it was.
func (r *Result) UnmarshalJSON(data []byte) error {
	var j resultJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	var addr netip.AddrPort
	if j.Addr != "" {
		var err error
		if addr, err = netip.ParseAddrPort(j.Addr); err != nil {
			return err
		}
	}
	read := Result{
		Index:      j.Index,
		Target:     j.Target,
		URL:        j.URL,
		StatusCode: j.StatusCode,
		Method:     j.Method,
		Proto:      j.Proto,
		Addr:       addr,
		Hops:       j.Hops,
		Attempts:   j.Attempts,
		TLS:        j.TLS,
		Start:      j.Start,
		Timing: Timing{
			Wait:      duration(j.Timing.Wait),
			DNS:       duration(j.Timing.DNS),
			Connect:   duration(j.Timing.Connect),
			TLS:       duration(j.Timing.TLS),
			FirstByte: duration(j.Timing.FirstByte),
			Total:     duration(j.Timing.Total),
		},
	}
	if j.Reason != "" || j.Cause != "" || j.Error != "" {
		read.Err = &Error{Phase: j.Phase, Reason: j.Reason, Cause: j.Cause, URL: j.URL, text: j.Error, status: j.laterStatus()}
	}
	if read.Status() != j.Status || read.Cause() != j.Cause {
		return fmt.Errorf("checker: a result with status %q, reason %q, cause %q and status code %d contradicts itself", j.Status, j.Reason, j.Cause, j.StatusCode)
	}
	*r = read
	return nil
}

// laterStatus returns the status of a reason that a later version of the package has added.
func (j *resultJSON) laterStatus() Status {
	if _, known := reasons[j.Reason]; known || j.Reason == "" || j.Status != Offline {
		return ""
	}
	return j.Status
}

// LogValue returns the result as a group of the attributes that a log line
// wants, named as in JSON, with total_ms beside them. Userinfo in the target is
// hidden.
func (r Result) LogValue() slog.Value {
	attrs := make([]slog.Attr, 0, 10)
	attrs = append(attrs,
		slog.String("target", target.Redact(r.Target)),
		slog.String("status", string(r.Status())))
	if r.URL != "" {
		attrs = append(attrs, slog.String("url", r.URL))
	}
	if r.Hops != nil {
		attrs = append(attrs, slog.Any("hops", r.Hops))
	}
	if r.Err != nil {
		attrs = append(attrs, slog.String("reason", string(r.Reason())))
		if cause := r.Cause(); cause != "" {
			attrs = append(attrs, slog.String("cause", string(cause)))
		}
		attrs = append(attrs,
			slog.String("phase", string(r.Phase())),
			slog.String("error", textOf(r.Err)))
	}
	if r.StatusCode != 0 {
		attrs = append(attrs, slog.Int("status_code", r.StatusCode))
	}
	return slog.GroupValue(append(attrs, slog.Int("attempts", r.Attempts), slog.Float64("total_ms", millis(r.Timing.Total)))...)
}

// utc returns a copy of t with its times in UTC.
func (t *TLS) utc() *TLS {
	if t == nil {
		return nil
	}
	u := *t
	u.NotBefore, u.NotAfter = writable(t.NotBefore), writable(t.NotAfter)
	u.Chain = slices.Clone(t.Chain)
	for i, c := range u.Chain {
		u.Chain[i].NotBefore, u.Chain[i].NotAfter = writable(c.NotBefore), writable(c.NotAfter)
	}
	return &u
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// duration returns the Duration that is nearest: the longest ones are not exact as float64.
func duration(ms float64) time.Duration {
	switch ns := math.Round(ms * float64(time.Millisecond)); {
	case ns >= math.MaxInt64:
		return math.MaxInt64
	case ns <= math.MinInt64:
		return math.MinInt64
	default:
		return time.Duration(ns)
	}
}
