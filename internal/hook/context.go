package hook

import (
	"context"
	"time"
)

// Outer returns a caller's context for others to be derived from. It ends when ctx does,
// and says nothing of when that will be: a deadline that a caller has set by the wall
// clock may have passed without the end of ctx, where the clock was set, and an
// implementation of the caller's may say anything. A context that is derived from one with
// an earlier deadline has no timer of its own, so it would never end.
//
// That ctx is done without an error, which package context answers with a panic on a
// goroutine of its own, is an end like any other.
func Outer(ctx context.Context) context.Context { return &outer{ctx, ctx.Done()} }

type outer struct {
	context.Context
	done <-chan struct{}
}

// Dated returns ctx with the deadline of the caller's context that it is derived from, if
// that is to come and before its own. It is for who would rather not begin to wait for what
// comes later than that.
func Dated(ctx context.Context) context.Context {
	o, ok := ctx.Value(outerKey{}).(*outer)
	if !ok {
		return ctx
	}
	end, ends := ctx.Deadline()
	at, ok := o.Context.Deadline()
	if !ok || ends && !at.Before(end) || !time.Now().Before(at) {
		return ctx
	}
	return dated{ctx, at}
}

type dated struct {
	context.Context
	at time.Time
}

func (d dated) Deadline() (time.Time, bool) { return d.at, true }

type outerKey struct{}

func (o *outer) Value(key any) any {
	if key == (outerKey{}) {
		return o
	}
	return o.Context.Value(key)
}

func (*outer) Deadline() (deadline time.Time, ok bool) { return deadline, false }

func (o *outer) Done() <-chan struct{} { return o.done }

func (o *outer) Err() error {
	if err := o.Context.Err(); err != nil {
		return Checked(err)
	}
	select {
	case <-o.done:
		return context.Canceled
	default:
		return nil
	}
}
