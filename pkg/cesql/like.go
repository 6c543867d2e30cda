package cesql

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// pattern is a LIKE pattern: segments with any text between them. Each segment matches at its
// leftmost place, without backtracking, so the time is in proportion to the text.
type pattern struct {
	// The text begins with first, ends with last, and has middle in this order between. If whole,
	// the pattern has no %, and the text is first.
	first, last segment
	middle      []segment
	whole       bool
}

// newPattern reads a pattern. A backslash before % or _ escapes it; elsewhere it is a character.
func newPattern(text string) *pattern {
	segments := [][]string{nil}
	for rest := text; rest != ""; {
		_, size := utf8.DecodeRuneInString(rest)
		character := rest[:size]
		if len(rest) > 1 && (rest[:2] == `\%` || rest[:2] == `\_`) {
			character, size = rest[1:2], 2
		}
		rest = rest[size:]
		last := len(segments) - 1
		switch {
		case size == 1 && character == "%":
			segments = append(segments, nil)
		case size == 1 && character == "_":
			segments[last] = append(segments[last], anyCharacter)
		default:
			segments[last] = append(segments[last], character)
		}
	}
	last := len(segments) - 1
	p := &pattern{first: newSegment(segments[0]), last: newSegment(segments[last]), whole: last == 0}
	for i := 1; i < last; i++ {
		if len(segments[i]) > 0 {
			p.middle = append(p.middle, newSegment(segments[i]))
		}
	}
	return p
}

func (p *pattern) matches(text string) bool {
	rest, ok := p.first.cutPrefix(text)
	if !ok || p.whole {
		return ok && rest == ""
	}
	for i := range p.middle {
		if rest, ok = p.middle[i].cut(rest); !ok {
			return false
		}
	}
	return p.last.isSuffix(rest)
}

// anyCharacter stands for _ in segment.characters.
const anyCharacter = ""

// segment is a piece of a pattern without %.
type segment struct {
	characters []string
	// literal is the segment if it has no _.
	literal string
	hasAny  bool
	// places has for each character its positions in the segment, as bits; anyPlaces are the
	// positions of _. Only search uses them.
	places    map[string][]uint64
	anyPlaces []uint64
}

func newSegment(characters []string) segment {
	s := segment{characters: characters, literal: strings.Join(characters, "")}
	if s.hasAny = slices.Contains(characters, anyCharacter); s.hasAny {
		s.index()
	}
	return s
}

// cutPrefix returns the text after the segment at its start.
func (s *segment) cutPrefix(text string) (string, bool) {
	if !s.hasAny {
		return strings.CutPrefix(text, s.literal)
	}
	for _, character := range s.characters {
		_, size := utf8.DecodeRuneInString(text)
		if size == 0 || character != anyCharacter && character != text[:size] {
			return "", false
		}
		text = text[size:]
	}
	return text, true
}

func (s *segment) isSuffix(text string) bool {
	if !s.hasAny {
		return strings.HasSuffix(text, s.literal)
	}
	start := len(text)
	for range s.characters {
		if start == 0 {
			return false
		}
		_, size := utf8.DecodeLastRuneInString(text[:start])
		start -= size
	}
	_, ok := s.cutPrefix(text[start:])
	return ok
}
