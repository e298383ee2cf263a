//go:build !linux || 386 || s390x

package dial

import (
	"net"
	"time"
)

// SinceReceivedUnknown says whether [SinceReceived] knows nothing.
const SinceReceivedUnknown = true

// SinceReceived knows no way here.
func SinceReceived(net.Conn) time.Duration { return 0 }
