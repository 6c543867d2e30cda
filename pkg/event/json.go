package event

import (
	"cmp"
	"encoding/json"
	"unicode/utf8"
)

// jsonForm is the JSON of an Attribute or a Header, stored with the reply of a Channel's
// subscriber. Bytes holds a value that is not UTF-8, such as Latin-1.
type jsonForm struct {
	Name, Value string
	Text        string `json:",omitempty"`
	Bytes       []byte `json:",omitempty"`
}

// MarshalJSON writes the value, and the header text that the attribute was read from.
func (a Attribute) MarshalJSON() ([]byte, error) {
	return json.Marshal(jsonForm{Name: a.Name, Value: a.Value, Text: a.text})
}

// UnmarshalJSON drops a header text that does not stand for the value: others may have written it.
func (a *Attribute) UnmarshalJSON(data []byte) error {
	var stored jsonForm
	if err := json.Unmarshal(data, &stored); err != nil {
		return err
	}
	*a = Attribute{Name: stored.Name, Value: stored.Value}
	if came, ok := attributeOf(stored.Name, stored.Text); ok && came.Value == stored.Value {
		a.text = came.text
	}
	return nil
}

// MarshalJSON keeps the value byte for byte.
func (h Header) MarshalJSON() ([]byte, error) {
	stored := jsonForm{Name: h.Name, Value: h.Value}
	if !utf8.ValidString(h.Value) {
		stored.Bytes = []byte(h.Value)
	}
	return json.Marshal(stored)
}

// UnmarshalJSON prefers the bytes to Value, in which JSON has replaced what is not UTF-8.
func (h *Header) UnmarshalJSON(data []byte) error {
	var stored jsonForm
	err := json.Unmarshal(data, &stored)
	*h = Header{stored.Name, cmp.Or(string(stored.Bytes), stored.Value)}
	return err
}
