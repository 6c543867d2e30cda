package event

import "encoding/json"

// keptAttribute is an Attribute as JSON, which is how the reply of a Channel's subscriber waits with its event.
type keptAttribute struct {
	Name, Value string
	Text        string `json:",omitempty"`
}

// MarshalJSON keeps the text that the attribute came in besides its value.
func (a Attribute) MarshalJSON() ([]byte, error) {
	return json.Marshal(keptAttribute{Name: a.Name, Value: a.Value, Text: a.text})
}

// UnmarshalJSON takes the text only where it is one of that value: others may have written it.
func (a *Attribute) UnmarshalJSON(data []byte) error {
	var kept keptAttribute
	if err := json.Unmarshal(data, &kept); err != nil {
		return err
	}
	*a = Attribute{Name: kept.Name, Value: kept.Value}
	if came, ok := attributeOf(kept.Name, kept.Text); ok && came.Value == kept.Value {
		a.text = came.text
	}
	return nil
}
