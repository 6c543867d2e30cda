package requestreply_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	sdk "github.com/cloudevents/sdk-go/sql/v2"
	"github.com/cloudevents/sdk-go/sql/v2/runtime"
	cloudevents "github.com/cloudevents/sdk-go/v2"
	"go.uber.org/zap"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	upstream "knative.dev/eventing/pkg/requestreply"
	secretinformer "knative.dev/pkg/injection/clients/namespacedkube/informers/core/v1/secret/fake"
	"knative.dev/pkg/logging"
	rtesting "knative.dev/pkg/reconciler/testing"
	_ "knative.dev/pkg/system/testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/cesql"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/requestreply"
)

// keys are three keys of one RequestReply, one that is no key, and some of other RequestReplies.
func keys() map[string]string {
	return map[string]string{
		"shop.orders.old":    strings.Repeat("o", 16),
		"shop.orders.new":    strings.Repeat("n", 32),
		"shop.orders.broken": "short",
		"shop.orders-2.key":  strings.Repeat("2", 16),
		"shop.orders":        strings.Repeat("x", 16),
		"other.orders.key":   strings.Repeat("s", 16),
	}
}

// idOf returns the id that upstream makes for an event.
func idOf(t *testing.T, id, key string, index int) string {
	t.Helper()
	e := cloudevents.NewEvent()
	e.SetID(id)
	if err := upstream.SetCorrelationId(&e, "correlationid", []byte(key), index); err != nil {
		t.Fatal(err)
	}
	return e.Extensions()["correlationid"].(string)
}

// upstreams returns upstream's function with the keys in a Secret. Upstream takes its Secrets once.
func upstreams(t *testing.T) sdk.Function {
	t.Helper()
	ctx, _ := rtesting.SetupFakeContext(t, func(ctx context.Context) context.Context {
		return logging.WithLogger(ctx, zap.NewNop().Sugar()) // upstream's writes ten lines a call
	})
	data := map[string][]byte{}
	for name, key := range keys() {
		data[name] = []byte(key)
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: requestreply.Secret, Namespace: "knative-testing"}, Data: data}
	if err := secretinformer.Get(ctx).Informer().GetStore().Add(secret); err != nil {
		t.Fatal(err)
	}
	if err := upstream.RegisterCESQLVerifyCorrelationIdFilter(ctx); err != nil {
		t.Fatal(err)
	}
	return runtime.ResolveFunction("KN_VERIFY_CORRELATION_ID", 6)
}

type call struct {
	id, name, namespace, secret string
	process, processes          int32
}

func (c call) arguments() []any {
	return []any{c.id, c.name, c.namespace, c.secret, c.process, c.processes}
}

