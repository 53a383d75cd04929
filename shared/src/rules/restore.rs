//! What a new instance is made of, and the instance that is taken over instead.

use jiff::Timestamp;
use serde_json::Value;

use super::draft::Draft;
use super::filled::Filled;
use super::name::check_object_name;
use super::path::{Path, SPEC};
use super::quote::{did_you_mean, quoted};
use super::raw::field;
use super::reader::Reader;
use super::{Observed, Refusal, Rule, Verdict};
use crate::api::database;

/// What other tools call the keys of `spec.restoreFrom`, in lower case.
const KEYS_ELSEWHERE: [(&str, &str); 5] = [
    ("snapshotidentifier", "snapshot"),
    ("dbsnapshotidentifier", "snapshot"),
    ("time", "pointInTime"),
    ("restoretime", "pointInTime"),
    ("pitr", "pointInTime"),
];

/// What other tools call the keys of `spec.restoreFrom.pointInTime`, in lower case.
const MOMENT_KEYS_ELSEWHERE: [(&str, &str); 4] =
    [("restoretime", "time"), ("timestamp", "time"), ("name", "database"), ("source", "database")];

/// What a new instance is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RestoreFrom {
    /// A snapshot, by its name.
    Snapshot(String),
    /// What automated backups hold.
    PointInTime {
        /// The database of the same namespace whose backups they are; none is the object itself, or an earlier one of its name.
        database: Option<String>,
        /// The moment; none is the latest that can be restored.
        time: Option<Timestamp>,
    },
}

impl Reader {
    /// What is restored, or taken over.
    pub(super) fn origin(&mut self, spec: &Filled<'_>) -> (Option<RestoreFrom>, Option<String>) {
        let restore_from = self.restore_from(spec);
        let adopt = self.text(spec, &SPEC, "adopt");
        let adopt = adopt.and_then(|text| self.take(&SPEC.field("adopt"), instance(text)));
        if restore_from.is_some() && adopt.is_some() {
            let message = "is written beside spec.restoreFrom: an instance that is there already is not restored; remove one of both";
            self.refuse(&SPEC.field("adopt"), Rule::AmbiguousOrigin, message);
        }
        (restore_from, adopt)
    }

    fn restore_from(&mut self, spec: &Filled<'_>) -> Option<RestoreFrom> {
        let at = SPEC.field("restoreFrom");
        let written =
            spec.get("restoreFrom").and_then(|written| self.map(written, &at, "{snapshot: orders-before}"))?;
        self.unknown_keys(written, &at, &database::RestoreFrom::KEYS, &KEYS_ELSEWHERE);
        let of = |key| field(written, key);
        match (of("snapshot"), of("pointInTime")) {
            (Some(snapshot), None) => {
                let at = at.field("snapshot");
                let text = self.item(snapshot, &at)?;
                self.take(&at, self::snapshot(text)).map(RestoreFrom::Snapshot)
            }
            (None, Some(moment)) => self.point_in_time(moment, &at.field("pointInTime")),
            (found, _) => {
                let both = if found.is_some() { "names both snapshot and pointInTime" } else { "names nothing" };
                self.refuse(&at, Rule::AmbiguousOrigin, format_args!("{both}: write one of snapshot and pointInTime"));
                None
            }
        }
    }

    fn point_in_time(&mut self, written: &Value, at: &Path<'_>) -> Option<RestoreFrom> {
        let written = self.map(written, at, "{time: \"2026-03-29T10:15:00Z\"}")?;
        self.unknown_keys(written, at, &database::PointInTime::KEYS, &MOMENT_KEYS_ELSEWHERE);
        let filled = Filled { written, added: &[] };
        let database = self.text(&filled, at, "database");
        let database =
            database.and_then(|text| self.take(&at.field("database"), check_object_name(text).map(|()| text)));
        let time = self.text(&filled, at, "time");
        let time = time.and_then(|text| self.take(&at.field("time"), moment(text)));
        Some(RestoreFrom::PointInTime { database: database.map(str::to_owned), time })
    }
}

/// An edit that comes too late to say what an instance is made of.
pub(super) fn too_late(new: &Draft<'_>, old: &Draft<'_>, observed: &Observed, verdict: &mut Verdict) {
    let changed = new.restore_from != old.restore_from && new.restore_from.is_some();
    if observed.created && changed {
        let message = "is read when an instance is made, and this one is there: nothing follows";
        verdict.warn(Rule::OriginTooLate, "spec.restoreFrom", message);
    }
}

/// The name of a snapshot; those that RDS makes by itself begin with `rds:`.
///
/// Source: RDS API, CreateDBSnapshot, `DBSnapshotIdentifier`.
fn snapshot(text: &str) -> Result<String, Refusal> {
    if words(text.strip_prefix("rds:").unwrap_or(text), |byte| byte.is_ascii_alphanumeric()) {
        return Ok(text.to_owned());
    }
    let hint = match text.rsplit_once(":snapshot:") {
        Some((_, name)) if snapshot(name).is_ok() => did_you_mean(name),
        _ => String::new(),
    };
    let message =
        format!("{} is not the name of a snapshot: write letters, digits and single hyphens{hint}", quoted(text));
    Err(Refusal::new(Rule::MalformedIdentifier, message))
}

