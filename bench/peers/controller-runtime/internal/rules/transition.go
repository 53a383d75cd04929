package rules

import (
	"fmt"
	"maps"
	"slices"
)

// Observed is what the status of an object tells of the instance behind it.
type Observed struct {
	// Created says whether an instance was made for the object.
	Created bool
	// AllocatedGiB is the volume; zero where it is not known.
	AllocatedGiB uint32
	// EngineVersion is the version that runs, as the cloud reports it.
	EngineVersion string
}

// judgeStep judges what became of the old specification, behind which an instance was observed.
func judgeStep(new, old *draft, observed Observed, found *violations, verdict *Verdict) {
	forbid := func(field, format string, args ...any) {
		found.push(refusef(forbidden, format, args...).at(field))
	}
	sameEngine := new.engine == old.engine || new.engine == noEngine || old.engine == noEngine
	if !sameEngine {
		forbid("spec.type", "the engine never changes: this database is %s, and %s needs a new object", old.engine, new.engine)
	}
	if new.masterUser != "" && old.masterUser != "" && new.masterUser != old.masterUser {
		forbid("spec.masteruser", "RDS cannot rename the master user: it stays %s", quoted(old.masterUser))
	}
	if new.version != nil && old.version != nil && sameEngine {
		if message := versionStep(*new.version, *old.version, new.engine, observed); message != "" {
			forbid("spec.version", "%s", message)
		}
	}
	if new.size != nil && old.size != nil {
		if message := sizeStep(*new.size, *old.size, observed, verdict); message != "" {
			forbid("spec.size", "%s", message)
		}
	}
	for _, database := range slices.Sorted(maps.Keys(old.databases)) {
		if _, kept := new.databases[database]; !kept {
			verdict.warnf("%s is kept with its data: only its users lose access", keyed(databasesPath, database))
		}
	}
}

// versionStep compares a version with the one that was written; or with the one that runs, where the new one follows
// an upgrade that somebody else made.
func versionStep(wanted, written engineVersion, e engine, observed Observed) string {
	before := written
	if running, ok := readVersion(e, observed.EngineVersion); ok && running.major == wanted.major && wanted.major != written.major {
		before = running
	}
	if before.major.less(wanted.major) {
		return fmt.Sprintf("a major upgrade from %s to %s is not offered yet: make a new object of version %s and move the data",
			before.major, wanted.major, wanted.major)
	}
	if wanted.precedes(before) {
		return fmt.Sprintf("RDS cannot go back from %s to %s", before, wanted)
	}
	return ""
}

// sizeStep lets a size that was written but never allocated be taken back.
func sizeStep(new, old size, observed Observed, verdict *Verdict) string {
	wanted, written := new.allocated(), old.allocated()
	there, isThere := gibibytes(observed.AllocatedGiB), "are allocated"
	if there == 0 {
		if !observed.Created {
			return ""
		}
		there, isThere = written, "were asked for"
	}
	if wanted < written && wanted < there {
		return fmt.Sprintf("RDS cannot shrink a volume: %s %s, %s would be asked for; write %s to keep it as it is", there, isThere, wanted, there)
	}
	grown := there.grownTo(wanted)
	if wanted != written && wanted > there && grown > wanted {
		verdict.warnf("spec.size: RDS grows volumes by at least 10 %%: %s become %s instead of %s", there, grown, wanted)
	}
	return ""
}
