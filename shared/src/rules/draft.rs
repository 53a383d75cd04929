//! Parsing a specification, with every violation collected.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::interval::Interval;
use super::name::check_object_name;
use super::quote::{described, quoted, suggestion};
use super::raw::{BACKUP_KEYS, BACKUP_KEYS_ELSEWHERE, KEYS, KEYS_ELSEWHERE, present};
use super::reader::{ENTRY_LIMIT, Reader, keyed};
use super::violations::Violations;
use super::words::{check_class_name, check_instance_class, parse_deletion_policy};
use super::{
    Backup, DatabaseName, Desired, Engine, EngineVersion, Refusal, RoleFlags, RoleName, Rule, Size, Violation,
};
use crate::api::DeletionPolicy;

/// Most role flags of one user that are looked at: each word and its opposite.
const FLAG_LIMIT: usize = 2 * RoleFlags::WORDS.len();

/// What the reconciler works on: the parsed form of a specification to which [`super::defaults`] were applied.
///
/// # Errors
/// Every violation, in the order of the fields.
pub fn parse(name: &str, spec: &Value) -> Result<Desired, Vec<Violation>> {
    let (draft, violations) = read(spec);
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

/// The fields of a specification that could be parsed.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    pub(super) engine: Option<Engine>,
    pub(super) version: Option<EngineVersion>,
    pub(super) size: Option<Size>,
    pub(super) master_user: Option<RoleName>,
    pub(super) users: BTreeMap<RoleName, RoleFlags>,
    pub(super) databases: BTreeMap<DatabaseName, BTreeSet<RoleName>>,
    pub(super) every: Option<Interval>,
    pub(super) retention_days: Option<u8>,
    pub(super) class_name: Option<String>,
    pub(super) instance_class: Option<String>,
    pub(super) deletion_policy: Option<DeletionPolicy>,
    pub(super) deletion_protection: bool,
    pub(super) paused: bool,
}

impl Draft {
    fn finish(self) -> Option<Desired> {
        Some(Desired {
            engine: self.engine?,
            version: self.version?,
            size: self.size?,
            master_user: self.master_user?,
            users: self.users,
            databases: self.databases,
            backup: Backup { every: self.every?, retention_days: self.retention_days? },
            class_name: self.class_name,
            instance_class: self.instance_class,
            deletion_policy: self.deletion_policy,
            deletion_protection: self.deletion_protection,
            paused: self.paused,
        })
    }
}

/// Reads a specification whose defaults are in place.
pub(super) fn read(spec: &Value) -> (Draft, Violations) {
    let mut reader = Reader::default();
    let draft = reader.spec(spec);
    (draft, reader.violations)
}

