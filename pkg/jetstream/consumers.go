package jetstream

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// ConsumersOf lists the consumers of a stream by name.
func ConsumersOf(ctx context.Context, stream jetstream.Stream) (map[string]*jetstream.ConsumerInfo, error) {
	consumers := map[string]*jetstream.ConsumerInfo{}
	list := stream.ListConsumers(ctx)
	for info := range list.Info() {
		consumers[info.Name] = info
	}
	if err := list.Err(); err != nil {
		return nil, fmt.Errorf("list the consumers of %s: %w", stream.CachedInfo().Config.Name, err)
	}
	return consumers, nil
}

// IgnoreMissing returns nil for an error which says that a stream or a consumer does not exist.
func IgnoreMissing(err error) error {
	if errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil
	}
	return err
}

// Everything is the filter that matches every subject.
const Everything = ">"

// FilterSubjects returns a consumer's filters. The configuration has two fields for them.
func FilterSubjects(config jetstream.ConsumerConfig) []string {
	if config.FilterSubject != "" {
		return []string{config.FilterSubject}
	}
	return config.FilterSubjects
}
