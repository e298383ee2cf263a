package checker_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"time"

	"example.com/checker"
)

// found is a Result as a check returns it, for examples that print it.
var found = checker.Result{
	Target:   "example.org:8080",
	URL:      "http://example.org:8080/",
	Err:      &checker.Error{Phase: checker.PhaseConnect, Reason: checker.ReasonRefused, URL: "http://example.org:8080/"},
	Method:   "HEAD",
	Attempts: 2,
	Timing:   checker.Timing{DNS: 4 * time.Millisecond, Total: 250 * time.Millisecond},
}

func ExampleResult_LogValue() {
	log := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	log.Warn("site is down", "check", found)
	// Output:
	// level=WARN msg="site is down" check.target=example.org:8080 check.status=offline check.url=http://example.org:8080/ check.reason=refused check.phase=connect check.error="http://example.org:8080/: the host refused the connection" check.attempts=2 check.total_ms=250
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

func ExampleResult_MarshalJSON() {
	b, err := json.MarshalIndent(found, "", "  ")
	fmt.Println(string(b), err)
	// Output:
	// {
	//   "index": 0,
	//   "target": "example.org:8080",
	//   "url": "http://example.org:8080/",
	//   "status": "offline",
	//   "reason": "refused",
	//   "phase": "connect",
	//   "error": "http://example.org:8080/: the host refused the connection",
	//   "status_code": 0,
	//   "method": "HEAD",
	//   "redirects": 0,
	//   "attempts": 2,
	//   "timing": {
	//     "wait_ms": 0,
	//     "dns_ms": 4,
	//     "connect_ms": 0,
	//     "tls_ms": 0,
	//     "first_byte_ms": 0,
	//     "total_ms": 250
	//   }
	// } <nil>
}

func ExampleResult_UnmarshalJSON() {
	var r checker.Result
	err := json.Unmarshal([]byte(`{"target":"example.org","status":"offline","reason":"timeout","phase":"tls"}`), &r)
	fmt.Println(r.Status(), r.Reason(), err)
	// Output: offline timeout <nil>
}

func ExampleResult_String() {
	fmt.Println(found)
	// Output: example.org:8080: offline: http://example.org:8080/: the host refused the connection
}

func ExampleRedact() {
	fmt.Println(checker.Redact("https://user:password@example.org/"))
	// Output: https://xxxxx@example.org/
}
