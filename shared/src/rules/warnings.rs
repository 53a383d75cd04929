//! What an author should know about a specification that is admitted.

use jiff::civil::Date;
use serde_json::Value;

use super::draft::Draft;
use super::path::SPEC;
use super::raw::{entries, is_null, null_keys};
use super::reader::ENTRY_LIMIT;
use super::written::Written;
use super::{Engine, Gibibytes, Interval, MajorVersion, Rule, Verdict, lifecycle};
use crate::api::DeletionPolicy;

/// First major version of PostgreSQL whose `createrole` is limited to the roles it was granted. Before, it alters every role that is no
/// superuser, which on RDS the master user is not.
const LIMITED_CREATEROLE: MajorVersion = MajorVersion::single(16);

/// The first minor version of each major in which a session keeps the role that `ALTER ROLE … SET role` sets for it. Before, DISCARD ALL takes
/// it away; in the version just before, the correction of that went too far, and it is not set at login either.
///
/// Source: PostgreSQL's release notes 17.1 (CVE-2024-10978) and 17.2 (ALTER ROLE SET role), and those of the same days.
const KEEPS_ROLE: [(MajorVersion, u16); 6] = [
    (MajorVersion::single(12), 22),
    (MajorVersion::single(13), 18),
    (MajorVersion::single(14), 15),
    (MajorVersion::single(15), 10),
    (MajorVersion::single(16), 6),
    (MajorVersion::single(17), 2),
];

/// Warnings about what is asked for. Of what its author did not write only what it costs is told.
///
/// `exists` says whether there is an instance already.
pub(super) fn about(draft: &Draft<'_>, written: Written<'_>, exists: bool, today: Date, verdict: &mut Verdict) {
    if let Some(engine) = draft.engine.filter(|engine| !engine.supported()) {
        let message = format!("{engine} is not supported yet: the object is kept, but nothing is created");
        verdict.warn(Rule::EngineNotBuilt, "spec.type", message);
    }
    support(draft, exists, today, verdict);
    sharing(draft, written, verdict);
    if let Some(size) = draft.size.filter(|size| size.gibibytes() < Gibibytes::SMALLEST && written.has("size")) {
        let message = format!("{} are allocated, the smallest volume RDS offers", size.allocated());
        verdict.warn(Rule::SizeBelowMinimum, "spec.size", message);
    }
    flags(draft, verdict);
    // Nobody is told of copies that are refused.
    if let Some(copies) = draft.backup.copies().filter(|copies| copies.too_many().is_none()) {
        let (most, days) = (copies.number(), copies.days);
        let plural = if most == 1 { "" } else { "s" };
        let message =
            format!("keeps up to {most} snapshot{plural} for {days}d: billed, and counted in the account's quota");
        verdict.warn(Rule::BackupCopies, "spec.backup.every", message);
    }
    // No retention is shorter than the default of this field, so its author has written it.
    if let (Some(every), Some(days)) = (draft.backup.every, draft.backup.retention_days)
        && every.as_secs() > u64::from(days) * Interval::DAY.as_secs()
    {
        let message =
            format!("longer than the retention of {days}d: the last copy is kept until the next one is there");
        verdict.warn(Rule::RetentionBelowInterval, "spec.backup.every", message);
    }
    if draft.deletion_policy == Some(DeletionPolicy::Delete) {
        let message = "Delete makes no final snapshot: the data goes with the object";
        verdict.warn(Rule::NoFinalSnapshot, "spec.deletionPolicy", message);
    }
}

/// Warnings about entries that mean nothing because they are null, in a specification or in the one that kubectl recorded of it: one
/// for each. Maps that are too large to be read have none.
pub(super) fn about_nulls(spec: &Value, last_applied: Option<&Value>, verdict: &mut Verdict) {
    for what in ["users", "databases"] {
        let at = SPEC.field(what);
        let entries = |spec| entries(spec, what).filter(|entries| entries.len() <= ENTRY_LIMIT);
        let (written, recorded) = (entries(spec), last_applied.and_then(entries));
        let told = |key: &str| written.is_some_and(|entries| is_null(entries, key));
        let only_recorded = recorded.into_iter().flat_map(null_keys).filter(|key| !told(key));
        for key in written.into_iter().flat_map(null_keys).chain(only_recorded) {
            verdict.warn(Rule::NullEntry, &at.key(key), "null means absent: write [] to have it");
        }
    }
}

