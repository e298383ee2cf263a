//go:build !linux || 386 || s390x

package wire

import (
	"net"
	"time"
)

const sinceReceivedUnknown = true

// sinceReceived knows no way here.
func sinceReceived(net.Conn) time.Duration { return 0 }
