package simulate

import (
	"bytes"
	"net"
	"sync/atomic"
	"time"
)

// The directions of a link.
const (
	toNATS = iota
	fromNATS
)

// link is a wire between a process and NATS on which everything takes its time, and which can be
// frozen: then both sides still believe that they are connected. The two greet each other without
// delay: nats.go holds a lock meanwhile, and who waits for a lock keeps virtual time from passing.
type link struct {
	wires   *wires
	greeted atomic.Bool
}

// link connects a process to NATS.
func (w *wires) link(conn net.Conn, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	if w.unlinked {
		return w.add(conn, nil)
	}
	if time.Now().Before(w.frozenUntil(toNATS)) || time.Now().Before(w.frozenUntil(fromNATS)) {
		_ = conn.Close()
		return nil, errDown
	}
	ours, theirs := net.Pipe()
	for _, end := range []net.Conn{conn, ours} { // a cut takes what is under way
		if _, err := w.add(end, nil); err != nil {
			_ = conn.Close()
			return nil, err
		}
	}
	w.mu.Lock()
	w.links++
	w.mu.Unlock()
	l := &link{wires: w}
	go l.carry(theirs, conn, toNATS)
	go l.carry(conn, theirs, fromNATS)
	return ours, nil
}

// packet is what was sent at once.
type packet struct {
	data []byte
	due  time.Time
}

// carry brings what comes from one connection to the other, in order, until one of them ends.
func (l *link) carry(from, to net.Conn, direction int) {
	packets, done := make(chan packet, 1<<12), make(chan struct{})
	go func() {
		defer close(done)
		for p := range packets {
			pass(time.Until(p.due))
			for until := l.wires.frozenUntil(direction); l.greeted.Load() && time.Now().Before(until); until = l.wires.frozenUntil(direction) {
				pass(time.Until(until))
			}
			if _, err := to.Write(p.data); err != nil {
				_ = from.Close()
				return
			}
		}
	}()
	for buffer := make([]byte, 32<<10); ; {
		n, err := from.Read(buffer)
		if n > 0 {
			p := packet{data: append([]byte(nil), buffer[:n]...), due: time.Now()}
			if l.greeted.Load() {
				p.due = p.due.Add(l.wires.takes())
			}
			select {
			case packets <- p:
			case <-done:
			}
			if direction == fromNATS && bytes.Contains(p.data, []byte("PONG")) {
				l.greeted.Store(true)
			}
		}
		if err != nil {
			break
		}
	}
	close(packets)
	<-done
	_ = to.Close()
}

func (w *wires) frozenUntil(direction int) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.frozen[direction]
}

// freeze lets nothing through in a direction for a while.
func (w *wires) freeze(direction int, lasts time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frozen[direction] = time.Now().Add(lasts)
}

func (w *wires) takes() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.delay
}

// slow sets how long everything takes, and returns how many links there were.
func (w *wires) slow(delay time.Duration) (links int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.delay = delay
	return w.links
}

func (w *wires) linked() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.links
}
