package deliver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"
)

const (
	// maxInformational bounds the 1xx responses before the final one.
	maxInformational = 5
	// smallMessage bytes fit into socket buffers: writing them does not wait for the peer.
	smallMessage = 16 << 10
)

var (
	errHeaderTooLong = fmt.Errorf("the response's header is longer than %d bytes", maxResponseHeader)
	errNoResponse    = errors.New("the connection was closed before a response came")
)

// conn is one connection of a plain transport. One goroutine uses it at a time.
type conn struct {
	pool    *plain
	address string
	net     net.Conn
	raw     syscall.RawConn // nil: isQuiet cannot look at the connection
	in      *bufio.Reader
	out     *bufio.Writer
	// limit bounds the rest of a response's header. A body has bounds of its own.
	limit io.LimitedReader

	expiry *time.Timer // guarded by pool.mu
}

func newConn(pool *plain, address string, n net.Conn) *conn {
	c := &conn{pool: pool, address: address, net: n, limit: io.LimitedReader{R: n}}
	if s, ok := n.(syscall.Conn); ok {
		c.raw, _ = s.SyscallConn() // without raw, a dead connection fails when it is used
	}
	c.in, c.out = bufio.NewReader(&c.limit), bufio.NewWriter(n)
	return c
}

func (c *conn) close() { _ = c.net.Close() } // an error changes nothing

// breakOff ends every read and write, running or to come.
func (c *conn) breakOff() { _ = c.net.SetDeadline(time.Unix(1, 0)) }

// exchange posts the message and returns the response, whose body the caller closes. It closes the
// connection after an error. giveUp ends a read of the body that hangs.
func (c *conn) exchange(ctx context.Context, host string, m message) (response *http.Response, giveUp func(), err error) {
	unwatch := context.AfterFunc(ctx, c.breakOff)
	written := c.send(host, m)
	response, err = c.readResponse()
	if err != nil {
		unwatch()
		c.close()
		<-written.done // at once
		return nil, nil, cause(ctx, err, written.err)
	}
	response.Body = &body{ReadCloser: response.Body, conn: c, ctx: ctx, unwatch: unwatch, written: written,
		last: response.Close || response.StatusCode == http.StatusSwitchingProtocols}
	giveUp = func() {
		if unwatch() { // else Close came first, and another exchange may use the connection
			c.breakOff()
		}
	}
	return response, giveUp, nil
}

// send writes the message. It returns at once for a large one, which is written while the response
// is read: a peer may answer early, or stop reading until its answer is read.
func (c *conn) send(host string, m message) *writing {
	w := &writing{done: make(chan struct{})}
	write := func() {
		defer close(w.done)
		w.err = c.write(host, m)
	}
	if len(m.body) <= smallMessage {
		write()
	} else {
		go write()
	}
	return w
}

// writing is the writing of one message: err is set when done is closed.
type writing struct {
	done chan struct{}
	err  error
}

// cause returns why there is no response.
func cause(ctx context.Context, read, written error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case !errors.Is(read, io.EOF) && !errors.Is(read, io.ErrUnexpectedEOF):
		return read
	case written != nil && !errors.Is(written, net.ErrClosed):
		return written
	}
	return errNoResponse
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
			w.WriteString(value)
			w.WriteString("\r\n")
		}
	}
	w.WriteString("\r\n")
	w.Write(m.body)
	return w.Flush()
}

// readResponse reads the final response and skips the 1xx ones before it.
func (c *conn) readResponse() (*http.Response, error) {
	request := &http.Request{Method: http.MethodPost} // the method says which responses have a body
	c.limit.N = maxResponseHeader
	for range maxInformational + 1 {
		response, err := http.ReadResponse(c.in, request)
		switch {
		case err != nil && c.limit.N == 0:
			return nil, errHeaderTooLong
		case err != nil:
			return nil, err
		}
		if response.StatusCode >= http.StatusOK || response.StatusCode == http.StatusSwitchingProtocols {
			c.limit.N = math.MaxInt64
			return response, nil
		}
	}
	return nil, fmt.Errorf("more than %d responses of the 1xx kind", maxInformational)
}

// body is a response's body. A connection whose body was read to the end and closed is used again.
type body struct {
	io.ReadCloser
	conn    *conn
	ctx     context.Context
	unwatch func() bool
	written *writing
	// last is set if the connection ends with this response.
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

// Close closes the connection, unless the message was written and the body read to its end. Close
// does not read the rest of a body, which may be endless.
func (b *body) Close() error {
	if b.closed {
		return nil
	}
	b.closed = true
	watched := b.unwatch() // else breakOff was called
	select {
	case <-b.written.done:
		if watched && b.written.err == nil && b.ended && !b.last && b.conn.in.Buffered() == 0 {
			b.conn.pool.put(b.conn)
			return nil
		}
		b.conn.close()
	default:
		b.conn.close()
		<-b.written.done // at once; there was an answer, so the error does not matter
	}
	return nil
}
