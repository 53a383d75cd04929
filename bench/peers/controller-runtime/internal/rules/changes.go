package rules

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// warnOfChanges tells what an author should know of a change that is admitted: what cannot be undone, what is an outage,
// what becomes dearer. What is not there yet is made as it is wanted.
func warnOfChanges(new, old *draft, observed Observed, verdict *Verdict) {
	if !observed.exists() {
		return
	}
	for _, database := range slices.Sorted(maps.Keys(old.databases)) {
		if _, kept := new.databases[database]; !kept {
			verdict.warnf(keyed(databasesPath, database).String(), "is kept with its data, without users")
		}
	}
	warnOfUpgrade(new, old, observed, verdict)
	warnOfGrowth(new, old, observed, verdict)
	warnOfRetention(new, old, verdict)
	warnOfInstanceClass(new, old, verdict)
}

// warnOfUpgrade: only an exact version above the one that runs is an upgrade. A major one alone leaves the minor part to
// RDS. Source: RDS user guide, "Upgrading a DB instance engine version".
func warnOfUpgrade(new, old *draft, observed Observed, verdict *Verdict) {
	if new.version == nil || old.version == nil {
		return
	}
	wanted, before := *new.version, *old.version
	if running, ok := readVersion(new.engine, observed.EngineVersion); ok {
		before = running
	} else if before.minor == noPart {
		return
	}
	if wanted == *old.version || wanted.minor == noPart || wanted.covers(before) || !wanted.above(before) {
		return
	}
	verdict.warnf("spec.version", "RDS cannot take back the upgrade from %s to %s", before, wanted)
	verdict.warnf("spec.version", "the upgrade to %s does not wait for a maintenance window: it is an outage", wanted)
}

func warnOfGrowth(new, old *draft, observed Observed, verdict *Verdict) {
	if new.size == nil || old.size == nil {
		return
	}
	wanted, written := new.size.allocated(), old.size.allocated()
	there := gibibytes(observed.AllocatedGiB)
	if there == 0 {
		there = written
	}
	if wanted == written || wanted <= there {
		return
	}
	grown := there.grownTo(wanted)
	if grown > wanted {
		verdict.warnf("spec.size", "RDS grows volumes by at least 10 %%: %s become %s instead of %s", there, grown, wanted)
	}
	verdict.warnf("spec.size", "%s become %s for good: RDS cannot shrink a volume", there, grown)
	verdict.warnf("spec.size", "%s more are billed, whether they are used or not", grown-there)
}

// Source: RDS user guide, "Backup retention period", and RDS pricing, backup storage.
func warnOfRetention(new, old *draft, verdict *Verdict) {
	if new.retention == 0 || old.retention == 0 {
		return
	}
	after, before := new.retention/oneDay, old.retention/oneDay
	switch {
	case after > before:
		verdict.warnf("spec.backup.retention",
			"backups are kept for %dd instead of %dd: what they take beyond the volume's size is billed", after, before)
	case after < before:
		verdict.warnf("spec.backup.retention", "RDS discards the automated backups that are older than %dd", after)
	}
}

// Source: RDS API, ModifyDBInstance, DBInstanceClass: the change is an outage.
func warnOfInstanceClass(new, old *draft, verdict *Verdict) {
	const field = "spec.instanceClass"
	wanted, written := new.instanceClass, old.instanceClass
	switch {
	case wanted == "" || wanted == written:
		return
	case written == "":
		// The class of the object decided until now, perhaps for the same one.
		verdict.warnf(field, "unless it has this class already, it changes without a maintenance window: an outage of minutes")
	default:
		verdict.warnf(field, "the change does not wait for a maintenance window: the database is away for some minutes")
	}
	steps, comparable := stepsBetween(written, wanted)
	switch {
	case !comparable:
		verdict.warnf(field, "another instance class is billed at another rate")
	case steps > 0:
		verdict.warnf(field, "the larger instance is billed at a higher rate")
	}
}

// stepsBetween says how much larger one class is than another of the same family, if they can be compared.
func stepsBetween(from, to string) (int, bool) {
	family, size, ok := cutLast(from)
	otherFamily, otherSize, otherOK := cutLast(to)
	rank, known := rankOf(size)
	otherRank, otherKnown := rankOf(otherSize)
	return otherRank - rank, ok && otherOK && family == otherFamily && known && otherKnown
}

func cutLast(class string) (family, size string, ok bool) {
	dot := strings.LastIndexByte(class, '.')
	if dot < 0 {
		return "", "", false
	}
	return class[:dot], class[dot+1:], true
}

func rankOf(size string) (int, bool) {
	if times, ok := strings.CutSuffix(size, "xlarge"); ok && times != "" {
		value, err := strconv.ParseUint(times, 10, 8)
		return 4 + int(value), err == nil
	}
	rank := slices.Index([]string{"micro", "small", "medium", "large", "xlarge"}, size)
	return rank, rank >= 0
}
