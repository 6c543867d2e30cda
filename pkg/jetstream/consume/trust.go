package consume

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

// maxPause bounds a pause of the trust. Beyond that the events that come are dealt by what is applied: a target is not ready before its
// record is, so this breaks no promise, and whoever writes records without end keeps nobody from the events.
const maxPause = time.Second

// trust is the time in which this process knows every target that is ready anywhere. Only then does it read: else it would acknowledge
// what is for a target that it does not know, or by a filter that is no longer in force. Safe for concurrent use.
//
// It begins when the process has reported, and has applied every record that was written before (see Opener.TrustUntil). It ends with
// the report's life, or when the next connection is made: what was heard before an outage of NATS may be overtaken. It pauses when a record
// is written, until that is applied: NATS sends the news of it on the same connection as the events that come after it, and before them.
type trust struct {
	// made counts the connections to NATS that were made so far.
	made func() uint64
	term atomic.Pointer[term]
	// period counts the times of trust: what was verified in one of them has to be verified again in the next.
	period atomic.Int64
	// heard counts the records that were written; behind is when the first came that may not be applied, in Unix nanoseconds, or 0. Both
	// are written with the lock.
	mu     sync.Mutex
	heard  atomic.Uint64
	behind atomic.Int64
	// news brings them; nil while nobody follows them.
	news atomic.Pointer[nats.Subscription]
	// over is set when the process leaves: the trust does not begin again.
	over atomic.Bool
	// onChange is called when the trust ends with its connection, or pauses.
	onChange atomic.Pointer[func()]
}

// term is until when the process is trusted, and over which connection it has heard what it knows.
type term struct {
	until      time.Time
	connection uint64
}

// Heard is what a process has heard of routes: how many records were written while it ran, and over which connection it heard of the last.
type Heard struct{ Records, connection uint64 }

// Heard counts the records that were written since this process runs. It is another one after an outage of NATS: the news of some may
// be lost. The connection is read first: if another is made meanwhile, nothing is trusted by it.
func (t *trust) Heard() Heard {
	connection := t.made()
	return Heard{Records: t.heard.Load(), connection: connection}
}

func (t *trust) changed() {
	if f := t.onChange.Load(); f != nil {
		(*f)()
	}
}

// follow has the trust pause for each record that is written into the bucket.
func (t *trust) follow(conn *nats.Conn, bucket string) error {
	news, err := conn.Subscribe("$KV."+bucket+".>", func(*nats.Msg) {
		t.mu.Lock()
		t.heard.Add(1)
		t.behind.CompareAndSwap(0, time.Now().UnixNano())
		t.mu.Unlock()
		t.changed()
	})
	t.news.Store(news)
	return err
}

// lives reports whether the trust has begun and not ended, be it paused or not.
func (t *trust) lives() bool {
	term, now := t.term.Load(), time.Now()
	if term == nil || term.connection != t.made() || t.over.Load() {
		return false
	}
	// By the wall clock too: the other one stands still while the machine sleeps.
	return now.Before(term.until) && now.Round(0).Before(term.until.Round(0))
}

// pauses reports whether a record was written that may not be applied. A message that has come to this process before the call, and
// was stored after the record, finds the news of that either pending or taken.
func (t *trust) pauses() bool {
	if news := t.news.Load(); news != nil {
		if pending, _, err := news.Pending(); err == nil && pending > 0 { // until the callback has returned
			return true
		}
	}
	since := t.behind.Load()
	return since != 0 && time.Now().UnixNano()-since < int64(maxPause)
}

// Trusted reports whether the trust lives and is not paused.
func (t *trust) Trusted() bool { return !t.pauses() && t.lives() }

// Current reports whether the trust lives and every record is applied that was heard of.
func (t *trust) Current() bool { return t.lives() && t.behind.Load() == 0 }

// OnChange has f called when what Failures says, or Trusted, may have changed by itself. f must not block.
func (t *trust) OnChange(f func()) { t.onChange.Store(&f) }

// extend prolongs the trust of a process that has applied all records that it had heard of by then. It reports whether the trust has
// begun anew.
func (t *trust) extend(until time.Time, heard Heard) (begins bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if heard.connection != t.made() {
		return false
	}
	if begins = !t.lives(); begins {
		t.period.Add(1)
	}
	t.term.Store(&term{until, heard.connection})
	if t.heard.Load() == heard.Records {
		t.behind.Store(0)
	}
	return begins
}

// Prolong has a trust that has not ended go on until then, as long as no report was missing: no target has become ready without this
// process, although it may not have applied every record.
func (t *trust) Prolong(until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lives() {
		t.term.Store(&term{until, t.term.Load().connection})
	}
}

// close ends the trust for good.
func (t *trust) close() {
	t.over.Store(true)
	if news := t.news.Load(); news != nil {
		_ = news.Unsubscribe() // fails only when the connection is closed
	}
}
