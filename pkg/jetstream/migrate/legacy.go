package migrate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/park"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Consumer is a consumer that knative-extensions/eventing-natss made for a Trigger or a Subscription, in a stream of its own or of
// somebody else. The UID in its name says whose it is, so its successor is the target that has the UID now.
type Consumer struct {
	Stream, Consumer string
	// Waiting counts the messages that it has not acknowledged.
	Waiting uint64
	// Busy is set while somebody takes messages from it.
	Busy bool
	// Target is the successor; nil when there is none.
	Target *route.Target

	// from is the first message that it may lack; those before all are acknowledged.
	from     uint64
	subjects []string
}

// How eventing-natss names its consumers; a UID without its dashes, in upper case, follows.
// Source: eventing-natss pkg/broker/utils/naming.go, pkg/channel/jetstream/utils/naming.go.
const (
	legacyTrigger    = "KN_TRIGGER_"
	legacySubscriber = "KN_SUB_"
	// ReaderPrefix begins the name of our own consumer beside one of theirs: it remembers what was moved.
	ReaderPrefix = "eventing-jetstream-migrates_"
)

// Find finds all such consumers in the streams of the account.
func Find(ctx context.Context, c *jetstream.Client) ([]Consumer, error) {
	successors, err := successors(ctx, c)
	if err != nil {
		return nil, err
	}
	streams := c.JetStream().ListStreams(ctx)
	var names []string
	for info := range streams.Info() {
		names = append(names, info.Config.Name)
	}
	if err := streams.Err(); err != nil {
		return nil, fmt.Errorf("list the streams: %w", err)
	}
	var found []Consumer
	for _, name := range names {
		stream, err := c.JetStream().Stream(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("read stream %s: %w", name, err)
		}
		consumers, err := jetstream.ConsumersOf(ctx, stream)
		if err != nil {
			return nil, err
		}
		for _, info := range consumers {
			if uid, ok := legacyUID(info.Name); ok {
				found = append(found, legacyOf(info, successors[uid]))
			}
		}
	}
	return found, nil
}

// legacyUID returns the UID in a consumer's name, in the form that the name has.
func legacyUID(name string) (string, bool) {
	for _, prefix := range []string{legacyTrigger, legacySubscriber} {
		if uid, ok := strings.CutPrefix(name, prefix); ok && uid != "" {
			return uid, true
		}
	}
	return "", false
}

func legacyOf(info *natsjs.ConsumerInfo, successor *route.Target) Consumer {
	return Consumer{
		Stream: info.Stream, Consumer: info.Name, Target: successor,
		Waiting: info.NumPending + uint64(info.NumAckPending), //nolint:gosec // never negative
		Busy:    info.NumWaiting > 0 || info.PushBound,
		from:    info.AckFloor.Stream + 1, subjects: jetstream.FilterSubjects(info.Config),
	}
}

// successors are the live targets by their UID, as it is in the names of eventing-natss.
func successors(ctx context.Context, c *jetstream.Client) (map[string]*route.Target, error) {
	records, err := routes.Records(ctx, c, "")
	if err != nil {
		return nil, err
	}
	targets := map[string]*route.Target{}
	for _, r := range records {
		if r.Target != nil && r.DeletedAt == nil && r.Target.UID != "" {
			targets[strings.ToUpper(strings.ReplaceAll(r.Target.UID, "-", ""))] = r.Target
		}
	}
	return targets, nil
}

// Moved is what became of the messages that a Legacy had not acknowledged.
type Moved struct {
	// Sent are those that its successor gets, Filtered those that the successor's filter does not take.
	Sent, Filtered int
	// Unreadable are the sequences of those that are no CloudEvents. They stay in the old stream, and are not sent.
	Unreadable []uint64
}

const (
	// legacyBatch is how many messages are read at one time.
	legacyBatch = 200
	// legacyAckWait is how long a batch may take before it is read again, by whoever asks next.
	legacyAckWait = 2 * time.Minute
)