impl Reader {
    fn spec(&mut self, spec: &Value) -> Draft {
        let empty = Map::new();
        let map = match spec {
            Value::Null => &empty,
            Value::Object(map) => map,
            other => {
                self.refuse("spec", Rule::WrongType, format!("must be a map of fields, not {}", described(other)));
                return Draft::default();
            }
        };
        let engine = self.text(map, "spec.type", "type").and_then(|text| self.take("spec.type", Engine::parse(text)));
        if present(map, "type").is_none() {
            self.missing("spec.type");
        }
        // Names and versions are judged as PostgreSQL's while the type is not known; a version is not judged at all.
        let named_by = engine.unwrap_or(Engine::Postgresql);
        let version = engine.and_then(|engine| self.version(engine, map));
        let size = self
            .quantity(map, "spec.size", "size", ("GB", Rule::MalformedSize))
            .and_then(|text| self.take("spec.size", Size::parse(text)));
        let master_user = self
            .required_text(map, "spec.masteruser", "masteruser")
            .and_then(|text| self.take("spec.masteruser", RoleName::parse_master(named_by, text)));
        let (users, declared) = self.users(named_by, map, master_user.as_ref());
        let databases = self.databases(named_by, map, &users, &declared, master_user.as_ref());
        let (every, retention_days) = self.backup(map);
        let class_name = self
            .text(map, "spec.className", "className")
            .and_then(|text| self.take("spec.className", check_class_name(text)));
        let instance_class = self
            .text(map, "spec.instanceClass", "instanceClass")
            .and_then(|text| self.take("spec.instanceClass", check_instance_class(text)));
        let deletion_policy = self
            .text(map, "spec.deletionPolicy", "deletionPolicy")
            .and_then(|text| self.take("spec.deletionPolicy", parse_deletion_policy(text)));
        let deletion_protection = self.boolean(map, "deletionProtection");
        let paused = self.boolean(map, "paused");
        self.unknown_keys("spec", map, &KEYS, &KEYS_ELSEWHERE);
        Draft {
            engine,
            version,
            size,
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

    fn version(&mut self, engine: Engine, map: &Map<String, Value>) -> Option<EngineVersion> {
        const FIELD: &str = "spec.version";
        match present(map, "version") {
            None => {
                self.missing(FIELD);
                None
            }
            Some(Value::String(text)) => self.take(FIELD, EngineVersion::parse(engine, text)),
            Some(Value::Number(number)) if number.is_f64() => {
                let message = format!(
                    "{number} without quotes is a number, and 12.10 would be the same as 12.1: quote it, such as \"{number}\""
                );
                self.refuse(FIELD, Rule::UnquotedVersion, message);
                None
            }
            Some(Value::Number(number)) => self.take(FIELD, EngineVersion::parse(engine, &number.to_string())),
            Some(other) => {
                let message = format!("must be a text or a whole number, not {}", described(other));
                self.refuse(FIELD, Rule::WrongType, message);
                None
            }
        }
    }

    /// The users that could be parsed, and all that were declared, parsed or not.
    fn users<'a>(
        &mut self,
        engine: Engine,
        map: &'a Map<String, Value>,
        master_user: Option<&RoleName>,
    ) -> (BTreeMap<RoleName, RoleFlags>, BTreeSet<&'a str>) {
        let mut users = BTreeMap::new();
        let declared = present(map, "users")
            .and_then(Value::as_object)
            .map(|users| users.iter().filter(|(_, flags)| !flags.is_null()).map(|(name, _)| name.as_str()).collect())
            .unwrap_or_default();
        for (key, flags) in self.entries(map, "users", "users") {
            let field = keyed("spec.users", key);
            let name = self.take(&field, RoleName::parse_user(engine, key));
            if name.is_some() && name.as_ref() == master_user {
                let message = format!("{} is the master user already: it is not one of spec.users", quoted(key));
                self.refuse(field.as_str(), Rule::MasterUserInUsers, message);
            }
            if flags.is_null() {
                continue;
            }
            let flags = self.flags(&field, flags);
            if let Some(name) = name {
                users.insert(name, flags);
            }
        }
        (users, declared)
    }

    fn flags(&mut self, field: &str, flags: &Value) -> RoleFlags {
        let mut parsed = RoleFlags::default();
        for (index, word) in self.list(field, flags, FLAG_LIMIT, "role flags, such as [createdb] or []") {
            let field = format!("{field}[{index}]");
            if let Some(word) = self.item(&field, word) {
                self.take(&field, parsed.declare(word));
            }
        }
        parsed
    }

    fn databases(
        &mut self,
        engine: Engine,
        map: &Map<String, Value>,
        users: &BTreeMap<RoleName, RoleFlags>,
        declared: &BTreeSet<&str>,
        master_user: Option<&RoleName>,
    ) -> BTreeMap<DatabaseName, BTreeSet<RoleName>> {
        let mut databases = BTreeMap::new();
        for (key, members) in self.entries(map, "databases", "databases") {
            let field = keyed("spec.databases", key);
            let name = self.take(&field, DatabaseName::parse(engine, key));
            if master_user.is_some_and(|master| master.as_str() == key) {
                let message = format!("{} is the name of the master user: choose another one", quoted(key));
                self.refuse(field.as_str(), Rule::MasterUserAsDatabase, message);
            }
            if members.is_null() {
                continue;
            }
            let mut seen = BTreeSet::new();
            let mut parsed = BTreeSet::new();
            for (index, member) in self.list(&field, members, ENTRY_LIMIT, "users, such as [app]") {
                let field = format!("{field}[{index}]");
                let Some(member) = self.item(&field, member) else { continue };
                if !seen.insert(member) {
                    self.refuse(field.as_str(), Rule::RepeatedMember, format!("{} is listed twice", quoted(member)));
                } else if let Some((name, _)) = users.get_key_value(member) {
                    parsed.insert(name.clone());
                } else if master_user.is_some_and(|master| master.as_str() == member) {
                    let message =
                        format!("{} is the master user, who may work in every database anyway", quoted(member));
                    self.refuse(field.as_str(), Rule::MasterUserAsMember, message);
                } else if !declared.contains(member) {
                    match self.violations.full() {
                        true => self.violations.count(),
                        false => self.violations.push(undeclared(engine, map, member, declared).at(field)),
                    }
                }
            }
            if let Some(name) = name {
                databases.insert(name, parsed);
            }
        }
        databases
    }

    fn backup(&mut self, map: &Map<String, Value>) -> (Option<Interval>, Option<u8>) {
        let backup = match present(map, "backup") {
            None => {
                self.missing("spec.backup");
                return (None, None);
            }
            Some(Value::Object(backup)) => backup,
            Some(other) => {
                let message = format!("must be a map such as {{every: 24h, retention: 7d}}, not {}", described(other));
                self.refuse("spec.backup", Rule::WrongType, message);
                return (None, None);
            }
        };
        let every = self
            .quantity(backup, "spec.backup.every", "every", ("h", Rule::MalformedDuration))
            .and_then(|text| self.take("spec.backup.every", Interval::parse_every(text)));
        let retention = self
            .quantity(backup, "spec.backup.retention", "retention", ("d", Rule::MalformedDuration))
            .and_then(|text| self.take("spec.backup.retention", Interval::parse_retention(text)));
        self.unknown_keys("spec.backup", backup, &BACKUP_KEYS, &BACKUP_KEYS_ELSEWHERE);
        (every, retention)
    }
}

fn undeclared(engine: Engine, map: &Map<String, Value>, member: &str, declared: &BTreeSet<&str>) -> Refusal {
    let null = present(map, "users").and_then(|users| users.get(member)).is_some_and(Value::is_null);
    if null {
        let message = format!("{} is null in spec.users, which means absent: write {member}: [] there", quoted(member));
        return Refusal::new(Rule::UserIsNull, message);
    }
    let hint = match suggestion(member, declared.iter().copied()) {
        none if none.is_empty() && RoleName::parse_user(engine, member).is_ok() => {
            format!("; to add the user, write {member}: [] there")
        }
        hint => hint,
    };
    Refusal::new(Rule::UserNotDeclared, format!("{} is not in spec.users{hint}", quoted(member)))
}
