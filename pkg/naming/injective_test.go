package naming

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Names of a small alphabet, which are often alike, of every length that Kubernetes allows.
var (
	label     = rapid.OneOf(rapid.StringMatching(`[ab](-{0,2}[ab]){0,3}`), rapid.StringMatching(`a{60}[ab]{3}`))
	subdomain = rapid.OneOf(rapid.StringMatching(`[ab](-{0,2}[ab]|\.[ab]){0,4}`), rapid.StringMatching(`(a{49}\.){5}[ab]{3}`))
	kinds     = rapid.SampledFrom([]route.Kind{route.KindBroker, "channel"})
	types     = rapid.OneOf(rapid.StringMatching(`[a.%*> ~2]{1,6}`), rapid.StringMatching(`(a\.){14,18}[ab]`),
		rapid.StringMatching(`a{478,482}[.b%]{0,3}`), rapid.StringN(1, 40, -1))
)

func drawKey(t *rapid.T, who string) route.Key {
	return route.Key{Kind: kinds.Draw(t, who+" kind"), Namespace: label.Draw(t, who+" namespace"), Name: subdomain.Draw(t, who+" name")}
}

func drawTarget(t *rapid.T, who string) route.TargetKey {
	return route.TargetKey{
		Address: drawKey(t, who), Namespace: label.Draw(t, who+" trigger namespace"), Name: subdomain.Draw(t, who+" trigger name"),
	}
}

// drawIdentity draws work of the target from few numbers, so that much of it is the same.
func drawIdentity(t *rapid.T, target route.TargetKey) Identity {
	number := rapid.SampledFrom([]uint64{0, 1, 10, 1 << 63})
	return Identity{
		Target: target, Sequence: number.Draw(t, "sequence"), Run: number.Draw(t, "run"),
		Stored: time.Unix(0, rapid.SampledFrom([]int64{1, -1, 10, 1 << 62}).Draw(t, "stored")),
	}
}

func TestNamesAreInjective(t *testing.T) {
	n := newNames(t, DefaultPrefix)
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawTarget(t, "a"), drawTarget(t, "b")
		typeA, typeB := types.Draw(t, "a type"), types.Draw(t, "b type")
		sameAddress, sameTarget := a.Address == b.Address, a == b
		idA, idB := drawIdentity(t, a), drawIdentity(t, b)
		sameWork := sameTarget && idA.Sequence == idB.Sequence && idA.Stored.Equal(idB.Stored) && idA.Run == idB.Run
		sameEvent := sameAddress && typeA == typeB
		for _, pair := range []struct {
			what   string
			a, b   string
			wanted bool
		}{
			{"log", n.Log(a.Address), n.Log(b.Address), sameAddress},
			{"directed stream", n.DirectedStream(a.Address), n.DirectedStream(b.Address), sameAddress},
			{"dead-letter stream", n.DeadLetterStream(a.Address), n.DeadLetterStream(b.Address), sameAddress},
			{"log subjects", n.LogSubjects(a.Address), n.LogSubjects(b.Address), sameAddress},
			{"event", n.EventSubject(a.Address, typeA), n.EventSubject(b.Address, typeB), sameEvent},
			{"address key", AddressKey(a.Address), AddressKey(b.Address), sameAddress},
			{"target key", TargetKey(a), TargetKey(b), sameTarget},
			{"directed", n.DirectedSubject(a), n.DirectedSubject(b), sameTarget},
			{"parked", n.ParkedSubject(idA), n.ParkedSubject(idB), sameWork},
			{"consumer", n.Log(a.Address) + "/" + n.Consumer(a), n.Log(b.Address) + "/" + n.Consumer(b), sameTarget},
			{"message id", MessageID(idA, "reply"), MessageID(idB, "reply"), sameWork},
		} {
			if got := pair.a == pair.b; got != pair.wanted {
				t.Errorf("%s: %s and %s: same is %v, want %v", pair.what, pair.a, pair.b, got, pair.wanted)
			}
		}
	})
}

func TestUsesAndInstallationsShareNoName(t *testing.T) {
	one, two := newNames(t, "kn"), newNames(t, "kn-log")
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawKey(t, "a"), drawKey(t, "b")
		names := []string{one.Log(a), one.DirectedStream(a), one.DeadLetterStream(a), two.Log(b), two.DirectedStream(b), two.DeadLetterStream(b)}
		seen := map[string]bool{}
		for _, name := range names {
			if seen[name] {
				t.Errorf("%s is used twice: %v", name, names)
			}
			seen[name] = true
		}
		subjects := []string{one.LogSubjects(a), one.DirectedSubjects(a), one.ParkedSubjects(a), one.DeadLetterSubjects(a), two.LogSubjects(b)}
		for i, x := range subjects {
			for _, y := range subjects[:i] {
				if covers(x, y) || covers(y, x) {
					t.Errorf("%s and %s overlap", x, y)
				}
			}
		}
	})
}

