package consume

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

// maxPause bounds a pause, so that endless changes of records do not stop delivery. After it,
// events are dealt by the records that are applied: no target is ready before its record is (I4).
const maxPause = time.Second

// trust is the time in which this process knows every target that is ready anywhere, and may read
// (I3). At other times it would acknowledge events for a target that it does not know, or by a
// filter that is no longer in force. Safe for concurrent use.
//
// The trust begins when the process has reported, and has applied every record that was written
// until then (see Opener.TrustUntil). It ends when the report expires, and with the next
// connection: records may have changed in the outage. It pauses while a record is written but not
// applied: NATS sends the record before later events, on the same connection.
type trust struct {
	// made returns how many connections to NATS were made so far.
	made func() uint64
	term atomic.Pointer[term]
	// period numbers the times of trust; readers verify again in each of them.
	period atomic.Int64
	// heard counts the records that were written. behind is when the first of them came that is not
	// known to be applied, in Unix nanoseconds, or 0. mu is held to write them.
	mu     sync.Mutex
	heard  atomic.Uint64
	behind atomic.Int64
	// news delivers the records; nil before follow.
	news atomic.Pointer[nats.Subscription]
	// over is set when the process leaves: the trust does not begin again.
	over atomic.Bool
	// onChange is called when the trust ends with its connection, or pauses.
	onChange atomic.Pointer[func()]
}

// term is when the trust ends, and the number of the connection that it holds for.
type term struct {
	until      time.Time
	connection uint64
}

// Heard is how many records a process has heard of, and the number of the connection it had then.
type Heard struct{ Records, connection uint64 }

// Heard returns what was heard so far. It changes with an outage of NATS, in which records may have
// been missed. The connection is read first: a value across a reconnect is then never trusted.
func (t *trust) Heard() Heard {
	connection := t.made()
	return Heard{Records: t.heard.Load(), connection: connection}
}

func (t *trust) changed() {
	if f := t.onChange.Load(); f != nil {
		(*f)()
	}
}

// follow pauses the trust for each record that is written into the bucket.
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
	// The wall clock counts too: the monotonic one stands still while the machine sleeps.
	return now.Before(term.until) && now.Round(0).Before(term.until.Round(0))
}

// pauses reports whether a record was written that is not known to be applied. If that was before a
// message which has come, the record is in news: pending, or counted in behind.
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

// Current reports whether the trust lives and every record that was heard of is applied.
func (t *trust) Current() bool { return t.lives() && t.behind.Load() == 0 }

// OnChange sets the function to call when Failures or Trusted may have changed. It must not block.
func (t *trust) OnChange(f func()) { t.onChange.Store(&f) }

// extend begins or prolongs the trust of a process that has applied all records in heard.
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

// Prolong extends a trust that lives, for a process whose reports have no gap: no target has become
// ready without it, even if it has not applied every record.
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
