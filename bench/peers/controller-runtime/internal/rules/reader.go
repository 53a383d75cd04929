package rules

import (
	"slices"
	"strings"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// reader gives the values that have the right shape, and keeps the violations of those that have not.
type reader struct {
	violations violations
	// hinted counts the strangers of whom it was looked for who was meant.
	hinted int
}

func (r *reader) refuse(path *field.Path, refused *refusal) { r.violations.refuse(path, refused) }

func (r *reader) missing(path *field.Path) {
	r.refuse(path, refusef(defaultsMissing, "is missing: its default was not filled in"))
}

// take gives what a text is parsed to, or keeps why it cannot be.
func take[T any](r *reader, path *field.Path, text string, parse func(string) (T, *refusal)) T {
	value, refused := parse(text)
	if refused != nil {
		r.refuse(path, refused)
		var none T
		return none
	}
	return value
}

func notText(value any) *refusal {
	return refusef(wrongType, "must be a text, not %s", described(value))
}

// textLimit is how many characters any text may have: those of a class's name, the longest there is.
const textLimit = 253

// textOf gives a value that is a text, and no longer than any that is right: nothing is looked for in one that is.
func textOf(value any) (string, *refusal) {
	text, ok := value.(string)
	if !ok {
		return "", notText(value)
	}
	if len(text) > textLimit {
		if length := utf8.RuneCountInString(text); length > textLimit {
			return "", refusef(longText, "%s has %d characters: no value has more than %d", quoted(text), length, textLimit)
		}
	}
	return text, nil
}

// text gives the text of a key that is there and is one.
func (r *reader) text(entries map[string]any, path *field.Path, key string) (string, bool) {
	value := entries[key]
	if value == nil {
		return "", false
	}
	text, refused := textOf(value)
	if refused != nil {
		r.refuse(path.Child(key), refused)
	}
	return text, refused == nil
}

// quantity gives a text with a unit, which is easily forgotten.
func (r *reader) quantity(entries map[string]any, path *field.Path, key, unit string, malformed *rule) (string, bool) {
	switch value := entries[key].(type) {
	case int64, float64:
		text := number(value)
		r.refuse(path.Child(key), refusef(malformed, "%s has no unit: write %s", text, quoted(text+unit)))
		return "", false
	default:
		return r.required(entries, path, key)
	}
}

func (r *reader) required(entries map[string]any, path *field.Path, key string) (string, bool) {
	if entries[key] == nil {
		r.missing(path.Child(key))
	}
	return r.text(entries, path, key)
}

// word checks an optional text, and says whether it is there and right.
func (r *reader) word(entries map[string]any, key string, check func(string) *refusal) bool {
	text, ok := r.text(entries, specPath, key)
	if !ok {
		return false
	}
	refused := check(text)
	if refused != nil {
		r.refuse(specPath.Child(key), refused)
	}
	return refused == nil
}

func (r *reader) boolean(entries map[string]any, key string) {
	value := entries[key]
	if _, ok := value.(bool); ok || value == nil {
		return
	}
	hint := ""
	text, _ := value.(string)
	switch strings.ToLower(text) {
	case "true", "yes", "on":
		hint = "; did you mean true?"
	case "false", "no", "off":
		hint = "; did you mean false?"
	}
	r.refuse(specPath.Child(key), refusef(wrongType, "must be true or false, without quotes, not %s%s", described(value), hint))
}

// entries gives a map of names to lists. Its nulls mean absent, but their names are judged like the others.
func (r *reader) entries(spec map[string]any, key string) map[string]any {
	value := spec[key]
	if value == nil {
		return nil
	}
	entries, ok := value.(map[string]any)
	if !ok {
		r.refuse(specPath.Child(key), refusef(wrongType, "must be a map from the names of %s to lists, such as {app: []}, not %s", key, described(value)))
		return nil
	}
	if len(entries) > entryLimit {
		r.refuse(specPath.Child(key), refusef(tooManyEntries, "has %d %s: at most %d are allowed", len(entries), key, entryLimit))
		return nil
	}
	return entries
}

func (r *reader) list(path *field.Path, value any, limit int, what string) []any {
	items, ok := value.([]any)
	if !ok {
		r.refuse(path, refusef(wrongType, "must be a list of %s, not %s", what, described(value)))
		return nil
	}
	if len(items) > limit {
		r.refuse(path, refusef(tooManyEntries, "has %d entries: at most %d are allowed", len(items), limit))
		return nil
	}
	return items
}

func (r *reader) unknownKeys(path *field.Path, entries map[string]any, known []string, elsewhere foreignWords) {
	var unknown []string
	for key := range entries {
		if !slices.Contains(known, key) {
			unknown = append(unknown, key)
		}
	}
	slices.Sort(unknown)
	for _, key := range unknown {
		if r.violations.full() {
			r.violations.count()
			continue
		}
		r.refuse(path.Child(shown(key)), refusef(unknownField, "is not a field: %s has %s%s",
			path, oneOf(known...), elsewhere.meant(key, known...)))
	}
}
