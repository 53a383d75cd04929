//! What a specification leaves out.

use serde_json::{Map, Value};

use super::Engine;
use super::raw::{BACKUP_KEYS, field, present};

/// The engine of a specification that names none.
const ENGINE: &str = "Postgresql";
/// The size of a specification that names none.
const SIZE: &str = "10GB";
/// The master user of a specification that names none.
pub(crate) const MASTER_USER: &str = "sysadmin";
const BACKUP_EVERY: &str = "24h";
const BACKUP_RETENTION: &str = "7d";

/// Top-level keys that keep the old object's value when they leave the manifest.
///
/// Not among them: `paused`, which people end by removing it, and `deletionPolicy`, where keeping an old `Delete`
/// nobody sees any more would cost the final snapshot.
const CARRIED: [&str; 9] =
    ["type", "version", "size", "masteruser", "users", "databases", "className", "instanceClass", "deletionProtection"];

/// Longest value that is told whole, so that a warning keeps its length.
const SHORT: usize = 40;

/// The version of a specification that names none.
pub(crate) const fn default_version(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgresql => "12",
        Engine::MySql => "8.4",
    }
}

/// The specification with what it leaves out: on update the old object's values, then the defaults.
///
/// Only keys that are absent or null are written: on the top level, and `every` and `retention` in `backup`. What
/// was written is never changed, a value of the wrong type included. Idempotent.
pub fn defaults(spec: &Value, old_spec: Option<&Value>) -> Value {
    let mut map = match spec {
        Value::Null => Map::new(),
        Value::Object(map) => map.clone(),
        other => return other.clone(),
    };
    for (key, value) in carried(spec, old_spec) {
        map.insert(key.to_owned(), value.clone());
    }

    // The type comes first, as the version's default depends on it.
    for key in ["type", "version", "size", "masteruser"] {
        let engine = present(&map, "type").and_then(engine);
        add(&mut map, key, default(engine, key));
    }
    add_backup(&mut map, old_spec.and_then(|old| field(old, "backup")));
    Value::Object(map)
}

/// What stands for a key that is left out, if anything does. A type that is none leaves the version open: the refusal of
/// the type is what helps.
fn default(engine: Option<Engine>, key: &str) -> Option<&'static str> {
    match key {
        "type" => Some(ENGINE),
        "version" => engine.map(default_version),
        "size" => Some(SIZE),
        "masteruser" => Some(MASTER_USER),
        "every" => Some(BACKUP_EVERY),
        "retention" => Some(BACKUP_RETENTION),
        _ => None,
    }
}

fn engine(value: &Value) -> Option<Engine> {
    Engine::parse(value.as_str()?).ok()
}

/// A field that left the manifest, and the value it keeps, which is not what its absence means elsewhere.
pub(super) struct Kept<'a> {
    /// Path of the field.
    pub(super) field: String,
    value: &'a Value,
}

impl Kept<'_> {
    /// What became of the field, as the rest of a sentence that begins with it.
    pub(super) fn story(&self) -> String {
        let value = match self.value {
            Value::String(text) if text.len() <= SHORT && text.chars().all(|c| c.is_ascii_graphic()) => text.clone(),
            Value::Number(_) | Value::Bool(_) => self.value.to_string(),
            _ => "its value".to_owned(),
        };
        format!("left the manifest and keeps {value}")
    }

    /// Whether a path is this field's or leads into it.
    pub(super) fn holds(&self, path: &str) -> bool {
        path.strip_prefix(&self.field).is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '.']))
    }
}

/// The fields that [`defaults`] takes from the old object, where that makes a difference.
pub(super) fn kept<'a>(spec: &Value, old_spec: &'a Value) -> Vec<Kept<'a>> {
    let engine = field(spec, "type").or_else(|| field(old_spec, "type")).map_or(Engine::parse(ENGINE).ok(), engine);
    let top = carried(spec, Some(old_spec)).map(|(key, value)| (key, format!("spec.{key}"), value));
    let backup = BACKUP_KEYS.into_iter().filter_map(|key| {
        let old = field(field(old_spec, "backup")?, key)?;
        let lost = match field(spec, "backup") {
            Some(Value::Object(backup)) => present(backup, key).is_none(),
            // A backup that is no map is refused as it is.
            Some(_) => false,
            None => true,
        };
        lost.then(|| (key, format!("spec.backup.{key}"), old))
    });
    top.chain(backup)
        .filter(|(key, _, value)| match (*key, value) {
            ("users" | "databases", Value::Object(entries)) => !entries.is_empty(),
            ("deletionProtection", Value::Bool(protected)) => *protected,
            (key, Value::String(text)) => default(engine, key) != Some(text.as_str()),
            _ => true,
        })
        .map(|(_, field, value)| Kept { field, value })
        .collect()
}

