package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Serve answers requests on l with srv until ctx ends. Then it takes no more of
// them and waits for those under way, for up to grace, after which it closes
// their connections. It returns nil if all ended by themselves, an error that
// wraps [context.DeadlineExceeded] if it had to close any, and at once an error
// of l. It closes l.
//
// Requests do not notice the end of ctx. Where what is under way is then of no
// more use, or never ends, have srv.BaseContext return ctx.
//
// A handler that does not mind its request's context may outlive Serve.
func Serve(ctx context.Context, l net.Listener, srv *http.Server, grace time.Duration) error {
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	select {
	case err := <-served:
		return errors.Join(err, srv.Close())
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := srv.Shutdown(end)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("connections were closed under way, after %v: %w", grace, err)
	}
	err = errors.Join(err, srv.Close())
	<-served // it ends with the listener
	return err
}
