package rules

import (
	"fmt"
	"maps"
	"strings"

	"gomodules.xyz/jsonpatch/v2"
)

const (
	defaultType       = "Postgresql"
	defaultSize       = "10GB"
	defaultMasterUser = "sysadmin"
	defaultEvery      = "24h"
	defaultRetention  = "7d"
)

// shortValue is the longest that is told whole, so that a warning keeps its length.
const shortValue = 40

// carriedKeys keep the old object's value when they leave the manifest. Not among them: paused, which people end by
// removing it, and deletionPolicy, where keeping an old Delete nobody sees any more would cost the final snapshot.
var carriedKeys = []string{
	"type", "version", "size", "masteruser", "users", "databases", "className", "instanceClass", "deletionProtection",
}

// defaulted gives the specification with what it leaves out: on update the old object's values, then the defaults.
// What was written is never changed, and the map that was given neither.
func defaulted(spec, old any) any {
	written, ok := spec.(map[string]any)
	if !ok && spec != nil {
		return spec
	}
	filled := make(map[string]any, len(written)+5)
	maps.Copy(filled, written)
	for _, key := range carriedKeys {
		if filled[key] == nil {
			if kept := member(old, key); kept != nil {
				filled[key] = kept
			}
		}
	}
	// The type comes first, as the version's default depends on it.
	for _, key := range []string{"type", "version", "size", "masteruser"} {
		if filled[key] == nil {
			if value := defaultOf(engineOf(filled["type"]), key); value != "" {
				filled[key] = value
			}
		}
	}
	if backup, ok := filled["backup"].(map[string]any); ok || filled["backup"] == nil {
		filled["backup"] = defaultedBackup(backup, member(old, "backup"))
	}
	return filled
}

func defaultedBackup(written map[string]any, old any) map[string]any {
	filled := make(map[string]any, len(written)+2)
	maps.Copy(filled, written)
	for _, key := range backupKeys {
		if filled[key] == nil {
			if filled[key] = member(old, key); filled[key] == nil {
				filled[key] = defaultOf(noEngine, key)
			}
		}
	}
	return filled
}

// defaultOf is what stands for a key that is left out, if anything does. A type that is none leaves the version open:
// the refusal of the type is what helps.
func defaultOf(e engine, key string) string {
	switch key {
	case "type":
		return defaultType
	case "version":
		switch e {
		case postgresql:
			return "12"
		case mysql:
			return "8.4"
		}
	case "size":
		return defaultSize
	case "masteruser":
		return defaultMasterUser
	case "every":
		return defaultEvery
	case "retention":
		return defaultRetention
	}
	return ""
}

// Patch makes a specification, which may be absent, the one with its defaults; old is that of the object as it is, if
// there is one.
func Patch(spec, old any) []jsonpatch.Operation {
	filled, ok := defaulted(spec, old).(map[string]any)
	if !ok {
		return nil
	}
	written, ok := spec.(map[string]any)
	if !ok {
		return []jsonpatch.Operation{jsonpatch.NewOperation("add", "/spec", filled)}
	}
	patch := additions("/spec/", written, filled)
	if backup, ok := written["backup"].(map[string]any); ok {
		patch = append(patch, additions("/spec/backup/", backup, filled["backup"].(map[string]any))...)
	}
	return patch
}

// additions are those of the keys that a map does not have. Only known keys are ever added, so that none needs to be
// escaped in a path.
func additions(prefix string, written, filled map[string]any) []jsonpatch.Operation {
	var patch []jsonpatch.Operation
	for key, value := range filled {
		if written[key] == nil && value != nil {
			patch = append(patch, jsonpatch.NewOperation("add", prefix+key, value))
		}
	}
	return patch
}

// keptField is one that left the manifest and keeps its value, which is not what its absence means elsewhere.
type keptField struct {
	path  string
	value any
}

// holds says whether a path is this field's or leads into it.
func (k keptField) holds(path string) bool {
	rest, ok := strings.CutPrefix(path, k.path)
	return ok && (rest == "" || rest[0] == '[' || rest[0] == '.')
}

// story is what became of the field, as the rest of a sentence that begins with it.
func (k keptField) story() string {
	shown := "its value"
	switch value := k.value.(type) {
	case string:
		if len(value) <= shortValue && !strings.ContainsFunc(value, func(c rune) bool { return c <= ' ' || c >= 0x7f }) {
			shown = value
		}
	case int64, float64:
		shown = number(value)
	case bool:
		shown = fmt.Sprint(value)
	}
	return "left the manifest and keeps " + shown
}

// keptFields are those that come from the old object, where that makes a difference.
func keptFields(spec, old any) []keptField {
	e := postgresql
	if written := member(spec, "type"); written != nil {
		e = engineOf(written)
	} else if kept := member(old, "type"); kept != nil {
		e = engineOf(kept)
	}
	var kept []keptField
	keep := func(path, key string, value any) {
		if value != nil && differs(e, key, value) {
			kept = append(kept, keptField{path + key, value})
		}
	}
	for _, key := range carriedKeys {
		if member(spec, key) == nil {
			keep("spec.", key, member(old, key))
		}
	}
	backup := member(spec, "backup")
	// A backup that is no map is refused as it is.
	if _, ok := backup.(map[string]any); !ok && backup != nil {
		return kept
	}
	for _, key := range backupKeys {
		if member(backup, key) == nil {
			keep("spec.backup.", key, member(member(old, "backup"), key))
		}
	}
	return kept
}

// differs says whether a value is another than what its absence means.
func differs(e engine, key string, value any) bool {
	switch value := value.(type) {
	case map[string]any:
		return key != "users" && key != "databases" || len(value) > 0
	case bool:
		return key != "deletionProtection" || value
	case string:
		return defaultOf(e, key) != value || value == ""
	}
	return true
}
