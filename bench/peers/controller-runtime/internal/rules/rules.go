// Package rules says what a specification of an RDSDatabase leaves out, and what is wrong with it.
//
// It is the crate shared::rules of v0.1.0 once more, as a Go team would write it, so that the two webhooks can be
// measured beside each other. It stays as it is: `bench agreement` counts what the crate answers otherwise by now.
// Specifications are JSON as sigs.k8s.io/json decodes it into any: nil, bool, int64, float64, string, []any and
// map[string]any.
package rules

import (
	"fmt"
	"slices"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

const (
	// warningLimit is the longest warning, in characters, that Kubernetes asks webhooks to send.
	warningLimit = 120
	// warningsLimit is what the API server passes on of all warnings of one request, in characters.
	warningsLimit = 4096
	// toldLimit is how many violations are told one by one; the others are counted.
	toldLimit = 100
)

// Verdict is the answer to one question of admission: admitted when there are no violations.
type Verdict struct {
	Violations []Violation
	// Warnings are what the author should know; each is at most warningLimit characters long.
	Warnings []string
}

// Admitted says whether nothing stands in the way.
func (v *Verdict) Admitted() bool { return len(v.Violations) == 0 }

// warnf adds a warning about a field once, cut to the limit.
func (v *Verdict) warnf(field, format string, args ...any) {
	warning := cut(field + ": " + fmt.Sprintf(format, args...))
	if !slices.Contains(v.Warnings, warning) {
		v.Warnings = append(v.Warnings, warning)
	}
}

// FittedWarnings are the warnings that the API server has room for; the last one counts those that do not fit.
func (v *Verdict) FittedWarnings() []string {
	left := warningsLimit - warningLimit
	for told, warning := range v.Warnings {
		left -= utf8.RuneCountInString(warning)
		if left < 0 {
			more := "and one more warning"
			if rest := len(v.Warnings) - told; rest > 1 {
				more = fmt.Sprintf("and %d more warnings", rest)
			}
			return append(v.Warnings[:told:told], more)
		}
	}
	return v.Warnings
}

func isShort(text string) bool { return utf8.RuneCountInString(text) <= warningLimit }

func cut(text string) string {
	if isShort(text) {
		return text
	}
	return string([]rune(text)[:warningLimit-1]) + "…"
}

// Violation is one reason why a specification is refused.
type Violation struct {
	// Field is the path of the field, such as spec.databases[orders][1].
	Field string
	// Message is a full sentence for people, or the rest of one that begins with the field.
	Message string

	rule *rule
}

// Reason is the kind of mistake.
func (v Violation) Reason() metav1.CauseType { return v.rule.cause }

func (v Violation) String() string { return v.Field + ": " + v.Message }

// refusal is a violation that does not know its field yet.
type refusal struct {
	rule    *rule
	message string
}

func refusef(rule *rule, format string, args ...any) *refusal {
	return &refusal{rule, fmt.Sprintf(format, args...)}
}

func (r *refusal) at(path string) Violation { return Violation{path, r.message, r.rule} }

// violations are those that were met: the first of them one by one, the others as a number.
type violations struct {
	told   []Violation
	untold int
}

func (v *violations) push(violation Violation) {
	if v.full() {
		v.untold++
		return
	}
	v.told = append(v.told, violation)
}

// refuse keeps a refusal with its field.
func (v *violations) refuse(path *field.Path, refused *refusal) {
	if v.full() {
		v.untold++
		return
	}
	v.told = append(v.told, refused.at(path.String()))
}

// full says that further violations are only counted, so that looking for what was meant is a waste.
func (v *violations) full() bool { return len(v.told) >= toldLimit }

func (v *violations) count() { v.untold++ }

func (v *violations) append(others violations) {
	for _, violation := range others.told {
		v.push(violation)
	}
	v.untold += others.untold
}

// takeKnown takes out those that old has as well. An equal number of untold ones counts as the same.
func (v *violations) takeKnown(old *violations) []Violation {
	if v.untold == old.untold {
		v.untold = 0
	}
	var known []Violation
	v.told = slices.DeleteFunc(v.told, func(violation Violation) bool {
		if !slices.Contains(old.told, violation) {
			return false
		}
		known = append(known, violation)
		return true
	})
	return known
}

// finish gives them in the order they were met; the last one counts the rest.
func (v *violations) finish() []Violation {
	if v.untold == 0 {
		return v.told
	}
	return append(v.told, refusef(moreMistakes, "has %d more mistakes", v.untold).at("spec"))
}
