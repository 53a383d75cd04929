//! Parsing a specification, with every violation collected.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::interval::Interval;
use super::name::check_object_name;
use super::quote::{described, one_of, quoted, suggestion};
use super::raw::{BACKUP_KEYS, KEYS, present};
use super::{
    Backup, DatabaseName, Desired, Engine, EngineVersion, Reason, Refusal, RoleFlags, RoleName, Size, Violation,
};
use crate::api::DeletionPolicy;

/// Most users, databases, and users of one database: what the cost budget of the schema's CEL rules allows.
pub(crate) const ENTRY_LIMIT: usize = 500;

/// What the reconciler works on: the parsed form of a specification to which [`super::defaults`] were applied.
///
/// # Errors
/// Every violation, in the order of the fields.
pub fn parse(name: &str, spec: &Value) -> Result<Desired, Vec<Violation>> {
    let (draft, mut violations) = read(spec);
    if let Err(refusal) = check_object_name(name) {
        violations.insert(0, refusal.at("metadata.name"));
    }
    match draft.finish() {
        Some(desired) if violations.is_empty() => Ok(desired),
        _ if violations.is_empty() => {
            Err(vec![Refusal::new(Reason::Required, "is incomplete: its defaults were not applied").at("spec")])
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
pub(super) fn read(spec: &Value) -> (Draft, Vec<Violation>) {
    let mut reader = Reader { violations: Vec::new() };
    let draft = reader.spec(spec);
    (draft, reader.violations)
}

struct Reader {
    violations: Vec<Violation>,
}

impl Reader {
    fn refuse(&mut self, field: impl Into<String>, reason: Reason, message: impl Into<String>) {
        self.violations.push(Refusal::new(reason, message).at(field));
    }

    /// The value of a result; its refusal is kept with the field.
    fn take<T>(&mut self, field: &str, result: Result<T, Refusal>) -> Option<T> {
        result.map_err(|refusal| self.violations.push(refusal.at(field))).ok()
    }

    fn spec(&mut self, spec: &Value) -> Draft {
        let empty = Map::new();
        let map = match spec {
            Value::Null => &empty,
            Value::Object(map) => map,
            other => {
                self.refuse("spec", Reason::Invalid, format!("must be a map of fields, not {}", described(other)));
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
        let size = self.required_text(map, "spec.size", "size").and_then(|text| self.take("spec.size", Size::parse(text)));
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
        self.unknown_keys("spec", map, &KEYS);
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
                    "{number} is a number with a fraction, which YAML would make of 12.10 too (as 12.1): quote it, such as \
                     \"{number}\""
                );
                self.refuse(FIELD, Reason::Invalid, message);
                None
            }
            Some(Value::Number(number)) => self.take(FIELD, EngineVersion::parse(engine, &number.to_string())),
            Some(other) => {
                let message = format!("must be a text or a whole number, not {}", described(other));
                self.refuse(FIELD, Reason::Invalid, message);
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
        let mut declared = BTreeSet::new();
        for (key, flags) in self.entries(map, "users", "users") {
            let field = keyed("spec.users", key);
            declared.insert(key);
            let name = self.take(&field, RoleName::parse_user(engine, key));
            if name.is_some() && name.as_ref() == master_user {
                let message = format!("{} is the master user already: it is not one of spec.users", quoted(key));
                self.refuse(field.as_str(), Reason::Forbidden, message);
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
        for (index, word) in self.list(field, flags, "role flags, such as [createdb] or []") {
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
                self.refuse(field.as_str(), Reason::Forbidden, message);
            }
            let mut seen = BTreeSet::new();
            let mut parsed = BTreeSet::new();
            for (index, member) in self.list(&field, members, "users, such as [app]") {
                let field = format!("{field}[{index}]");
                let Some(member) = self.item(&field, member) else { continue };
                if !seen.insert(member) {
                    self.refuse(field.as_str(), Reason::Duplicate, format!("{} is listed twice", quoted(member)));
                } else if let Some((name, _)) = users.get_key_value(member) {
                    parsed.insert(name.clone());
                } else if master_user.is_some_and(|master| master.as_str() == member) {
                    let message = format!("{} is the master user, who may work in every database anyway", quoted(member));
                    self.refuse(field.as_str(), Reason::Forbidden, message);
                } else if !declared.contains(member) {
                    self.refuse(field.as_str(), Reason::Invalid, undeclared(map, member, declared));
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
                self.refuse("spec.backup", Reason::Invalid, message);
                return (None, None);
            }
        };
        let every = self
            .required_text(backup, "spec.backup.every", "every")
            .and_then(|text| self.take("spec.backup.every", Interval::parse_every(text)));
        let retention = self
            .required_text(backup, "spec.backup.retention", "retention")
            .and_then(|text| self.take("spec.backup.retention", Interval::parse_retention(text)));
        self.unknown_keys("spec.backup", backup, &BACKUP_KEYS);
        (every, retention)
    }

    /// The entries of a map that are not null; null means absent.
    fn entries<'a>(&mut self, map: &'a Map<String, Value>, key: &str, what: &str) -> Vec<(&'a str, &'a Value)> {
        let field = format!("spec.{key}");
        match present(map, key) {
            None => Vec::new(),
            Some(Value::Object(entries)) => {
                if entries.len() > ENTRY_LIMIT {
                    let message = format!("has {} {what}: at most {ENTRY_LIMIT} are allowed", entries.len());
                    self.refuse(field, Reason::TooLong, message);
                }
                entries.iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.as_str(), value)).collect()
            }
            Some(other) => {
                let message = format!("must be a map from the names of {what} to lists, not {}", described(other));
                self.refuse(field, Reason::Invalid, message);
                Vec::new()
            }
        }
    }

    fn list<'a>(&mut self, field: &str, value: &'a Value, what: &str) -> Vec<(usize, &'a Value)> {
        let Value::Array(items) = value else {
            self.refuse(field, Reason::Invalid, format!("must be a list of {what}, not {}", described(value)));
            return Vec::new();
        };
        if items.len() > ENTRY_LIMIT {
            let message = format!("has {} entries: at most {ENTRY_LIMIT} are allowed", items.len());
            self.refuse(field, Reason::TooLong, message);
        }
        items.iter().enumerate().collect()
    }

    fn item<'a>(&mut self, field: &str, value: &'a Value) -> Option<&'a str> {
        if value.is_string() {
            return value.as_str();
        }
        self.refuse(field, Reason::Invalid, format!("must be a text, not {}", described(value)));
        None
    }

    fn text<'a>(&mut self, map: &'a Map<String, Value>, field: &str, key: &str) -> Option<&'a str> {
        let value = present(map, key)?;
        if let (Value::Number(number), "spec.size") = (value, field) {
            let message = format!("{number} has no unit: write {}", quoted(&format!("{number}GB")));
            self.refuse(field, Reason::Invalid, message);
            return None;
        }
        self.item(field, value)
    }

    fn required_text<'a>(&mut self, map: &'a Map<String, Value>, field: &str, key: &str) -> Option<&'a str> {
        if present(map, key).is_none() {
            self.missing(field);
        }
        self.text(map, field, key)
    }

    fn missing(&mut self, field: &str) {
        self.refuse(field, Reason::Required, "is missing");
    }

    fn boolean(&mut self, map: &Map<String, Value>, key: &str) -> bool {
        match present(map, key) {
            None => false,
            Some(Value::Bool(value)) => *value,
            Some(other) => {
                let message = format!("must be true or false, without quotes, not {}", described(other));
                self.refuse(format!("spec.{key}"), Reason::Invalid, message);
                false
            }
        }
    }

    fn unknown_keys(&mut self, prefix: &str, map: &Map<String, Value>, known: &[&str]) {
        for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
            let hint = match key.to_lowercase().as_str() {
                "engine" => "; did you mean \"type\"?".to_owned(),
                "storage" | "capacity" | "disk" => "; did you mean \"size\"?".to_owned(),
                _ => suggestion(key, known.iter().copied()),
            };
            let field = format!("{prefix}.{}", shown(key));
            let message = format!("is not a field: {prefix} has {}{hint}", one_of(known.iter().copied()));
            self.refuse(field, Reason::NotSupported, message);
        }
    }
}

