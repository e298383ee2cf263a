package cli

import (
	"errors"
	"strings"
)

// Fields are header fields, as the value of a flag that may be repeated: each is given
// as "Key: value". They may be given to [flag.Var].
type Fields []Field

// A Field is one of them.
type Field struct{ Key, Value string }

// Set adds a field. What a key and a value may be is for whoever sends them to say.
func (f *Fields) Set(text string) error {
	key, value, found := strings.Cut(text, ":")
	if !found || key == "" {
		return errors.New("want Key: value")
	}
	*f = append(*f, Field{key, strings.TrimSpace(value)})
	return nil
}

// String returns the keys only: a value may be a secret.
func (f *Fields) String() string {
	var keys []string
	for _, field := range *f {
		keys = append(keys, field.Key)
	}
	return strings.Join(keys, ", ")
}
