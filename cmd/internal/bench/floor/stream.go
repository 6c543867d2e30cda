package floor

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	natsjetstream "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/workload"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/latency"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
)

// StreamPlan is what of JetStream alone is measured, on the log of the Broker.
type StreamPlan struct {
	Names naming.Names
	// Count is the number of events that are stored and taken, Size their size.
	Count, Size int
	// Rate and Duration are of the second part, in which latencies are measured; Duration 0 leaves it out.
	Rate     float64
	Duration time.Duration
}

// StreamResult are the floors F5, events stored without HTTP, and F4, events taken and acknowledged without HTTP.
type StreamResult struct {
	PublishedPerSecond float64 `json:"publishedPerSecond"`
	ConsumedPerSecond  float64 `json:"consumedPerSecond"`
	// Latency is the time from a publish to the arrival at the consumer, at the plan's rate.
	Latency latency.Summary `json:"latency,omitzero"`
}

const (
	// publishPending bounds the publishes that wait for their PubAck, consumePending the messages that wait at the consumer.
	publishPending = 4096
	consumePending = 1000
	dueHeader      = "bench-due"
)

// Stream measures.
func Stream(ctx context.Context, conn *nats.Conn, p StreamPlan) (StreamResult, error) {
	js, err := natsjetstream.New(conn, natsjetstream.WithPublishAsyncMaxPending(publishPending))
	if err != nil {
		return StreamResult{}, err
	}
	consumer, err := js.CreateConsumer(ctx, p.Names.Log(broker()), natsjetstream.ConsumerConfig{
		Durable: "floor", AckPolicy: natsjetstream.AckExplicitPolicy, AckWait: 15 * time.Second, MaxAckPending: publishPending,
		DeliverPolicy: natsjetstream.DeliverNewPolicy,
	})
	if err != nil {
		return StreamResult{}, err
	}
	var result StreamResult
	began := time.Now()
	if err := publishAll(ctx, js, p); err != nil {
		return StreamResult{}, err
	}
	result.PublishedPerSecond = float64(p.Count) / time.Since(began).Seconds()
	began = time.Now()
	if err := consumeAll(ctx, consumer, p.Count); err != nil {
		return StreamResult{}, err
	}
	result.ConsumedPerSecond = float64(p.Count) / time.Since(began).Seconds()
	if p.Duration > 0 {
		result.Latency, err = pace(ctx, js, consumer, p)
	}
	return result, err
}

// newMessage is a message as the ingress stores it.
func newMessage(p StreamPlan, i int) *nats.Msg {
	id := string(workload.AppendID(nil, "floor", i, 0))
	return &nats.Msg{
		Subject: p.Names.EventSubject(broker(), workload.TypeName(0)), Data: make([]byte, p.Size),
		Header: nats.Header{
			natsjetstream.MsgIDHeader: {id}, "content-type": {"application/json"}, "ce-specversion": {"1.0"},
			"ce-id": {id}, "ce-source": {workload.Source}, "ce-type": {workload.TypeName(0)},
		},
	}
}

func publishAll(ctx context.Context, js natsjetstream.JetStream, p StreamPlan) error {
	for i := range p.Count {
		if _, err := js.PublishMsgAsync(newMessage(p, i)); err != nil {
			return err
		}
	}
	select {
	case <-js.PublishAsyncComplete():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func consumeAll(ctx context.Context, consumer natsjetstream.Consumer, count int) error {
	done := make(chan struct{})
	var taken atomic.Int64
	consuming, err := consumer.Consume(func(m natsjetstream.Msg) {
		_ = m.Ack() // one that is lost comes again, and counts twice
		if taken.Add(1) == int64(count) {
			close(done)
		}
	}, natsjetstream.PullMaxMessages(consumePending))
	if err != nil {
		return err
	}
	defer consuming.Stop()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%d of %d events came: %w", taken.Load(), count, ctx.Err())
	}
}

// pace publishes by a schedule and measures when the events arrive.
func pace(ctx context.Context, js natsjetstream.JetStream, consumer natsjetstream.Consumer, p StreamPlan) (latency.Summary, error) {
	began, measured := time.Now(), latency.New()
	consuming, err := consumer.Consume(func(m natsjetstream.Msg) {
		if due, err := strconv.ParseInt(m.Headers().Get(dueHeader), 10, 64); err == nil {
			measured.Record(time.Since(began) - time.Duration(due))
		}
		_ = m.Ack()
	}, natsjetstream.PullMaxMessages(consumePending))
	if err != nil {
		return latency.Summary{}, err
	}
	defer consuming.Stop()
	for i := range int(p.Rate * p.Duration.Seconds()) {
		due := time.Duration(float64(i) / p.Rate * float64(time.Second))
		if !loop.Sleep(ctx, time.Until(began.Add(due))) {
			return latency.Summary{}, ctx.Err()
		}
		message := newMessage(p, p.Count+i)
		message.Header.Set(dueHeader, strconv.FormatInt(int64(due), 10))
		if _, err := js.PublishMsgAsync(message); err != nil {
			return latency.Summary{}, err
		}
	}
	<-js.PublishAsyncComplete()
	return measured.Summary(), nil
}