/// A key as it stands in a path: short, and without characters that would disguise the rest.
fn shown(key: &str) -> String {
    quoted(key).trim_matches('"').to_owned()
}

pub(super) fn keyed(prefix: &str, key: &str) -> String {
    format!("{prefix}[{}]", shown(key))
}

fn undeclared(map: &Map<String, Value>, member: &str, declared: &BTreeSet<&str>) -> String {
    let null = present(map, "users").and_then(|users| users.get(member)).is_some_and(Value::is_null);
    if null {
        return format!("{} is null in spec.users, which means absent: write {member}: [] there", quoted(member));
    }
    format!("{} is not in spec.users{}", quoted(member), suggestion(member, declared.iter().copied()))
}

fn check_class_name(text: &str) -> Result<String, Refusal> {
    let part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    if text.len() <= 253 && text.split('.').all(part) {
        return Ok(text.to_owned());
    }
    Err(Refusal::new(
        Reason::Invalid,
        format!("{} cannot be the name of an RDSDatabaseClass: write lower-case letters, digits, - and .", quoted(text)),
    ))
}

fn check_instance_class(text: &str) -> Result<String, Refusal> {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let mut parts = text.split('.');
    if text.len() <= 64 && parts.next() == Some("db") && parts.clone().count() >= 2 && parts.all(part) {
        return Ok(text.to_owned());
    }
    let with_prefix = format!("db.{text}");
    let hint = match text.split('.').count() {
        2 if text.split('.').all(part) => format!("; did you mean {}?", quoted(&with_prefix)),
        _ => String::new(),
    };
    Err(Refusal::new(
        Reason::Invalid,
        format!("{} is not an RDS instance class: write one such as db.t4g.micro{hint}", quoted(text)),
    ))
}

fn parse_deletion_policy(text: &str) -> Result<DeletionPolicy, Refusal> {
    text.parse().map_err(|_| {
        let policies = DeletionPolicy::ALL.map(DeletionPolicy::as_str);
        Refusal::new(
            Reason::NotSupported,
            format!(
                "{} is not a deletion policy: write {}{}",
                quoted(text),
                one_of(policies),
                suggestion(text, policies)
            ),
        )
    })
}
