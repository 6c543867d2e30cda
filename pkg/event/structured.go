package event

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jsonscan"
)

const jsonType = "application/json"

// fromEnvelope decodes a structured event. Errors: ErrCharset, ErrMalformed, or an *AttributeError.
func fromEnvelope(contentType string, body []byte) (Event, error) {
	if err := checkCharset(contentType); err != nil {
		return Event{}, err
	}
	s := jsonscan.New(body)
	e, err := eventOf(&s)
	if err != nil || !s.Ended() {
		return Event{}, cmp.Or(checkJSON(body), err)
	}
	return e, nil
}

func eventOf(s *jsonscan.Scanner) (Event, error) {
	if !s.Enter('{') {
		return Event{}, fmt.Errorf("%w: an event has to be an object", ErrMalformed)
	}
	v := envelope{builder: builder{attributes: make([]Attribute, 0, 12)}}
	for s.More() {
		key, value, ok := s.Member()
		if !ok {
			return Event{}, ErrMalformed
		}
		name, ok := jsonscan.Unescape(key)
		if !ok {
			return Event{}, &AttributeError{string(key), "is not UTF-8"}
		}
		if err := v.member(intern(name), value); err != nil {
			return Event{}, err
		}
	}
	e, err := v.event(nil)
	if err != nil {
		return Event{}, err
	}
	return v.payload(e)
}

// envelope is a JSON envelope that is being read. The payload members stay JSON.
type envelope struct {
	builder
	data, dataBase64 []byte
}

func (v *envelope) member(name string, value []byte) error {
	if err := v.bound(name); err != nil {
		return err
	}
	switch name {
	case dataMember:
		return setOnce(&v.data, name, value)
	case dataBase64Member:
		return setOnce(&v.dataBase64, name, value)
	}
	if !isAttributeName(name) {
		return &AttributeError{name, notAName}
	}
	if isJSONNull(value) {
		return v.add(Attribute{Name: name, text: unset})
	}
	text, err := attributeValue(name, value)
	if err != nil {
		return err
	}
	return v.add(Attribute{Name: name, Value: text})
}

// checkJSON returns ErrMalformed with the position unless body is one JSON value.
func checkJSON(body []byte) error {
	if jsonscan.Valid(body) {
		return nil
	}
	var discard json.RawMessage
	return fmt.Errorf("%w: %w", ErrMalformed, json.Unmarshal(body, &discard))
}

func isJSONString(raw []byte) bool { return len(raw) >= 2 && raw[0] == '"' }

func isJSONNull(raw []byte) bool { return string(raw) == "null" }

func setOnce(member *[]byte, name string, value []byte) error {
	if *member != nil {
		return &AttributeError{name, "is given more than once"}
	}
	*member = value
	return nil
}

// attributeValue returns the canonical string of an attribute's JSON value (JSON format 2.2). Only
// an extension may be a boolean or an integer.
func attributeValue(name string, value []byte) (string, error) {
	if isJSONString(value) {
		text, ok := jsonscan.Unescape(value)
		switch {
		case !ok:
			return "", &AttributeError{name, "is not UTF-8"}
		case name == DataContentType:
			return strings.TrimSpace(string(text)), nil
		case name == Time && len(text) == 0:
			return "", &AttributeError{name, "must be an RFC 3339 timestamp"}
		}
		return string(text), nil
	}
	if isCoreAttribute(name) {
		return "", &AttributeError{name, "must be a string"}
	}
	switch text := string(value); text[0] {
	case 't', 'f':
		return text, nil
	case '{', '[':
		return "", &AttributeError{name, "must be a string, a boolean or an integer, not a nested value"}
	default:
		// ParseInt takes no fraction or exponent, and neither does the JSON format.
		number, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return "", &AttributeError{name, "must be an integer of 32 bits"}
		}
		return strconv.FormatInt(number, 10), nil
	}
}

func isCoreAttribute(name string) bool {
	switch name {
	case SpecVersion, ID, Source, Type, Subject, Time, DataContentType, DataSchema, SchemaURL, dataContentEncoding:
		return true
	}
	return false
}

// payload completes the event with its data (JSON format 3.1.2; 0.3: JSON format 3.1).
func (v *envelope) payload(e Event) (Event, error) {
	if isJSONNull(v.dataBase64) {
		v.dataBase64 = nil
	}
	if v.dataBase64 != nil {
		return v.base64Payload(e)
	}
	if e.Attr(SpecVersion) == version03 {
		if _, encoded := e.Get(dataContentEncoding); encoded {
			// The data is decoded, so the attribute no longer applies.
			data, err := decodeBase64(dataMember, v.data)
			e = e.Without(dataContentEncoding)
			e.Data = data
			return e, err
		}
	}
	contentType, declared := e.Get(DataContentType)
	switch {
	case v.data == nil:
		return e, nil
	case !utf8.Valid(v.data):
		return Event{}, &AttributeError{dataMember, "is not UTF-8"}
	case !declared:
		// JSON format 3.1.2: data in an envelope is JSON by default, elsewhere the type is needed.
		e.Attributes = append(e.Attributes, Attribute{Name: DataContentType, Value: jsonType})
		e.Data = v.data
	case isJSONType(contentType):
		e.Data = v.data
	case isJSONNull(v.data):
		return e, nil
	case !isJSONString(v.data):
		return Event{}, &AttributeError{dataMember, "must be a string because datacontenttype is not JSON"}
	default:
		text, ok := jsonscan.Unescape(v.data)
		if !ok {
			return Event{}, &AttributeError{dataMember, "is not UTF-8"}
		}
		e.Data = text
	}
	return e, nil
}

func (v *envelope) base64Payload(e Event) (Event, error) {
	switch {
	case v.data != nil:
		return Event{}, &AttributeError{dataBase64Member, "must not be given together with data"}
	case e.Attr(SpecVersion) == version03:
		return Event{}, &AttributeError{dataBase64Member, "is not part of CloudEvents 0.3"}
	}
	data, err := decodeBase64(dataBase64Member, v.dataBase64)
	e.Data = data
	return e, err
}

// decodeBase64 decodes the member's JSON string; a missing or null member is no data.
func decodeBase64(member string, raw []byte) ([]byte, error) {
	if raw == nil || isJSONNull(raw) {
		return nil, nil
	}
	if !isJSONString(raw) {
		return nil, &AttributeError{member, "must be a base64 string"}
	}
	text, ok := jsonscan.Unescape(raw)
	if !ok {
		return nil, &AttributeError{member, "is not UTF-8"}
	}
	data := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(data, text)
	if err != nil {
		return nil, &AttributeError{member, "must be a base64 string"}
	}
	return data[:n], nil
}

// isJSONType reports whether a datacontenttype is */json or */*+json (JSON format 3.1.1).
func isJSONType(contentType string) bool {
	_, subtype, found := strings.Cut(mediaType(contentType), "/")
	return found && (strings.EqualFold(subtype, "json") ||
		len(subtype) > 5 && strings.EqualFold(subtype[len(subtype)-5:], "+json"))
}
