package limit_test

import (
	"context"
	"fmt"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/limit"
)

// Retries take at most half of the slots; other work may take all of them.
func Example_subLimit() {
	const slots = 5
	all, retries := limit.New(slots), limit.New(limit.Half(slots))

	acquireRetry := func(ctx context.Context) error {
		if err := retries.Acquire(ctx); err != nil {
			return err
		}
		if err := all.Acquire(ctx); err != nil {
			retries.Release()
			return err
		}
		return nil
	}
	releaseRetry := func() { all.Release(); retries.Release() }

	for range 3 {
		if err := acquireRetry(context.Background()); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println("a fourth retry gets a slot:", retries.TryAcquire())
	fmt.Println("healthy work gets a slot:", all.TryAcquire(), all.TryAcquire(), all.TryAcquire())
	releaseRetry()
	fmt.Println("retries in use:", retries.InUse(), "of all in use:", all.InUse())
	// Output:
	// a fourth retry gets a slot: false
	// healthy work gets a slot: true true false
	// retries in use: 2 of all in use: 4
}
