package rules

// Observed is what the status of an object tells of the instance behind it.
type Observed struct {
	// Created says whether an instance was made for the object.
	Created bool
	// AllocatedGiB is the volume; zero where it is not known.
	AllocatedGiB uint32
	// EngineVersion is the version that runs, as the cloud reports it.
	EngineVersion string
}

// exists says whether there is an instance that a change has an effect on.
func (o Observed) exists() bool { return o.Created || o.AllocatedGiB != 0 }

// judgeStep judges what became of the old specification, behind which an instance was observed.
func judgeStep(new, old *draft, observed Observed, found *violations) {
	sameEngine := new.engine == old.engine || new.engine == noEngine || old.engine == noEngine
	if !sameEngine {
		found.push(refusef(engineChanged, "the engine never changes: this database is %s, and %s needs a new object",
			old.engine, new.engine).at("spec.type"))
	}
	if new.masterUser != "" && old.masterUser != "" && new.masterUser != old.masterUser {
		found.push(refusef(masterUserChanged, "RDS cannot rename the master user: it stays %s", quoted(old.masterUser)).at("spec.masteruser"))
	}
	if new.version != nil && old.version != nil && sameEngine {
		if refused := versionStep(*new.version, *old.version, new.engine, observed); refused != nil {
			found.push(refused.at("spec.version"))
		}
	}
	if new.size != nil && old.size != nil {
		if refused := sizeStep(*new.size, *old.size, observed); refused != nil {
			found.push(refused.at("spec.size"))
		}
	}
}

// versionStep compares a version with the one that was written; or with the one that runs, where the new one follows
// an upgrade that somebody else made.
func versionStep(wanted, written engineVersion, e engine, observed Observed) *refusal {
	before := written
	if running, ok := readVersion(e, observed.EngineVersion); ok && running.major == wanted.major && wanted.major != written.major {
		before = running
	}
	if before.major.less(wanted.major) {
		return refusef(majorUpgrade, "a major upgrade from %s to %s is not offered yet: make a new object of version %s and move the data",
			before.major, wanted.major, wanted.major)
	}
	if wanted.precedes(before) {
		return refusef(versionDowngrade, "RDS cannot go back from %s to %s", before, wanted)
	}
	return nil
}

// sizeStep lets a size that was written but never allocated be taken back.
func sizeStep(new, old size, observed Observed) *refusal {
	wanted, written := new.allocated(), old.allocated()
	there, isThere := gibibytes(observed.AllocatedGiB), "are allocated"
	if there == 0 {
		if !observed.Created {
			return nil
		}
		there, isThere = written, "were asked for"
	}
	if wanted < written && wanted < there {
		return refusef(sizeShrinks, "RDS cannot shrink a volume: %s %s, %s would be asked for; write %s to keep it as it is",
			there, isThere, wanted, there)
	}
	return nil
}
