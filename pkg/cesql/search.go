package cesql

import (
	"strings"
	"unicode/utf8"
)

// cut returns the text after the first match of the segment.
func (s *segment) cut(text string) (string, bool) {
	if s.hasAny {
		return s.search(text)
	}
	_, rest, ok := strings.Cut(text, s.literal)
	return rest, ok
}

// index prepares for search.
func (s *segment) index() {
	words := (len(s.characters) + 63) / 64
	s.places, s.anyPlaces = make(map[string][]uint64), make([]uint64, words)
	for i, character := range s.characters {
		places := s.anyPlaces
		if character != anyCharacter {
			if s.places[character] == nil {
				s.places[character] = make([]uint64, words)
			}
			places = s.places[character]
		}
		places[i/64] |= 1 << (i % 64)
	}
}

// search goes through the text once (the Shift-And algorithm): bit i of the state is set while the
// last i+1 characters match the first i+1 of the segment.
func (s *segment) search(text string) (string, bool) {
	// A search for a longer segment allocates its state.
	var small [2]uint64
	state := small[:]
	if words := len(s.anyPlaces); words > len(small) {
		state = make([]uint64, words)
	}
	last := len(s.characters) - 1
	for rest := text; rest != ""; {
		_, size := utf8.DecodeRuneInString(rest)
		s.step(state, rest[:size])
		rest = rest[size:]
		if state[last/64]>>(last%64)&1 == 1 {
			return rest, true
		}
	}
	return "", false
}

// step updates the state by the next character of the text.
func (s *segment) step(state []uint64, character string) {
	places := s.places[character]
	carry := uint64(1)
	for i, allowed := range s.anyPlaces {
		if places != nil {
			allowed |= places[i]
		}
		state[i], carry = (state[i]<<1|carry)&allowed, state[i]>>63
	}
}
