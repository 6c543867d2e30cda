package status

import (
	"context"
	"errors"
	"fmt"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/count"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/publish"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Status is what is known of the routes at one moment, read from the server.
type Status struct {
	Addresses []AddressStatus
	Targets   []TargetStatus
	// Since is when the first of the live processes began to count; zero until Count.
	Since time.Time

	live []route.Report
	logs map[route.Key]logStatus
}

// AddressStatus is an address with its readiness and its log.
type AddressStatus struct {
	route.Address
	Ready  bool
	Reason string
	// URL is where events come in; "" while no ingress says where it is.
	URL string
	// PausedByHandle tells that Paused and PausedSince are what a handle says, and not an annotation.
	PausedByHandle bool `json:"pausedByHandle,omitempty"`
	// Events and Bytes are what the log holds, DeadLetters what its dead-letter stream holds.
	Events, Bytes, DeadLetters uint64
	// Total is what log, directed and dead-letter stream hold, in bytes, and TotalLimit the most that they may hold; 0 for an adopted
	// stream, whose limit is not ours.
	Total, TotalLimit uint64
	// Numbers is what the live processes have counted, and Targets what they have of all targets
	// together. Backlog is the largest one of a target, and Oldest when the oldest event was stored
	// that a target may still get. All are as Status.Count has found them.
	Numbers count.AddressNumbers
	Targets count.TargetNumbers
	Backlog uint64
	Oldest  time.Time `json:",omitzero"`
}

// TargetStatus is a target with its readiness and its backlog.
type TargetStatus struct {
	route.Target
	Ready  bool
	Reason string
	// Backlog counts the events that the target may still get: in the log, being delivered, and parked for a retry. Events in
	// the log are counted by what their subject tells; the filter may still drop some of them. A target that shares has all of
	// the shared consumer's: it is at most this many.
	Backlog uint64
	// DeadLetters is what the dead-letter stream of its address holds for it.
	DeadLetters uint64
	// Numbers is what the live processes have counted, and Oldest when the oldest event of the
	// backlog was stored, as Status.Count has found them.
	Numbers count.TargetNumbers
	Oldest  time.Time `json:",omitzero"`
}

// Dead is how many dead letters of the target are kept, or, where a dead letter sink takes them,
// how many the live processes have counted.
func (t TargetStatus) Dead() uint64 {
	if t.DeadLetter != nil {
		return max(t.DeadLetters, t.Numbers.Dead)
	}
	return t.DeadLetters
}

// Dead is how many dead letters there are for the targets of the address (see TargetStatus.Dead), or,
// where that are more, in its dead-letter stream.
func (a AddressStatus) Dead(targets []TargetStatus) (dead uint64) {
	for _, t := range targets {
		if t.Key.Address == a.Key {
			dead += t.Dead()
		}
	}
	return max(dead, a.DeadLetters)
}

// Read reads the live routes, the reports of the live processes, and the streams.
func Read(ctx context.Context, c *jetstream.Client) (Status, error) {
	records, err := routes.Records(ctx, c, "")
	if err != nil && !errors.Is(err, route.ErrRecord) { // a record that cannot be read hides no other
		return Status{}, err
	}
	processes, err := readProcesses(ctx, c)
	if err != nil {
		return Status{}, err
	}
	s := Status{live: processes.reports.Live, logs: map[route.Key]logStatus{}}
	paused, err := buckets.ReadHandles(ctx, c)
	if err != nil {
		return Status{}, err
	}
	for _, r := range records {
		if r.DeletedAt != nil || r.Address == nil {
			continue
		}
		a, log := readAddressStatus(ctx, c, r, processes)
		a.pause(paused[routes.RecordKey(r.Record)])
		s.Addresses = append(s.Addresses, a)
		s.logs[r.Address.Key] = log
	}
	for _, r := range records {
		if r.DeletedAt == nil && r.Target != nil {
			s.Targets = append(s.Targets, targetStatus(r, processes, s.logs[r.Target.Key.Address], c.Names().DeadLetterSubject(r.Target.Key)))
		}
	}
	return s, nil
}

// processes are the live processes, and which bucket their revisions count in.
type processes struct {
	reports route.Reports
	bucket  time.Time
}

func readProcesses(ctx context.Context, c *jetstream.Client) (processes, error) {
	made, err := c.BucketMade(ctx, c.Names().RoutesBucket())
	if err != nil {
		return processes{}, err
	}
	reports, err := buckets.Reports(ctx, c)
	return processes{reports, made}, err
}

func (p processes) ready(role route.Role, r routes.StoredRecord) (bool, string) {
	return route.Ready(p.reports, role, route.Place{Key: routes.RecordKey(r.Record), Revision: r.Revision, Bucket: p.bucket})
}

func readAddressStatus(ctx context.Context, c *jetstream.Client, r routes.StoredRecord, p processes) (AddressStatus, logStatus) {
	a := AddressStatus{Address: *r.Address}
	a.Ready, a.Reason = p.ready(route.RoleIngress, r)
	if a.Ready {
		a.Reason = a.Refuse // it is served, by saying so
	}
	for _, report := range p.reports.Live {
		if report.Role == route.RoleIngress && report.URL != "" {
			a.URL = report.URL + a.Key.Path()
		}
	}
	log, err := readLogStatus(ctx, c, a.Address)
	if err != nil {
		a.Ready, a.Reason = false, err.Error()
	}
	a.Events, a.Bytes, a.DeadLetters, a.Total = log.events, log.bytes, log.deadLetters, log.total
	if a.Log.Stream == "" {
		// A dead-letter stream that holds more than it is to hold has a larger limit.
		more := max(log.letterLimit-a.Log.DeadLetterBytes(), 0)
		a.TotalLimit = uint64(a.Log.TotalBytes() + more) //nolint:gosec // never negative
	}
	return a, log
}

func targetStatus(r routes.StoredRecord, p processes, log logStatus, letters string) TargetStatus {
	t := TargetStatus{Target: *r.Target}
	backlog, exists := log.backlog[t.Consumer]
	t.Backlog, t.DeadLetters = backlog+log.directed[t.Key], log.letters[letters]
	switch {
	case t.NotReady != "":
		t.Reason = t.NotReady
	case !log.known:
		t.Reason = "its " + addressKind(t.Key.Address) + " is not there"
	case !exists:
		t.Reason = "its consumer " + t.Consumer + " is gone"
	default:
		if t.Ready, t.Reason = p.ready(route.RoleFilter, r); t.Ready {
			t.Reason = note(t.Target)
		}
	}
	return t
}

func addressKind(k route.Key) string {
	if k.Kind == route.KindChannel {
		return "Channel"
	}
	return "Broker"
}

// logStatus is what an address's streams hold.
type logStatus struct {
	known                      bool
	events, bytes, deadLetters uint64
	total                      uint64
	letterLimit                int64
	// backlog, floors and oldest are by consumer: what it has not acknowledged, the sequence up to
	// which it has acknowledged all, and when the first message after that was stored.
	backlog, floors map[string]uint64
	oldest          map[string]time.Time
	directed        map[route.TargetKey]uint64
	letters         map[string]uint64 // by subject
}

func readLogStatus(ctx context.Context, c *jetstream.Client, a route.Address) (logStatus, error) {
	s := logStatus{
		backlog: map[string]uint64{}, floors: map[string]uint64{}, oldest: map[string]time.Time{}, directed: map[route.TargetKey]uint64{},
	}
	key, log := a.Key, c.LogOf(a)
	stream, err := c.JetStream().Stream(ctx, log)
	if err != nil {
		return s, fmt.Errorf("read stream %s: %w", log, err)
	}
	state := stream.CachedInfo().State
	s.known, s.events, s.bytes, s.total = true, state.Msgs, state.Bytes, state.Bytes
	consumers, err := jetstream.ConsumersOf(ctx, stream)
	if err != nil {
		return s, err
	}
	for name, info := range consumers {
		s.backlog[name] = info.NumPending + uint64(info.NumAckPending) //nolint:gosec // never negative
		s.floors[name] = info.AckFloor.Stream
	}
	dead, err := c.JetStream().Stream(ctx, c.Names().DeadLetterStream(key))
	if err == nil && dead.CachedInfo().State.Msgs > 0 {
		var info *natsjs.StreamInfo
		if info, err = dead.Info(ctx, natsjs.WithSubjectFilter(">")); err == nil {
			s.letters = info.State.Subjects
		}
	}
	if err == nil {
		s.deadLetters = dead.CachedInfo().State.Msgs
		s.total += dead.CachedInfo().State.Bytes
		s.letterLimit = dead.CachedInfo().Config.MaxBytes
	} else if !errors.Is(err, natsjs.ErrStreamNotFound) {
		return s, fmt.Errorf("read stream %s: %w", c.Names().DeadLetterStream(key), err)
	}
	return s, addDirected(ctx, c, key, &s)
}

// addDirected adds what waits in the directed stream to the backlog of its targets.
func addDirected(ctx context.Context, c *jetstream.Client, key route.Key, s *logStatus) error {
	records, err := routes.Records(ctx, c, naming.TargetKeysOf(key))
	if err != nil {
		return err
	}
	parked, err := publish.ParkedFor(ctx, c, key, records)
	s.directed, s.total = parked.Events, s.total+parked.Bytes
	return err
}