// Move sends what the consumer has not acknowledged to its successor alone, by directed delivery, and returns when nothing is
// left. The old stream keeps its messages, and the old consumer its position. What was sent is remembered in the old stream, by
// a consumer of ours: an interrupted run goes on where it was, and the next one finds what came since. Messages that the old
// consumer acknowledged out of order are sent once more, like those of a run that was killed between sending and remembering.
func Move(ctx context.Context, c *jetstream.Client, s *park.Store, l Consumer) (Moved, error) {
	if l.Target == nil {
		return Moved{}, fmt.Errorf("consumer %s of stream %s: no Trigger or Subscription has its UID", l.Consumer, l.Stream)
	}
	matcher, err := filter.Compile(l.Target.Filter)
	if err != nil {
		return Moved{}, err
	}
	reader, err := legacyConsumer(ctx, c, l)
	if err != nil {
		return Moved{}, err
	}
	m := legacyMove{store: s, legacy: l, matches: matcher.Match}
	for {
		batch, err := reader.FetchNoWait(legacyBatch)
		if err != nil {
			return m.moved, fmt.Errorf("read stream %s: %w", l.Stream, err)
		}
		read := 0
		for msg := range batch.Messages() {
			read++
			if err := m.move(ctx, msg); err != nil {
				return m.moved, err
			}
		}
		if err := batch.Error(); err != nil || read == 0 {
			return m.moved, err
		}
	}
}

// legacyConsumer makes our consumer beside the old one, where that stands, or finds the one of an earlier run.
func legacyConsumer(ctx context.Context, c *jetstream.Client, l Consumer) (natsjs.Consumer, error) {
	name := ReaderPrefix + l.Consumer
	reader, err := c.JetStream().Consumer(ctx, l.Stream, name)
	if err == nil || !errors.Is(err, natsjs.ErrConsumerNotFound) {
		return reader, err
	}
	reader, err = c.JetStream().CreateConsumer(ctx, l.Stream, natsjs.ConsumerConfig{
		Durable: name, Description: "what was moved of " + l.Consumer, AckPolicy: natsjs.AckExplicitPolicy, AckWait: legacyAckWait,
		DeliverPolicy: natsjs.DeliverByStartSequencePolicy, OptStartSeq: l.from, FilterSubjects: l.subjects,
		MaxDeliver: -1, MaxAckPending: 2 * legacyBatch,
	})
	if err != nil {
		return nil, fmt.Errorf("read stream %s beside its consumer %s: %w", l.Stream, l.Consumer, err)
	}
	return reader, nil
}

// legacyMove is one run of MoveLegacy.
type legacyMove struct {
	store   *park.Store
	legacy  Consumer
	matches func(event.Event) bool
	moved   Moved
}

// move acknowledges a message, to our own consumer, only once it is sent.
func (m *legacyMove) move(ctx context.Context, msg natsjs.Msg) error {
	place, err := msg.Metadata()
	if err != nil {
		return err
	}
	e, err := event.FromNATS(msg.Headers(), msg.Data())
	switch {
	case err != nil:
		m.moved.Unreadable = append(m.moved.Unreadable, place.Sequence.Stream)
	case !m.matches(e):
		m.moved.Filtered++
	default:
		if err := m.send(ctx, place.Sequence.Stream, e); err != nil {
			return err
		}
		m.moved.Sent++
	}
	return msg.DoubleAck(ctx)
}

// send waits while there is no room: the filters deliver what was sent before, and make some.
func (m *legacyMove) send(ctx context.Context, sequence uint64, e event.Event) error {
	id := naming.MessageID(naming.Identity{Target: m.legacy.Target.Key, Sequence: sequence}, "moved from "+m.legacy.Stream)
	for {
		err := m.store.Direct(ctx, *m.legacy.Target, id, e)
		if !errors.Is(err, dispatch.ErrParkFull) || ctx.Err() != nil {
			return err
		}
		loop.Sleep(ctx, jetstream.RetryPause)
	}
}
