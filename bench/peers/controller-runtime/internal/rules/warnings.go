package rules

import "time"

// limitedCreaterole is the first major version of PostgreSQL whose createrole is limited to the roles it was granted.
var limitedCreaterole = majorVersion{16, noPart}

// warn tells what an author should know about a specification that is admitted.
func warn(d *draft, today time.Time, verdict *Verdict) {
	if d.engine != noEngine && !d.engine.supported() {
		verdict.warnf("spec.type", "%s is not supported yet: the object is kept, but nothing is created", d.engine)
	}
	warnOfSupport(d, today, verdict)
	if d.size != nil && d.size.gibibytes() < smallestVolume {
		verdict.warnf("spec.size", "%s are allocated, the smallest volume RDS offers", d.size.allocated())
	}
	warnOfFlags(d, verdict)
	if d.every != 0 && d.every != oneDay {
		verdict.warnf("spec.backup.every", "%s is not scheduled yet: RDS makes one automated backup a day", d.every)
	}
	if d.deletionPolicy == "Delete" {
		verdict.warnf("spec.deletionPolicy", "Delete makes no final snapshot: the data goes with the object")
	}
}

func warnOfSupport(d *draft, today time.Time, verdict *Verdict) {
	if d.version == nil {
		return
	}
	dates := lifecycleOf(d.engine, d.version.major)
	if dates == nil {
		return
	}
	end := dates.extendedEnd.Format(time.DateOnly)
	if today.After(dates.extendedEnd) {
		verdict.warnf("spec.version", "support of %s %s ended on %s; newest: %s", d.engine, d.version.major, end, newest(d.engine))
	} else if today.After(dates.standardEnd) {
		verdict.warnf("spec.version", "%s %s is in paid Extended Support, %s to %s, dearer from %s; newest: %s",
			d.engine, d.version.major, dates.extendedStart().Format(time.DateOnly), end,
			dates.dearerStart().Format(time.DateOnly), newest(d.engine))
	}
}

func warnOfFlags(d *draft, verdict *Verdict) {
	if d.engine != postgresql {
		return
	}
	wideCreaterole := d.version != nil && d.version.major.less(limitedCreaterole)
	for index := range d.users {
		name, flags := d.users[index].name, &d.users[index].flags
		say := func(what string) { verdict.warnf(keyed(usersPath, name).String(), "%s", what) }
		if flags.has(superuser) {
			say("RDS grants rds_superuser for superuser")
		}
		if flags.has(replication) {
			say("RDS grants rds_replication for replication")
		}
		if flags.has(createrole) && wideCreaterole {
			say("createrole can reset any password before 16")
		}
		if flags.has(bypassrls) {
			say("RDS may refuse bypassrls to its master user")
		}
	}
}

// warnOfNulls tells of entries that mean nothing because they are null.
func warnOfNulls(spec any, verdict *Verdict) {
	for _, name := range nullKeys(spec, "users") {
		verdict.warnf(keyed(usersPath, name).String(), "null means absent: write [] to have it")
	}
	for _, name := range nullKeys(spec, "databases") {
		verdict.warnf(keyed(databasesPath, name).String(), "null means absent: write [] to have it")
	}
}
