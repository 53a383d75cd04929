//! What a specification asks for: read with every violation collected, parsed as far as that could be, and whole.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use serde_json::Value;

use super::defaults::Additions;
use super::filled::Filled;
use super::interval::Interval;
use super::name::{DatabaseName, Name, RoleName, check_object_name};
use super::path::{Path, SPEC};
use super::people::{Databases, Users};
use super::quote::described;
use super::raw::field;
use super::reader::Reader;
use super::reserved::Place;
use super::violations::Violations;
use super::words::{check_class_name, check_instance_class, parse_deletion_policy};
use super::{Engine, EngineVersion, Refusal, RoleFlags, Rule, Size, Violation};
use crate::api::DeletionPolicy;
use crate::api::database::{self, Fields};

/// What other tools call the keys of a specification, in lower case.
const KEYS_ELSEWHERE: [(&str, &str); 13] = [
    ("engine", "type"),
    ("engineversion", "version"),
    ("capacity", "size"),
    ("disk", "size"),
    ("allocatedstorage", "size"),
    ("username", "masteruser"),
    ("roles", "users"),
    ("dbs", "databases"),
    ("class", "className"),
    ("dbinstanceclass", "instanceClass"),
    ("instancetype", "instanceClass"),
    ("suspend", "paused"),
    ("suspended", "paused"),
];

/// What other tools call the keys of `spec.storage`, in lower case.
const STORAGE_KEYS_ELSEWHERE: [(&str, &str); 3] =
    [("provisionediops", "iops"), ("storagethroughput", "throughput"), ("bandwidth", "throughput")];

/// What other tools call the keys of `spec.backup`, in lower case.
const BACKUP_KEYS_ELSEWHERE: [(&str, &str); 5] = [
    ("interval", "every"),
    ("frequency", "every"),
    ("schedule", "every"),
    ("retentionperiod", "retention"),
    ("keep", "retention"),
];

/// The database an object asks for: a bad value cannot exist in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The engine.
    pub engine: Engine,
    /// The engine's version, of which the minor part may be left to RDS.
    pub version: EngineVersion,
    /// The size that was written; [`Size::allocated`] is what RDS is asked for.
    pub size: Size,
    /// I/O operations a second; none leaves them as they are.
    pub iops: Option<u32>,
    /// Throughput of the storage in MiB/s; none leaves it as it is.
    pub throughput: Option<u32>,
    /// Name of the user that administers the server.
    pub master_user: RoleName,
    /// The users and their flags.
    pub users: BTreeMap<RoleName, RoleFlags>,
    /// The databases and who works in each; all of them are in `users`.
    pub databases: BTreeMap<DatabaseName, BTreeSet<RoleName>>,
    /// How often backups are made and how long they are kept.
    pub backup: Backup,
    /// The `RDSDatabaseClass`; none means the default one.
    pub class_name: Option<String>,
    /// The RDS instance class, such as `db.t4g.micro`; none means the class's.
    pub instance_class: Option<String>,
    /// What becomes of the data when the object is deleted; none means the class's default.
    pub deletion_policy: Option<DeletionPolicy>,
    /// Whether the instance is protected from deletion.
    pub deletion_protection: bool,
    /// Whether the reconciler leaves everything as it is.
    pub paused: bool,
}

/// How often backups are made and how long they are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Time between two backups.
    pub every: Interval,
    /// Days an automated backup is kept: 1 to 35.
    pub retention_days: u8,
}

/// What the reconciler works on: the parsed form of a specification to which [`super::defaults`] were applied.
///
/// # Errors
/// Every violation, in the order of the fields.
pub fn parse(name: &str, spec: &Value) -> Result<Desired, Vec<Violation>> {
    let nothing = Additions::default();
    let (draft, violations) = read(spec, &nothing, HINTS);
    let mut violations = violations.finish();
    if let Err(refusal) = check_object_name(name) {
        violations.insert(0, refusal.at("metadata.name"));
    }
    match draft.finish() {
        Some(desired) if violations.is_empty() => Ok(desired),
        _ if violations.is_empty() => {
            Err(vec![Refusal::new(Rule::DefaultsMissing, "is incomplete: its defaults were not applied").at("spec")])
        }
        _ => Err(violations),
    }
}

/// The fields of a specification that could be parsed, where they were written.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft<'a> {
    pub(super) engine: Option<Engine>,
    pub(super) version: Option<EngineVersion>,
    pub(super) size: Option<Size>,
    pub(super) iops: Option<u32>,
    pub(super) throughput: Option<u32>,
    pub(super) master_user: Option<Name<'a>>,
    pub(super) users: Users<'a>,
    pub(super) databases: Databases<'a>,
    pub(super) every: Option<Interval>,
    pub(super) retention_days: Option<u8>,
    pub(super) class_name: Option<&'a str>,
    pub(super) instance_class: Option<&'a str>,
    pub(super) deletion_policy: Option<DeletionPolicy>,
    pub(super) deletion_protection: bool,
    pub(super) paused: bool,
}

