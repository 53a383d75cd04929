//! What an author should know about a specification that is admitted.

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde_json::Value;

use super::draft::Draft;
use super::raw::null_keys;
use super::reader::keyed;
use super::{Engine, Gibibytes, Interval, MajorVersion, Verdict, lifecycle};
use crate::api::DeletionPolicy;

/// First major version of PostgreSQL whose `createrole` is limited to the roles it was granted.
const LIMITED_CREATEROLE: MajorVersion = MajorVersion::single(16);

/// Warnings about what is asked for.
pub(super) fn about(draft: &Draft, today: Date, verdict: &mut Verdict) {
    if let Some(engine) = draft.engine.filter(|engine| !engine.supported()) {
        verdict.warn(format!("spec.type: {engine} is not supported yet: the object is kept, but nothing is created"));
    }
    support(draft, today, verdict);
    if let Some(size) = draft.size.filter(|size| size.gibibytes() < Gibibytes::SMALLEST) {
        verdict.warn(format!("spec.size: {} are allocated, the smallest volume RDS offers", size.allocated()));
    }
    flags(draft, verdict);
    if let Some(every) = draft.every.filter(|every| *every != Interval::DAY) {
        verdict.warn(format!("spec.backup.every: {every} is not scheduled yet: RDS makes one automated backup a day"));
    }
    if draft.deletion_policy == Some(DeletionPolicy::Delete) {
        verdict.warn("spec.deletionPolicy: Delete makes no final snapshot: the data goes with the object");
    }
}

/// Warnings about entries that mean nothing because they are null.
pub(super) fn about_nulls(spec: &Value, verdict: &mut Verdict) {
    for key in null_keys(spec, "users") {
        verdict.warn(format!("{} is null, which means absent: write [] to have the user", keyed("spec.users", key)));
    }
    for key in null_keys(spec, "databases") {
        verdict.warn(format!("{} is null, which means absent: write [] to have it", keyed("spec.databases", key)));
    }
}

fn support(draft: &Draft, today: Date, verdict: &mut Verdict) {
    let (Some(engine), Some(version)) = (draft.engine, draft.version) else { return };
    let Some(dates) = lifecycle::of(engine, version.major()) else { return };
    let newest = lifecycle::newest(engine).map(|newest| format!("; the newest is {newest}")).unwrap_or_default();
    let end = dates.extended_end;
    if today > end {
        verdict.warn(format!("spec.version: support of {engine} {} ended on {end}{newest}", version.major()));
    } else if today > dates.standard_end {
        let start = dates.standard_end.saturating_add(1.day());
        verdict.warn(format!(
            "spec.version: {engine} {} is in paid Extended Support since {start}, until {end}{newest}",
            version.major()
        ));
    }
}

fn flags(draft: &Draft, verdict: &mut Verdict) {
    if draft.engine != Some(Engine::Postgresql) {
        return;
    }
    let wide_createrole = draft.version.is_some_and(|version| version.major() < LIMITED_CREATEROLE);
    for (user, flags) in &draft.users {
        let field = keyed("spec.users", user.as_str());
        // A name of 63 characters leaves 43 for the rest.
        if flags.superuser == Some(true) {
            verdict.warn(format!("{field}: RDS grants rds_superuser for superuser"));
        }
        if flags.replication == Some(true) {
            verdict.warn(format!("{field}: RDS grants rds_replication for replication"));
        }
        if flags.createrole == Some(true) && wide_createrole {
            verdict.warn(format!("{field}: createrole can reset any password before 16"));
        }
        if flags.bypassrls == Some(true) {
            verdict.warn(format!("{field}: RDS may refuse bypassrls to its master user"));
        }
    }
}