/// The identifier of an instance, as RDS keeps it.
///
/// Source: RDS API, CreateDBInstance, `DBInstanceIdentifier`.
fn instance(text: &str) -> Result<String, Refusal> {
    let fits = |text: &str| text.len() <= 63 && words(text, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if fits(text) {
        return Ok(text.to_owned());
    }
    let lower = text.to_lowercase();
    let meant = lower.rsplit_once(":db:").map_or(lower.as_str(), |(_, name)| name);
    let hint = if fits(meant) { did_you_mean(meant) } else { String::new() };
    let message = format!(
        "{} is not the identifier of an instance: write up to 63 lower-case letters, digits and single hyphens{hint}",
        quoted(text)
    );
    Err(Refusal::new(Rule::MalformedIdentifier, message))
}

/// First a letter, hyphens only between others.
fn words(text: &str, known: impl Fn(u8) -> bool) -> bool {
    text.bytes().next().is_some_and(|first| first.is_ascii_alphabetic())
        && text.split('-').all(|part| !part.is_empty() && part.bytes().all(&known))
}

fn moment(text: &str) -> Result<Timestamp, Refusal> {
    text.parse().map_err(|_| {
        let message = format!(
            "{} is not a moment: write date, time and offset from UTC, such as \"2026-03-29T10:15:00Z\"",
            quoted(text)
        );
        Refusal::new(Rule::MalformedTime, message)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{DefaultVersions, Desired, defaults, parse};
    use super::*;

    fn parsed(spec: &Value) -> Result<Desired, Vec<String>> {
        let spec = defaults(spec, None, DefaultVersions::BUILT_IN);
        parse("orders", &spec).map_err(|violations| violations.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn an_origin_is_a_snapshot_or_a_moment() {
        let moment = |database: Option<&str>, time: Option<&str>| RestoreFrom::PointInTime {
            database: database.map(str::to_owned),
            time: time.map(|time| time.parse().unwrap()),
        };
        for (written, wanted) in [
            (json!(null), None),
            (json!({"snapshot": "orders-final-1"}), Some(RestoreFrom::Snapshot("orders-final-1".into()))),
            (
                json!({"snapshot": "rds:orders-2026-03-29-03-07", "pointInTime": null}),
                Some(RestoreFrom::Snapshot("rds:orders-2026-03-29-03-07".into())),
            ),
            (json!({"pointInTime": {}}), Some(moment(None, None))),
            (
                json!({"pointInTime": {"database": "orders", "time": "2026-03-29T12:15:00+02:00"}}),
                Some(moment(Some("orders"), Some("2026-03-29T10:15:00Z"))),
            ),
        ] {
            assert_eq!(parsed(&json!({"restoreFrom": written})).unwrap().restore_from, wanted, "{written}");
        }
        assert_eq!(parsed(&json!({"adopt": "legacy-orders"})).unwrap().adopt.as_deref(), Some("legacy-orders"));
    }

    #[test]
    fn i10_nothing_but_a_name_reaches_a_snapshot_or_an_instance() {
        let arn = "arn:aws:rds:eu-central-1:000000000000:snapshot:orders-final-1";
        for (spec, said) in [
            (json!({"restoreFrom": {}}), "spec.restoreFrom: names nothing"),
            (json!({"restoreFrom": {"snapshot": "a", "pointInTime": {}}}), "names both"),
            (json!({"restoreFrom": {"snapshot": arn}}), "did you mean \"orders-final-1\"?"),
            (json!({"restoreFrom": {"snapshot": "a--b"}}), "is not the name of a snapshot"),
            (json!({"restoreFrom": {"snapshot": "rds:"}}), "is not the name of a snapshot"),
            (json!({"restoreFrom": {"dbSnapshotIdentifier": "a"}}), "did you mean \"snapshot\"?"),
            (json!({"restoreFrom": "a"}), "must be a map such as {snapshot: orders-before}"),
            (
                json!({"restoreFrom": {"pointInTime": {"database": "shop/orders"}}}),
                "spec.restoreFrom.pointInTime.database",
            ),
            (json!({"restoreFrom": {"pointInTime": {"time": "yesterday"}}}), "\"yesterday\" is not a moment"),
            (json!({"restoreFrom": {"pointInTime": {"time": "2026-03-29T10:15:00"}}}), "is not a moment"),
            (json!({"adopt": "Legacy"}), "did you mean \"legacy\"?"),
            (json!({"adopt": "arn:aws:rds:eu-central-1:000000000000:db:legacy"}), "did you mean \"legacy\"?"),
            (json!({"adopt": "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ"}), "is not the identifier of an instance"),
            (json!({"adopt": "legacy", "restoreFrom": {"snapshot": "a"}}), "spec.adopt: is written beside"),
        ] {
            let refused = parsed(&spec).expect_err("it is refused");
            assert!(refused.iter().any(|message| message.contains(said)), "{spec}: {refused:?}");
        }
    }
}
