package explain

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/cesql"
)

// Explanation is what a filter says of an event, and why.
type Explanation struct {
	Matches bool
	// Undecided tells that only a filter process knows whether the event matches.
	Undecided bool
	// Clauses do not let the event pass. Where one of several parts would do, all of them are there.
	Clauses []Clause
}

// String is the answer alone.
func (e Explanation) String() string {
	switch {
	case e.Matches:
		return "matches"
	case e.Undecided:
		return "may match"
	}
	return "does not match"
}

// Clause is a part of a filter that does not let an event pass.
type Clause struct {
	// Path is where the part stands in the spec of the Trigger, such as filters[0].any[1].exact.
	Path string
	// Says is what it demands of the event, or what it says of the event.
	Says string
	// Seen is what the event has of that.
	Seen []Seen
	// Errors are those that a CESQL expression met, and Lacks the functions that it calls and that do
	// not exist.
	Errors cesql.Errors
	Lacks  []string
	// Undecided tells that only a filter process knows: the part asks for the key of a RequestReply.
	Undecided bool
}

// Seen is an attribute of an event, as the filter sees that.
type Seen struct {
	Attribute, Value string
	Missing          bool
}

// String is what people read. Values are quoted: they are harmless for a terminal.
func (s Seen) String() string {
	if s.Missing {
		return s.Attribute + " is missing"
	}
	return s.Attribute + " is " + strconv.Quote(s.Value)
}

// String is one line.
func (c Clause) String() string {
	says := c.Says
	if c.Undecided {
		says = "only a filter process can tell, which has the keys of the RequestReply"
	}
	facts := make([]string, 0, len(c.Seen)+2)
	for _, s := range c.Seen {
		facts = append(facts, s.String())
	}
	if len(c.Lacks) > 0 {
		facts = append(facts, "there is no function "+strings.Join(c.Lacks, ", "))
	}
	if c.Errors&cesql.CastError != 0 {
		facts = append(facts, "a value has not the type that is needed")
	}
	if c.Errors&(cesql.MathError|cesql.FunctionEvaluationError) != 0 {
		facts = append(facts, "something cannot be computed")
	}
	if len(facts) == 0 {
		return fmt.Sprintf("%s: %s", c.Path, says)
	}
	return fmt.Sprintf("%s: %s; %s", c.Path, says, strings.Join(facts, ", "))
}
