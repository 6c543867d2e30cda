//go:build unix

package deliver

import (
	"errors"
	"syscall"
)

// isQuiet reports whether the idle connection is open and nothing has come on it. A peer that closes a connection says so at any
// time, and what is then sent on it is lost without an answer; what comes unasked must not be taken for the next answer.
func (c *conn) isQuiet() bool {
	if c.raw == nil {
		return true
	}
	quiet := false
	err := c.raw.Read(func(fd uintptr) bool {
		var one [1]byte
		n, err := syscall.Read(int(fd), one[:]) // the descriptor does not block
		quiet = n < 0 && (errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR))
		return true
	})
	return err == nil && quiet
}
