package simulate

import (
	"fmt"
	"strings"
	"time"
)

// explain is a broken promise with what has happened to the event, to the target, and to the
// broker.
func (c *checker) explain(id string, t *target, what string) string {
	lines := []string{fmt.Sprintf("broken: %s, %s: %s", id, t.name, what), c.life(id)}
	return strings.Join(lines, "\n") + "\nthe target:\n" + c.story(t) + "what was done to the broker:\n" + c.faults()
}

// explainEvent is a broken promise that concerns no target.
func (c *checker) explainEvent(id, what string) string {
	return fmt.Sprintf("broken: %s: %s\n%s\nwhat was done to the broker:\n%s", id, what, c.life(id), c.faults())
}

// life is what has happened to an event.
func (c *checker) life(id string) string {
	lines := append([]string{"the event:"}, c.history.events[id].lines...)
	if of := c.history.events[id].of; of != "" {
		lines = append(append(lines, "the event that it answers:"), c.history.events[of].lines...)
	}
	return strings.Join(lines, "\n")
}

// story is what has been made of a target.
func (c *checker) story(t *target) string {
	var lines strings.Builder
	for _, v := range t.versions {
		fmt.Fprintln(&lines, c.history.line(v.begun, "is to be %s", v))
		if !v.ready.IsZero() {
			fmt.Fprintln(&lines, c.history.line(v.ready, "is so"))
		}
	}
	return lines.String()
}

func (c *checker) faults() string {
	var lines strings.Builder
	for _, f := range c.history.faults {
		fmt.Fprintln(&lines, c.history.line(f.begin, "%s %s, until %s", f.what, f.who, f.end.Sub(c.history.began).Round(time.Millisecond)))
	}
	return lines.String()
}