fn support(draft: &Draft<'_>, exists: bool, today: Date, verdict: &mut Verdict) {
    let (Some(engine), Some(version)) = (draft.engine, draft.version) else { return };
    let Some(dates) = lifecycle::of(engine, version.major()) else { return };
    let newest = lifecycle::newest(engine).map(|newest| format!("; newest: {newest}")).unwrap_or_default();
    let end = dates.extended_end;
    if today > end {
        let message = format!("support of {engine} {} ended on {end}{newest}", version.major());
        verdict.warn(Rule::SupportEnded, "spec.version", message);
    } else if today > dates.standard_end && draft.extended_support == Some(false) {
        declined(draft, exists, (engine, version.major()), dates.standard_end, verdict);
    } else if today > dates.standard_end {
        let dearer = dates.dearer_start();
        let message = format!(
            "{engine} {} is in paid Extended Support (engineLifecycleSupport), dearer from {dearer}{newest}",
            version.major()
        );
        verdict.warn(Rule::ExtendedSupport, "spec.version", message);
    }
}

/// Source: RDS API, CreateDBInstance and RestoreDBInstanceFromDBSnapshot, `EngineLifecycleSupport`; RDS user guide, "Creating a DB instance with
/// Amazon RDS Extended Support". The dates move: RDS refuses, not admission.
fn declined(
    draft: &Draft<'_>,
    exists: bool,
    (engine, major): (Engine, MajorVersion),
    ended: Date,
    verdict: &mut Verdict,
) {
    let what = if exists || draft.adopt.is_some() {
        format!("RDS upgrades {engine} {major} by itself, an outage")
    } else if draft.restore_from.is_some() {
        format!("RDS upgrades a restored {engine} {major} by itself")
    } else {
        format!("RDS creates no {engine} {major} with it")
    };
    let message = format!("{what}: standard support ended on {ended}");
    verdict.warn(Rule::SupportDeclined, "spec.engineLifecycleSupport", message);
}

/// A minor version that is left to RDS is a newer one.
fn sharing(draft: &Draft<'_>, written: Written<'_>, verdict: &mut Verdict) {
    let Some((version, minor)) = draft.version.and_then(|version| Some((version, version.minor()?))) else { return };
    let first = KEEPS_ROLE.iter().find(|(major, _)| *major == version.major()).map(|(_, first)| *first);
    let Some(first) = first.filter(|first| minor < *first && written.has("version")) else { return };
    let unshared = if minor + 1 < first {
        "after DISCARD ALL, which poolers send, what plain users create is not shared"
    } else {
        "what plain users create is not shared: their sessions lack the role for it"
    };
    let message = format!("{unshared}; write {}.{first} or newer", version.major());
    verdict.warn(Rule::RoleNotKept, "spec.version", message);
}

fn flags(draft: &Draft<'_>, verdict: &mut Verdict) {
    if draft.engine != Some(Engine::Postgresql) {
        return;
    }
    let wide_createrole = draft.version.is_some_and(|version| version.major() < LIMITED_CREATEROLE);
    for (user, flags) in &draft.users {
        let at = SPEC.field("users");
        let field = at.key(user.as_str());
        // A name of 63 characters leaves 43 for the message.
        for (declared, rule, message) in [
            (flags.superuser, Rule::SuperuserMapped, "as rds_superuser it is the master's equal"),
            (flags.replication, Rule::ReplicationMapped, "RDS grants rds_replication for replication"),
            (
                flags.createrole.filter(|_| wide_createrole),
                Rule::WideCreaterole,
                "createrole is the master's equal before 16",
            ),
            (flags.bypassrls, Rule::BypassrlsUncertain, "RDS may refuse bypassrls to its master user"),
        ] {
            if declared == Some(true) {
                verdict.warn(rule, &field, message);
            }
        }
    }
}
