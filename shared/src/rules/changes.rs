//! What an author should know of a change that is admitted: what cannot be undone, what is an outage and when, what becomes dearer.

use super::draft::Draft;
use super::path::SPEC;
use super::restore;
use super::{EngineVersion, Gibibytes, Impact, Observed, Rule, Verdict, When, lifecycle};

/// Warnings about the step from `old`, behind which `observed` was seen, to `new`.
pub(super) fn about(new: &Draft<'_>, old: &Draft<'_>, observed: &Observed, verdict: &mut Verdict) {
    // A Secret is there before the instance is.
    for user in old.users.keys().filter(|user| !new.users.contains_key(*user)) {
        // A name of 63 characters leaves 43 for the message.
        let users = SPEC.field("users");
        verdict.warn(Rule::UserRemoved, &users.key(user.as_str()), "is removed, with its login and its Secret");
    }
    // What is not there yet is made as it is wanted.
    if !observed.exists() {
        return;
    }
    for database in old.databases.keys().filter(|database| !new.databases.contains_key(*database)) {
        // A name of 63 characters leaves 39 for the message.
        let databases = SPEC.field("databases");
        let field = databases.key(database.as_str());
        verdict.warn(Rule::DatabaseKept, &field, "is kept with its data, without users");
    }
    upgrade(new, old, observed, verdict);
    growth(new, old, observed, verdict);
    retention(new, old, verdict);
    instance_class(new, old, verdict);
    parameters(new, old, verdict);
    standby(new, old, verdict);
    support(new, old, verdict);
    at_once(new, old, verdict);
    restore::too_late(new, old, observed, verdict);
}

/// An exact version above the one that runs is an upgrade, and so is another major one; the major alone that runs leaves the minor part to RDS.
///
/// Source: RDS user guide, "Upgrading a DB instance engine version": an upgrade is an outage, and is not taken back.
fn upgrade(new: &Draft<'_>, old: &Draft<'_>, observed: &Observed, verdict: &mut Verdict) {
    let (Some(engine), Some(wanted), Some(written)) = (new.engine, new.version, old.version) else { return };
    let before = observed.running(engine).or(written.minor().map(|_| written));
    let rises = |before: &EngineVersion| wanted.major() > before.major();
    let upgrades = |before: &EngineVersion| {
        rises(before) || (wanted.minor().is_some() && !wanted.covers(*before) && wanted > *before)
    };
    let Some(before) = before.filter(upgrades).filter(|_| wanted != written) else { return };
    let field = "spec.version";
    let message = format!("RDS cannot take back the upgrade from {before} to {wanted}");
    verdict.costs(Rule::IrreversibleUpgrade, field, (Impact::Irreversible, None), message);
    let outage = (Impact::Outage, Some(when(new)));
    verdict.costs(Rule::UpgradeOutage, field, outage, format!("the upgrade to {wanted}"));
}

fn growth(new: &Draft<'_>, old: &Draft<'_>, observed: &Observed, verdict: &mut Verdict) {
    let (Some(new), Some(old)) = (new.size, old.size) else { return };
    let (wanted, written) = (new.allocated(), old.allocated());
    let there = observed.allocated.unwrap_or(written);
    if wanted == written || wanted <= there {
        return;
    }
    let (field, grown) = ("spec.size", there.grown_to(wanted));
    if grown > wanted {
        let message = format!("RDS grows volumes by at least 10 %: {there} become {grown} instead of {wanted}");
        verdict.warn(Rule::GrowthRoundedUp, field, message);
    }
    let message = format!("{there} become {grown}, and RDS cannot shrink a volume");
    verdict.costs(Rule::IrreversibleGrowth, field, (Impact::Irreversible, None), message);
    let more = Gibibytes::new(grown.get() - there.get());
    let message = format!("{more} more are billed, whether they are used or not");
    verdict.costs(Rule::DearerStorage, field, (Impact::Cost, None), message);
}

/// Source: RDS user guide, "Backup retention period", and RDS pricing, backup storage.
fn retention(new: &Draft<'_>, old: &Draft<'_>, verdict: &mut Verdict) {
    let (Some(new), Some(old)) = (new.backup.finish(), old.backup.finish()) else { return };
    let (field, days) = ("spec.backup.retention", new.retention_days);
    if days > old.retention_days {
        let before = old.retention_days;
        let message = format!("backups are kept for {days}d, not {before}d: beyond the volume's size they are billed");
        verdict.costs(Rule::DearerBackups, field, (Impact::Cost, None), message);
    } else if new.automated_days() < old.automated_days() {
        let message = format!("RDS discards the automated backups that are older than {days}d");
        verdict.costs(Rule::BackupsDiscarded, field, (Impact::Irreversible, None), message);
    }
    match (new.copies(), old.copies()) {
        (Some(_), Some(_)) if days < old.retention_days => {
            let message = format!("copies that are older than {days}d are deleted when a newer one is there");
            verdict.costs(Rule::BackupsDiscarded, field, (Impact::Irreversible, None), message);
        }
        (None, Some(_)) => {
            let message = "the copies that were kept stay, and are billed, until somebody deletes them";
            verdict.costs(Rule::CopiesStay, "spec.backup", (Impact::Cost, None), message);
        }
        _ => {}
    }
}