impl Draft<'_> {
    fn finish(self) -> Option<Desired> {
        Some(Desired {
            engine: self.engine?,
            version: self.version?,
            size: self.size?,
            iops: self.iops,
            throughput: self.throughput,
            master_user: self.master_user?.role(),
            users: self.users.into_iter().map(|(name, flags)| (name.role(), flags)).collect(),
            databases: self
                .databases
                .into_iter()
                .map(|(name, members)| (name.database(), members.into_iter().map(Name::role).collect()))
                .collect(),
            backup: Backup { every: self.every?, retention_days: self.retention_days? },
            class_name: self.class_name.map(str::to_owned),
            instance_class: self.instance_class.map(str::to_owned),
            deletion_policy: self.deletion_policy,
            deletion_protection: self.deletion_protection,
            paused: self.paused,
        })
    }
}

/// How many users of databases who are not in `spec.users` are told who was probably meant: each is compared with every user.
pub(super) const HINTS: usize = 10;

/// Reads a specification with what is filled in, and gives at most so many hints that take long to find.
pub(super) fn read<'a>(spec: &'a Value, added: &'a Additions<'_>, hints: usize) -> (Draft<'a>, Violations) {
    let mut reader = Reader { hints, ..Reader::default() };
    let draft = if spec.is_null() || spec.is_object() {
        reader.spec(spec, added)
    } else {
        reader.refuse(&SPEC, Rule::WrongType, format_args!("must be a map of fields, not {}", described(spec)));
        Draft::default()
    };
    (draft, reader.violations)
}

