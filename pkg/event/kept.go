package event

import (
	"cmp"
	"encoding/json"
	"unicode/utf8"
)

// kept is an Attribute or a Header as JSON, which is how the reply of a Channel's subscriber waits with its event. Bytes is a value that is
// not UTF-8, such as Latin-1.
type kept struct {
	Name, Value string
	Text        string `json:",omitempty"`
	Bytes       []byte `json:",omitempty"`
}

// MarshalJSON keeps the text that the attribute came in besides its value.
func (a Attribute) MarshalJSON() ([]byte, error) {
	return json.Marshal(kept{Name: a.Name, Value: a.Value, Text: a.text})
}

// UnmarshalJSON takes the text only where it is one of that value: others may have written it.
func (a *Attribute) UnmarshalJSON(data []byte) error {
	var kept kept
	if err := json.Unmarshal(data, &kept); err != nil {
		return err
	}
	*a = Attribute{Name: kept.Name, Value: kept.Value}
	if came, ok := attributeOf(kept.Name, kept.Text); ok && came.Value == kept.Value {
		a.text = came.text
	}
	return nil
}

// MarshalJSON keeps the value byte for byte.
func (h Header) MarshalJSON() ([]byte, error) {
	kept := kept{Name: h.Name, Value: h.Value}
	if !utf8.ValidString(h.Value) {
		kept.Bytes = []byte(h.Value)
	}
	return json.Marshal(kept)
}

// UnmarshalJSON takes the bytes before what they were turned into as text.
func (h *Header) UnmarshalJSON(data []byte) error {
	var kept kept
	err := json.Unmarshal(data, &kept)
	*h = Header{kept.Name, cmp.Or(string(kept.Bytes), kept.Value)}
	return err
}