// ours evaluates the filter expression that upstream's reconciler writes into a Trigger.
func (c call) ours(t *testing.T) (bool, cesql.Errors) {
	t.Helper()
	expression := fmt.Sprintf("KN_VERIFY_CORRELATION_ID(replyid, \"%s\", \"%s\", \"%s\", %d, %d)", c.name, c.namespace, c.secret, c.process, c.processes)
	x, err := cesql.Compile(expression, cesql.Environment{
		Functions: []cesql.Function{requestreply.Function(keys)},
		Attribute: func(string) cesql.Attribute {
			return func([]event.Attribute) (cesql.Value, bool) { return cesql.StringValue(c.id), true }
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	value, errors := x.Evaluate(nil)
	return value.Truth(), errors
}

func TestFunctionAgreesWithUpstream(t *testing.T) {
	theirs := upstreams(t)
	good := idOf(t, "7", keys()["shop.orders.old"], 5)
	parts := strings.Split(good, ":")
	ids := map[string]string{
		"sealed with an old key":           good,
		"sealed with the new key":          idOf(t, "7", keys()["shop.orders.new"], 5),
		"of another RequestReply":          idOf(t, "7", keys()["shop.orders-2.key"], 5),
		"of another namespace":             idOf(t, "7", keys()["other.orders.key"], 5),
		"sealed with a key without a name": idOf(t, "7", keys()["shop.orders"], 5),
		"without an id":                    idOf(t, "", keys()["shop.orders.old"], 5),
		"of a negative process":            idOf(t, "7", keys()["shop.orders.old"], -5),
		"of another event":                 "8:" + parts[1] + ":5",
		"cut":                              "7:" + parts[1][:8] + ":5",
		"empty":                            "",
		"two parts":                        "7:" + parts[1],
		"four parts":                       good + ":",
		"no number":                        "7:" + parts[1] + ":x",
		"too large a number":               "7:" + parts[1] + ":4294967301",
		"no base64":                        "7:~:5",
	}
	matched := 0
	for _, name := range slices.Sorted(maps.Keys(ids)) {
		for _, c := range []call{
			{ids[name], "orders", "shop", requestreply.Secret, 0, 1},
			{ids[name], "orders", "shop", requestreply.Secret, 2, 3},
			{ids[name], "orders", "shop", requestreply.Secret, 1, 3},
			{ids[name], "orders", "shop", requestreply.Secret, -2, 3},
			{ids[name], "orders", "shop", "another", 0, 1},
			{ids[name], "orders", "", requestreply.Secret, 0, 1},
			{ids[name], "", "shop", requestreply.Secret, 0, 1},
		} {
			want, wantErr := theirs.Run(cloudevents.Event{}, c.arguments())
			got, errors := c.ours(t)
			if got != want || (errors&^cesql.Undecided != 0) != (wantErr != nil) {
				t.Errorf("%s, %+v: %v, %b; upstream answers %v, %v", name, c, got, errors, want, wantErr)
			}
			if got {
				matched++
			}
		}
	}
	if matched != 8 {
		t.Errorf("%d calls match", matched)
	}
}

// Upstream divides by zero and panics, which the filter takes for no match.
func TestNoProcessesIsNoMatch(t *testing.T) {
	c := call{idOf(t, "7", keys()["shop.orders.old"], 5), "orders", "shop", requestreply.Secret, 0, 0}
	if got, errors := c.ours(t); got || errors != 0 {
		t.Errorf("%v, %b", got, errors)
	}
}

// Upstream reads the Secret itself; a mounted Secret comes late. Until a RequestReply has a key,
// its ids cannot be verified.
func TestUndecidedWithoutAKey(t *testing.T) {
	good := idOf(t, "7", keys()["shop.orders.old"], 5)
	for name, row := range map[string]struct {
		call
		want bool
	}{
		"a RequestReply without a key": {call{good, "new", "shop", requestreply.Secret, 2, 3}, true},
		"one of another namespace":     {call{good, "orders", "new", requestreply.Secret, 2, 3}, true},
		"one whose keys do not fit":    {call{good, "orders-2", "shop", requestreply.Secret, 2, 3}, false},
		"the id of another process":    {call{good, "new", "shop", requestreply.Secret, 1, 3}, false},
		"another Secret":               {call{good, "new", "shop", "another", 2, 3}, false},
		"no id":                        {call{"7", "new", "shop", requestreply.Secret, 2, 3}, false},
		"no processes":                 {call{good, "new", "shop", requestreply.Secret, 0, 0}, false},
	} {
		if got, errors := row.ours(t); got || (errors == cesql.Undecided) != row.want {
			t.Errorf("%s: %v, %b; want it undecided: %t", name, got, errors, row.want)
		}
	}
}

// Upstream's Triggers call this signature.
func TestSignatureIsUpstreams(t *testing.T) {
	theirs, ours := upstreams(t), requestreply.Function(keys)
	types := map[sdk.Type]cesql.Type{sdk.StringType: cesql.String, sdk.IntegerType: cesql.Integer, sdk.BooleanType: cesql.Boolean}
	if ours.Name != theirs.Name() || len(ours.Parameters) != theirs.Arity() || theirs.IsVariadic() || ours.Returns != types[theirs.ReturnType()] {
		t.Errorf("%s with %d arguments", ours.Name, len(ours.Parameters))
	}
	for i, parameter := range ours.Parameters {
		if parameter != types[*theirs.ArgType(i)] {
			t.Errorf("argument %d is a %v, upstream's a %v", i, parameter, *theirs.ArgType(i))
		}
	}
}
