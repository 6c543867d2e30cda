package codec

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Place is where and when a message was stored.
type Place struct {
	stream   string
	sequence uint64
	at       time.Time
}

// PlaceIn reads the message's place in its stream out of the ack subject, which has two forms: nine tokens, or more with domain and
// account in front. Source: nats.go metadata parsing, ADR-15.
func PlaceIn(reply string) (Place, error) {
	tokens := strings.Split(reply, ".")
	at := 5
	if len(tokens) >= 11 {
		at = 7
	}
	if len(tokens) < 9 || len(tokens) == 10 || tokens[0] != "$JS" || tokens[1] != "ACK" {
		return Place{}, fmt.Errorf("reply subject %q is no ack subject", reply)
	}
	sequence, err := strconv.ParseUint(tokens[at], 10, 64)
	if err != nil {
		return Place{}, err
	}
	nanoseconds, err := strconv.ParseInt(tokens[at+2], 10, 64)
	return Place{stream: tokens[at-3], sequence: sequence, at: time.Unix(0, nanoseconds).UTC()}, err
}