/// The top-level keys that left the manifest, with the values they keep.
fn carried<'a>(spec: &Value, old_spec: Option<&'a Value>) -> impl Iterator<Item = (&'static str, &'a Value)> {
    CARRIED.into_iter().filter_map(move |key| match field(spec, key) {
        Some(_) => None,
        None => Some((key, field(old_spec?, key)?)),
    })
}

fn add_backup(map: &mut Map<String, Value>, old_backup: Option<&Value>) {
    let backup = map.entry("backup").or_insert(Value::Null);
    if backup.is_null() {
        *backup = Value::Object(Map::new());
    }
    let Value::Object(backup) = backup else { return };
    for key in BACKUP_KEYS {
        if present(backup, key).is_none()
            && let Some(kept) = old_backup.and_then(|old| field(old, key))
        {
            backup.insert(key.to_owned(), kept.clone());
        }
        add(backup, key, default(None, key));
    }
}

fn add(map: &mut Map<String, Value>, key: &str, default: Option<&str>) {
    if let Some(default) = default
        && present(map, key).is_none()
    {
        map.insert(key.to_owned(), Value::from(default));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_becomes_a_postgresql_12() {
        let expected = json!({
            "type": "Postgresql", "version": "12", "size": "10GB", "masteruser": "sysadmin",
            "backup": {"every": "24h", "retention": "7d"},
        });
        for spec in [json!(null), json!({}), json!({"size": null, "backup": null}), json!({"backup": {"every": null}})]
        {
            assert_eq!(defaults(&spec, None), expected, "{spec}");
        }
    }

    #[test]
    fn the_version_follows_the_type() {
        assert_eq!(defaults(&json!({"type": "mysql"}), None)["version"], "8.4");
        assert_eq!(defaults(&json!({"type": "oracle"}), None).get("version"), None);
        assert_eq!(defaults(&json!({"type": 7}), None).get("version"), None);
    }

    #[test]
    fn what_is_written_stays() {
        let spec = json!({
            "type": "postgresql", "version": 15, "size": 7, "masteruser": "", "backup": {"every": "6h", "x": 1},
            "users": {"a": null}, "unknown": true,
        });
        let defaulted = defaults(&spec, None);
        for key in ["type", "version", "size", "masteruser", "users", "unknown"] {
            assert_eq!(defaulted[key], spec[key]);
        }
        assert_eq!(defaulted["backup"], json!({"every": "6h", "x": 1, "retention": "7d"}));
        assert_eq!(defaults(&json!({"backup": "daily"}), None)["backup"], "daily");
        assert_eq!(defaults(&json!("text"), None), "text");
    }

    #[test]
    fn a_key_that_left_the_manifest_keeps_its_value() {
        let old = json!({
            "type": "mysql", "version": "8.0", "size": "100GB", "masteruser": "root_of_all", "users": {"a": []},
            "databases": {"d": ["a"]}, "className": "gold", "instanceClass": "db.r6g.large", "deletionProtection": true,
            "backup": {"every": "6h", "retention": "30d"},
        });
        assert_eq!(defaults(&json!({}), Some(&old)), old);
        assert_eq!(
            defaults(&json!({"backup": {"every": "12h"}}), Some(&old))["backup"],
            json!({"every": "12h", "retention": "30d"})
        );
        assert_eq!(defaults(&json!({"users": {}}), Some(&old))["users"], json!({}));
    }

    #[test]
    fn pauses_and_deletion_policies_end_with_their_line() {
        let old = json!({"paused": true, "deletionPolicy": "Delete"});
        let new = defaults(&json!({}), Some(&old));
        assert_eq!((new.get("paused"), new.get("deletionPolicy")), (None, None));
    }

    #[test]
    fn odd_old_objects_do_no_harm() {
        for old in [json!(null), json!(3), json!({"backup": 3}), json!({"type": null})] {
            assert_eq!(defaults(&json!({}), Some(&old)), defaults(&json!({}), None), "{old}");
        }
    }
}