impl Reader {
    fn spec<'a>(&mut self, written: &'a Value, added: &'a Additions<'_>) -> Draft<'a> {
        let spec = added.to_spec(written);
        let engine = self.required_text(&spec, &SPEC, "type");
        let engine = engine.and_then(|text| self.take(&SPEC.field("type"), Engine::parse(text)));
        // Names and versions are judged as PostgreSQL's while the type is not known; a version is not judged at all.
        let named_by = engine.unwrap_or(Engine::Postgresql);
        let version = engine.and_then(|engine| self.version(engine, &spec));
        let size = self.quantity(&spec, &SPEC, "size", ("GB", Rule::MalformedSize));
        let size = size.and_then(|text| self.take(&SPEC.field("size"), Size::parse(text)));
        let (iops, throughput) = self.storage(&spec);
        let master_user = self.required_text(&spec, &SPEC, "masteruser");
        let master_user = master_user
            .and_then(|text| self.take(&SPEC.field("masteruser"), Name::parse(named_by, Place::Master, text)));
        let (users, databases) = self.people(named_by, &spec, master_user);
        let (every, retention_days) = self.backup(&spec, added);
        let class_name = self.text(&spec, &SPEC, "className");
        let class_name = class_name.and_then(|text| self.take(&SPEC.field("className"), check_class_name(text)));
        let instance_class = self.text(&spec, &SPEC, "instanceClass");
        let instance_class =
            instance_class.and_then(|text| self.take(&SPEC.field("instanceClass"), check_instance_class(text)));
        let deletion_policy = self.text(&spec, &SPEC, "deletionPolicy");
        let deletion_policy =
            deletion_policy.and_then(|text| self.take(&SPEC.field("deletionPolicy"), parse_deletion_policy(text)));
        let deletion_protection = self.boolean(&spec, &SPEC, "deletionProtection");
        let paused = self.boolean(&spec, &SPEC, "paused");
        self.unknown_keys(written, &SPEC, &Fields::KEYS, &KEYS_ELSEWHERE);
        Draft {
            engine,
            version,
            size,
            iops,
            throughput,
            master_user,
            users,
            databases,
            every,
            retention_days,
            class_name,
            instance_class,
            deletion_policy,
            deletion_protection,
            paused,
        }
    }

    fn version(&mut self, engine: Engine, spec: &Filled<'_>) -> Option<EngineVersion> {
        let field = SPEC.field("version");
        match self.required(spec, &SPEC, "version")? {
            Value::String(text) => {
                let text = self.bounded(text, &field)?;
                self.take(&field, EngineVersion::parse(engine, text))
            }
            Value::Number(number) if number.is_f64() => {
                let message = format_args!(
                    "{number} without quotes is a number, and 12.10 would be the same as 12.1: quote it, such as \"{number}\""
                );
                self.refuse(&field, Rule::UnquotedVersion, message);
                None
            }
            Value::Number(number) => self.take(&field, EngineVersion::parse(engine, &number.to_string())),
            other => {
                let message = format_args!("must be a text or a whole number, not {}", described(other));
                self.refuse(&field, Rule::WrongType, message);
                None
            }
        }
    }

    fn storage(&mut self, spec: &Filled<'_>) -> (Option<u32>, Option<u32>) {
        let at = SPEC.field("storage");
        let example = "{iops: 12000, throughput: 500} (how large it is stands in spec.size)";
        let Some(written) = spec.get("storage").and_then(|written| self.map(written, &at, example)) else {
            return (None, None);
        };
        let iops = self.number(written, &at, "iops", database::Storage::IOPS);
        let throughput = self.number(written, &at, "throughput", database::Storage::THROUGHPUT);
        self.unknown_keys(written, &at, &database::Storage::KEYS, &STORAGE_KEYS_ELSEWHERE);
        (iops, throughput)
    }

    /// A whole number that may be left out.
    fn number(&mut self, map: &Value, at: &Path<'_>, key: &str, range: RangeInclusive<u32>) -> Option<u32> {
        let value = field(map, key)?;
        let read = value.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|read| range.contains(read));
        if read.is_none() {
            let (least, most) = (range.start(), range.end());
            let message = format_args!("must be a whole number from {least} to {most}, not {}", described(value));
            self.refuse(&at.field(key), Rule::WrongType, message);
        }
        read
    }

    fn backup(&mut self, spec: &Filled<'_>, added: &Additions<'_>) -> (Option<Interval>, Option<u8>) {
        let at = SPEC.field("backup");
        let written = self.required(spec, &SPEC, "backup");
        let written = written.and_then(|written| self.map(written, &at, "{every: 24h, retention: 7d}"));
        let Some(written) = written else { return (None, None) };
        let backup = added.to_backup(written);
        let every = self.quantity(&backup, &at, "every", ("h", Rule::MalformedDuration));
        let every = every.and_then(|text| self.take(&at.field("every"), Interval::parse_every(text)));
        let retention = self.quantity(&backup, &at, "retention", ("d", Rule::MalformedDuration));
        let retention = retention.and_then(|text| self.take(&at.field("retention"), Interval::parse_retention(text)));
        self.unknown_keys(written, &at, &database::Backup::KEYS, &BACKUP_KEYS_ELSEWHERE);
        (every, retention)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{DefaultVersions, defaults};
    use super::*;

    fn parsed(storage: &Value) -> Result<(Option<u32>, Option<u32>), Vec<String>> {
        let spec = defaults(&json!({"storage": storage}), None, DefaultVersions::BUILT_IN);
        match parse("orders", &spec) {
            Ok(desired) => Ok((desired.iops, desired.throughput)),
            Err(violations) => Err(violations.iter().map(ToString::to_string).collect()),
        }
    }

    #[test]
    fn what_is_not_said_of_the_storage_is_left_alone() {
        for (storage, wanted) in [
            (json!(null), (None, None)),
            (json!({}), (None, None)),
            (json!({"iops": null, "throughput": null}), (None, None)),
            (json!({"iops": 1000}), (Some(1000), None)),
            (json!({"throughput": 4000}), (None, Some(4000))),
            (json!({"iops": 256_000, "throughput": 125}), (Some(256_000), Some(125))),
        ] {
            assert_eq!(parsed(&storage), Ok(wanted), "{storage}");
        }
    }

    #[test]
    fn numbers_are_refused_with_what_is_allowed() {
        for (storage, said) in [
            (
                json!("100GB"),
                "spec.storage: must be a map such as {iops: 12000, throughput: 500} (how large it is stands in spec.size), not",
            ),
            (
                json!({"iops": "12000"}),
                "spec.storage.iops: must be a whole number from 1000 to 256000, not the text \"12000\"",
            ),
            (json!({"iops": 12_000.5}), "not the number 12000.5"),
            (json!({"iops": 999}), "spec.storage.iops: must be a whole number from 1000 to 256000, not the number 999"),
            (json!({"iops": -1}), "not the number -1"),
            (json!({"iops": u64::MAX}), "not the number 18446744073709551615"),
            (
                json!({"throughput": 4001}),
                "spec.storage.throughput: must be a whole number from 125 to 4000, not the number 4001",
            ),
            (json!({"size": 1}), "spec.storage.size: is not a field: spec.storage has iops or throughput"),
            (json!({"storageThroughput": 1}), "did you mean \"throughput\"?"),
        ] {
            let refused = parsed(&storage).expect_err("it is refused");
            assert!(matches!(&refused[..], [only] if only.contains(said)), "{storage}: {refused:?}");
        }
    }

    #[test]
    fn storage_that_left_the_manifest_keeps_what_it_had() {
        let old = json!({"storage": {"iops": 13_000, "throughput": 600}});
        let kept = |spec: Value| defaults(&spec, Some(&old), DefaultVersions::BUILT_IN)["storage"].clone();
        assert_eq!(kept(json!({})), old["storage"]);
        assert_eq!(
            kept(json!({"storage": {"iops": 14_000}})),
            json!({"iops": 14_000}),
            "the other is left alone from now on"
        );
        assert_eq!(kept(json!({"storage": {}})), json!({}));
    }
}
