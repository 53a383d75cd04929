package rules

import (
	"fmt"
	"slices"
	"time"
)

// Subject is an object that asks for admission.
type Subject struct {
	// Name is metadata.name, which is empty while Kubernetes is yet to generate it.
	Name string
	// GenerateName is metadata.generateName.
	GenerateName string
	// Spec is the specification as it was received.
	Spec any
	// Applied is the specification in kubectl's last-applied annotation, which still has the nulls that client-side
	// apply does not send.
	Applied any
	// Observed is what the status tells of the instance. Only the old object's is looked at.
	Observed Observed
}

func (s *Subject) read(spec any) (draft, violations) {
	var all violations
	// Without either name the API server refuses by itself.
	if s.Name != "" {
		if refused := checkObjectName(s.Name); refused != nil {
			all.push(refused.at("metadata.name"))
		}
	} else if s.GenerateName != "" {
		if refused := checkGenerateName(s.GenerateName); refused != nil {
			all.push(refused.at("metadata.generateName"))
		}
	}
	d, found := read(spec)
	all.append(found)
	return d, all
}

func (s *Subject) warnOfNulls(verdict *Verdict) {
	warnOfNulls(s.Spec, verdict)
	warnOfNulls(s.Applied, verdict)
}

// Create says whether an object may be created.
func Create(subject *Subject, today time.Time) Verdict {
	var verdict Verdict
	d, found := subject.read(defaulted(subject.Spec, nil))
	verdict.Violations = found.finish()
	warn(&d, today, &verdict)
	subject.warnOfNulls(&verdict)
	return verdict
}

// Update says whether an object may be changed, as its author asks for it: what left the manifest keeps its value,
// and a warning says so. A violation that was there before and is not touched only warns.
func Update(new, old *Subject, today time.Time) Verdict {
	var verdict Verdict
	kept := keptFields(new.Spec, old.Spec)
	for _, field := range kept {
		verdict.warnf(field.path, "%s: to change it, write it", field.story())
	}
	found := change(new, old, today, &verdict)
	for index := range found.told {
		violation := &found.told[index]
		// Its field is not in the manifest, so its author would look for it in vain.
		if at := slices.IndexFunc(kept, func(field keptField) bool { return field.holds(violation.Field) }); at >= 0 {
			violation.Message = fmt.Sprintf("%s; %s %s", violation.Message, kept[at].path, kept[at].story())
		}
	}
	verdict.Violations = found.finish()
	return verdict
}

// Replace says whether a change is still right when nothing is filled in any more: like Update, but what the old
// object has and the new one lost is refused.
func Replace(new, old *Subject, today time.Time) Verdict {
	var verdict Verdict
	var found violations
	for _, field := range keptFields(new.Spec, old.Spec) {
		found.push(refusef(defaultsMissing, "is missing, though the object has it: the defaults were not filled in; apply again").at(field.path))
	}
	found.append(change(new, old, today, &verdict))
	verdict.Violations = found.finish()
	return verdict
}

// change judges the new specification, with what it keeps of the old one.
func change(new, old *Subject, today time.Time, verdict *Verdict) violations {
	oldDraft, oldFound := old.read(defaulted(old.Spec, nil))
	d, found := new.read(defaulted(new.Spec, old.Spec))
	for _, known := range found.takeKnown(&oldFound) {
		warnOfUnchanged(known, verdict)
	}
	judgeStep(&d, &oldDraft, old.Observed, &found)
	droppedByNull(new, old, &found)
	warnOfChanges(&d, &oldDraft, old.Observed, verdict)
	warn(&d, today, verdict)
	new.warnOfNulls(verdict)
	return found
}

// warnOfUnchanged tells a mistake that was there before, in full or by its rule, whichever is told whole.
func warnOfUnchanged(violation Violation, verdict *Verdict) {
	what := "still wrong: " + violation.Message
	if !isShort(violation.Field + ": " + what) {
		what = fmt.Sprintf("still wrong (%s)", violation.rule.id)
	}
	verdict.warnf(violation.Field, "%s", what)
}

// Delete says whether an object may be deleted, by its specification.
func Delete(spec any) Verdict {
	var verdict Verdict
	if member(spec, "deletionProtection") == true {
		verdict.Violations = []Violation{
			refusef(deletionProtected, "is true: set it to false before you delete the object").at("spec.deletionProtection"),
		}
	}
	return verdict
}

// droppedByNull refuses what client-side kubectl apply, which does not send null, makes of app: instead of app: []: a
// wish to remove the user app.
func droppedByNull(new, old *Subject, found *violations) {
	for _, entry := range []struct{ key, what string }{{"users", "the user"}, {"databases", "the database"}} {
		before, ok := member(old.Spec, entry.key).(map[string]any)
		if !ok {
			continue
		}
		nulls := append(nullKeys(new.Applied, entry.key), nullKeys(new.Spec, entry.key)...)
		slices.Sort(nulls)
		for _, name := range slices.Compact(nulls) {
			remains := member(member(new.Spec, entry.key), name) != nil
			if before[name] == nil || remains {
				continue
			}
			found.refuse(keyed(specPath.Child(entry.key), name), refusef(removedByNull,
				"%s: without a value would remove %s: write %s: [] to keep it, or remove the line to remove it", name, entry.what, name))
		}
	}
}