/// Source: RDS API, ModifyDBInstance, DBInstanceClass: the change is an outage.
fn instance_class(new: &Draft<'_>, old: &Draft<'_>, verdict: &mut Verdict) {
    let Some(wanted) = new.instance_class else { return };
    let field = "spec.instanceClass";
    let message = match old.instance_class {
        Some(written) if written == wanted => return,
        Some(_) => "it takes minutes",
        // The class of the object decided until now, perhaps for the same one.
        None => "unless it has this class already",
    };
    verdict.costs(Rule::InstanceClassOutage, field, (Impact::Outage, Some(when(new))), message);
    let message = match old.instance_class.and_then(|written| steps(written, wanted)) {
        Some(..=0) => return,
        Some(_) => "the larger instance is billed at a higher rate",
        None => "another instance class is billed at another rate",
    };
    verdict.costs(Rule::DearerInstance, field, (Impact::Cost, None), message);
}

/// Source: RDS user guide, "Modifying a DB parameter group": another group is taken up by a restart.
fn parameters(new: &Draft<'_>, old: &Draft<'_>, verdict: &mut Verdict) {
    if new.parameters != old.parameters {
        let outage = (Impact::BriefOutage, Some(when(new)));
        verdict.costs(Rule::ParametersOutage, "spec.parameters", outage, "a restart takes them up");
    }
}

/// When an outage is made that a change asks for.
fn when(new: &Draft<'_>) -> When {
    if new.apply_immediately { When::Now } else { When::Window(new.maintenance_window) }
}

/// What waits for the maintenance window is made now.
fn at_once(new: &Draft<'_>, old: &Draft<'_>, verdict: &mut Verdict) {
    if new.apply_immediately && !old.apply_immediately {
        let message = "what waits for the maintenance window is made now, outages too";
        verdict.warn(Rule::AppliedImmediately, "spec.applyImmediately", message);
    }
}

/// Source: RDS user guide, "Multi-AZ DB instance deployments"; its pricing.
fn standby(new: &Draft<'_>, old: &Draft<'_>, verdict: &mut Verdict) {
    if new.multi_az == Some(true) && old.multi_az != Some(true) {
        let message = "a standby is billed as a second instance";
        verdict.costs(Rule::DearerStandby, "spec.multiAZ", (Impact::Cost, None), message);
    }
}

/// Source: RDS pricing, "Amazon RDS Extended Support".
fn support(new: &Draft<'_>, old: &Draft<'_>, verdict: &mut Verdict) {
    let (Some(engine), Some(version)) = (new.engine, new.version) else { return };
    let Some(dates) = lifecycle::of(engine, version.major()) else { return };
    if new.extended_support == Some(true) && old.extended_support != Some(true) {
        let message =
            format!("{engine} {} is billed as Extended Support from {}", version.major(), dates.extended_start());
        verdict.costs(Rule::DearerSupport, "spec.engineLifecycleSupport", (Impact::Cost, None), message);
    }
}

/// Whether an instance of the class `to` is billed at a higher rate than one of the class `from`, or may be.
pub fn dearer_class(from: &str, to: &str) -> bool {
    from != to && steps(from, to).is_none_or(|steps| steps > 0)
}

/// How much larger one class is than another of the same family; none when they cannot be compared.
fn steps(from: &str, to: &str) -> Option<i32> {
    let (family, size) = from.rsplit_once('.')?;
    let (other_family, other_size) = to.rsplit_once('.')?;
    (family == other_family).then(|| Some(rank(other_size)? - rank(size)?)).flatten()
}

fn rank(size: &str) -> Option<i32> {
    const SMALL: [&str; 5] = ["micro", "small", "medium", "large", "xlarge"];
    match size.strip_suffix("xlarge") {
        Some(times) if !times.is_empty() => times.parse::<u8>().ok().map(|times| 4 + i32::from(times)),
        _ => SMALL.iter().zip(0..).find_map(|(word, rank)| (*word == size).then_some(rank)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_a_family_are_ordered() {
        for (from, to, larger) in [
            ("db.t4g.micro", "db.t4g.small", Some(true)),
            ("db.r6g.xlarge", "db.r6g.2xlarge", Some(true)),
            ("db.r6g.16xlarge", "db.r6g.8xlarge", Some(false)),
            ("db.r6g.large", "db.r6g.large", Some(false)),
            ("db.t4g.large", "db.r6g.xlarge", None),
            ("db.r6g.large", "db.r6g.metal", None),
        ] {
            assert_eq!(steps(from, to).map(|steps| steps > 0), larger, "{from} to {to}");
        }
    }
}