func TestLookAlikes(t *testing.T) {
	long := strings.Repeat("a", 63)
	keys := []route.Key{
		broker("a--b", "c"), broker("a", "b--c"), broker("a", "b-c"), broker("a-b", "c"), broker("a", "b.c"), broker("a", "b"),
		broker(long, "x.y"), broker(long, strings.Repeat(long[:62]+".", 4)+"a"), broker(long, strings.Repeat(long[:62]+".", 4)+"b"),
		{Kind: "channel", Namespace: "a", Name: "b"},
		// Illegal names must not share a token with another name either.
		broker("", ""), broker("A", "b"), broker("a", "b..c"), broker("a_b", "c"), broker("a", "=="),
	}
	n := newNames(t, DefaultPrefix)
	seen := map[string]route.Key{}
	for _, k := range keys {
		for _, name := range []string{n.Log(k), n.LogSubjects(k), AddressKey(k)} {
			if other, found := seen[name]; found {
				t.Errorf("%v and %v are both %s", k, other, name)
			}
			seen[name] = k
		}
	}
}

func TestTypePrefixCoversItsTypes(t *testing.T) {
	n := newNames(t, DefaultPrefix)
	k := broker("default", "orders")
	rapid.Check(t, func(t *rapid.T) {
		prefix, rest := types.Draw(t, "prefix"), types.Draw(t, "rest")
		for _, eventType := range []string{prefix, prefix + rest, prefix + "." + rest} {
			if filter, subject := n.TypePrefixSubject(k, prefix), n.EventSubject(k, eventType); !covers(filter, subject) {
				t.Errorf("prefix %q: %s does not cover %s", prefix, filter, subject)
			}
		}
	})
}

func TestParseIsTheInverse(t *testing.T) {
	n := newNames(t, DefaultPrefix)
	rapid.Check(t, func(t *rapid.T) {
		target := drawTarget(t, "a")
		if got, err := ParseKey(AddressKey(target.Address)); err != nil || got.Address != target.Address || got.Target != nil {
			t.Errorf("address: got %v and %v, want %v", got, err, target.Address)
		}
		got, err := ParseKey(TargetKey(target))
		if err != nil || got.Target == nil || *got.Target != target || got.Address != target.Address {
			t.Errorf("target: got %v and %v, want %v", got, err, target)
		}
		if got, err := n.ParseTrim(n.TrimSubject(target.Address)); err != nil || got != target.Address {
			t.Errorf("trim: got %v and %v, want %v", got, err, target.Address)
		}
	})
}

func FuzzEventSubject(f *testing.F) {
	f.Add("com.example", "com..example")
	f.Add("a.", "a")
	f.Add("%", ".")
	f.Add("%~"+hash("x"), strings.Repeat("x", 600))
	f.Add(strings.Repeat("a.", 20)+"b", strings.Repeat("a.", 20)+"c")
	f.Add("\x00\xff*>", "é \n")
	n := newNames(f, DefaultPrefix)
	k := broker("default", "orders")
	f.Fuzz(func(t *testing.T, a, b string) {
		subjectA, subjectB := n.EventSubject(k, a), n.EventSubject(k, b)
		if (a == b) != (subjectA == subjectB) {
			t.Errorf("%q is %s, %q is %s", a, subjectA, b, subjectB)
		}
		if !literal(subjectA) || !covers(n.LogSubjects(k), subjectA) {
			t.Errorf("%q: %s is no subject of the log", a, subjectA)
		}
		if filter := n.TypePrefixSubject(k, a); !covers(filter, n.EventSubject(k, a+b)) {
			t.Errorf("prefix %q: %s does not cover %s", a, filter, n.EventSubject(k, a+b))
		}
	})
}

func FuzzParseKey(f *testing.F) {
	f.Add("address.broker.default.orders")
	f.Add("target.broker.default.orders.default.a=b")
	f.Add("address.broker.a.==")
	f.Fuzz(func(t *testing.T, key string) {
		got, err := ParseKey(key)
		if err != nil {
			return
		}
		again := AddressKey(got.Address)
		if got.Target != nil {
			again = TargetKey(*got.Target)
		}
		if again != key {
			t.Errorf("%q was read as %v, whose key is %q", key, got, again)
		}
	})
}

func FuzzParkedSubject(f *testing.F) {
	f.Add(uint64(0), int64(0), uint64(0), uint64(1), int64(-1), uint64(1<<63))
	f.Add(uint64(1), int64(11), uint64(1), uint64(11), int64(1), uint64(1))
	n := newNames(f, DefaultPrefix)
	target := trigger(broker("default", "orders"), "audit.v2")
	f.Fuzz(func(t *testing.T, sequenceA uint64, storedA int64, runA, sequenceB uint64, storedB int64, runB uint64) {
		a := Identity{Target: target, Sequence: sequenceA, Stored: time.Unix(0, storedA), Run: runA}
		b := Identity{Target: target, Sequence: sequenceB, Stored: time.Unix(0, storedB), Run: runB}
		same := sequenceA == sequenceB && storedA == storedB && runA == runB
		if (n.ParkedSubject(a) == n.ParkedSubject(b)) != same || (MessageID(a, "x") == MessageID(b, "x")) != same {
			t.Errorf("%v is %s, %v is %s", a, n.ParkedSubject(a), b, n.ParkedSubject(b))
		}
		if subject := n.ParkedSubject(a); !literal(subject) || !oneTokenUnder(n.ParkedSubjectsOf(target), subject) || !covers(n.ParkedSubjects(target.Address), subject) {
			t.Errorf("%s is no subject of what is parked", subject)
		}
	})
}

// oneTokenUnder reports whether a filter that ends in a star covers the subject.
func oneTokenUnder(filter, subject string) bool {
	rest, ok := strings.CutPrefix(subject, strings.TrimSuffix(filter, "*"))
	return ok && !strings.Contains(rest, ".")
}
