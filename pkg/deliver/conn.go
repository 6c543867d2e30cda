package deliver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// maxInformational is how many responses of the 1xx kind may come before the one that counts.
	maxInformational = 5
	// earlyAnswer is how long a peer that stopped reading has time to say why.
	earlyAnswer = 50 * time.Millisecond
)

var (
	errHeaderTooLong = fmt.Errorf("the response's header is longer than %d bytes", maxResponseHeader)
	errNoResponse    = errors.New("the connection was closed before a response came")
)

// conn is one connection of a plain transport. One goroutine at a time uses it.
type conn struct {
	pool    *plain
	address string
	net     net.Conn
	raw     syscall.RawConn // nil: the system has no way to look at it
	in      *bufio.Reader
	out     *bufio.Writer
	// headerLeft is what the header may still take; below 0 a body is read, which has bounds of its own.
	headerLeft int

	// --- guarded by pool.mu ---
	since  time.Time // when it became idle
	expiry *time.Timer
}

func newConn(pool *plain, address string, n net.Conn) *conn {
	c := &conn{pool: pool, address: address, net: n}
	if s, ok := n.(syscall.Conn); ok {
		c.raw, _ = s.SyscallConn() // without it a dead connection shows when it is used
	}
	c.in, c.out = bufio.NewReader(headerLimit{c}), bufio.NewWriter(n)
	return c
}

func (c *conn) close() { _ = c.net.Close() } // nothing is left to be said on it

// breakOff ends every read and write under way, and those to come.
func (c *conn) breakOff() { _ = c.net.SetDeadline(time.Unix(1, 0)) }

// exchange posts the message and reads the response up to its body. After an error the connection is closed.
func (c *conn) exchange(ctx context.Context, host string, m message) (*http.Response, error) {
	unwatch := context.AfterFunc(ctx, c.breakOff)
	response, err := c.roundTrip(host, m)
	if err != nil {
		unwatch()
		c.close()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, err
	}
	response.Body = &body{ReadCloser: response.Body, conn: c, ctx: ctx, unwatch: unwatch,
		last: response.Close || response.StatusCode == http.StatusSwitchingProtocols}
	return response, nil
}

func (c *conn) roundTrip(host string, m message) (*http.Response, error) {
	written := c.write(host, m)
	if written != nil {
		// The peer may have refused the event before it had all of it.
		if c.net.SetReadDeadline(time.Now().Add(earlyAnswer)) != nil {
			return nil, written
		}
	}
	response, err := c.readResponse()
	switch {
	case err == nil:
		response.Close = response.Close || written != nil
		return response, nil
	case written != nil:
		return nil, written
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errNoResponse
	}
	return nil, err
}

// write writes the request. bufio keeps the first error for Flush.
func (c *conn) write(host string, m message) error {
	w := c.out
	w.WriteString("POST ")
	w.WriteString(m.url.RequestURI())
	w.WriteString(" HTTP/1.1\r\nHost: ")
	w.WriteString(host)
	w.WriteString("\r\nContent-Length: ")
	w.Write(strconv.AppendInt(w.AvailableBuffer(), int64(len(m.body)), 10))
	w.WriteString("\r\n")
	for name, values := range m.header {
		for _, value := range values {
			w.WriteString(name)
			w.WriteString(": ")
			w.WriteString(oneLine(value))
			w.WriteString("\r\n")
		}
	}
	w.WriteString("\r\n")
	w.Write(m.body)
	return w.Flush()
}

// oneLine keeps a value from ending its header: the last line of defence, since package event encodes or refuses such values.
func oneLine(value string) string {
	if strings.IndexByte(value, '\n') < 0 && strings.IndexByte(value, '\r') < 0 {
		return value
	}
	return strings.NewReplacer("\r", " ", "\n", " ").Replace(value)
}

// readResponse skips what is said before the response.
func (c *conn) readResponse() (*http.Response, error) {
	request := &http.Request{Method: http.MethodPost} // what may follow depends on the method
	c.headerLeft = maxResponseHeader
	for range maxInformational + 1 {
		response, err := http.ReadResponse(c.in, request)
		if err != nil {
			return nil, err
		}
		if response.StatusCode >= http.StatusOK || response.StatusCode == http.StatusSwitchingProtocols {
			c.headerLeft = -1
			return response, nil
		}
	}
	return nil, fmt.Errorf("more than %d responses of the 1xx kind", maxInformational)
}

// headerLimit reads from the connection, of a header no more than is allowed.
type headerLimit struct{ *conn }

func (l headerLimit) Read(b []byte) (int, error) {
	if l.headerLeft < 0 {
		return l.net.Read(b)
	}
	if l.headerLeft == 0 {
		return 0, errHeaderTooLong
	}
	n, err := l.net.Read(b[:min(len(b), l.headerLeft)])
	l.headerLeft -= n
	return n, err
}

// body is a response's body. Once it is read to its end and closed, the connection is free for the next exchange.
type body struct {
	io.ReadCloser
	conn    *conn
	ctx     context.Context
	unwatch func() bool
	// last says that nothing more is to come on the connection.
	last   bool
	ended  bool
	closed bool
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == io.EOF: //nolint:errorlint // a Reader says it so
		b.ended = true
	case err != nil && b.ctx.Err() != nil:
		err = b.ctx.Err()
	}
	return n, err
}

// Close does not read the rest, of which there may be no end: it gives the connection up instead.
func (b *body) Close() error {
	if b.closed {
		return nil
	}
	b.closed = true
	free := b.unwatch() // else its deadline has passed
	if free && b.ended && !b.last && b.conn.in.Buffered() == 0 {
		b.conn.pool.put(b.conn)
	} else {
		b.conn.close()
	}
	return nil
}
