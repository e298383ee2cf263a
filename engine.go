package checker

import (
	"net/url"
	"time"

	"example.com/checker/internal/hook"
	"example.com/checker/internal/target"
	"example.com/checker/internal/wire"
)

// A probe checks targets for one call. It is shared by that call's workers.
type probe struct {
	*Checker
	wire *wire.Transport // unless the caller has a transport
}

// A task is one target on its way to its Result.
type task struct {
	index  int
	target string
	urls   []*url.URL // the candidates
	err    error      // why there are none
	key    string     // what the host limits count it under; "" without candidates

	asked   time.Time
	started time.Time // when it first got its turn
}

// newTask reads a target.
func (c *Checker) newTask(index int, text string) *task {
	t := &task{index: index, target: text, asked: time.Now()}
	parsed, err := target.Parse(text)
	if err != nil {
		t.err = newError(PhaseTarget, ReasonInvalid, "", err)
		return t
	}
	t.urls = parsed.URLs
	if t.key, err = c.key(t.urls[0]); err != nil {
		t.err = newError(PhaseTarget, ReasonInternal, t.urls[0].String(), err)
	}
	return t
}

// key returns what the host limits count u under. The hook gets a copy.
func (c *Checker) key(u *url.URL) (key string, err error) {
	if c.hostKey != nil {
		defer hook.Recovered(&err)
		copied := *u
		if key = c.hostKey(&copied); key != "" {
			return key, nil
		}
	}
	return hostOf(u), nil
}

// hostOf returns the host of u in lower case, without the port and the dot of a
// rooted name.
func hostOf(u *url.URL) string {
	host, _ := target.Host(u)
	if n := len(host); n > 0 && host[n-1] == '.' {
		return host[:n-1]
	}
	return host
}

// unstarted returns the Result of a task that got no turn.
func (t *task) unstarted(cause error) Result {
	return Result{
		Index:  t.index,
		Target: t.target,
		Err:    newError(PhaseWait, ReasonCanceled, "", cause),
		Timing: Timing{Wait: time.Since(t.asked)},
	}
}

// exited returns the Result of a task whose goroutine a hook has ended.
func (t *task) exited() *Result {
	return &Result{
		Index:  t.index,
		Target: t.target,
		Err:    newError(PhaseJudge, ReasonInternal, "", errGoexit),
	}
}

// errGoexit stands for a hook that ended its goroutine.
var errGoexit = hook.Exited("a hook")

// errTimeout is the cause of a check's own end, to tell it from the caller's.
var errTimeout error = &timeoutError{}

type timeoutError struct{}

func (*timeoutError) Error() string { return "the check's timeout has passed" }

func (*timeoutError) Timeout() bool { return true }
