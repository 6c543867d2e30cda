//go:build unix

package deliver

import (
	"errors"
	"syscall"
)

// isQuiet reports whether the idle connection is open and no byte has come in. A request on a
// closed connection is lost, and bytes that came before the request would be taken for its answer.
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
