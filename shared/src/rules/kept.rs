//! Fields that left the manifest and keep their values.

use serde_json::Value;

use super::defaults::{ENGINE, carried, default, engine};
use super::raw::{field, present};
use super::{DefaultVersions, Engine};
use crate::api::Backup;

/// Longest value that is told whole, so that a warning keeps its length.
const SHORT: usize = 40;

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
pub(super) fn kept<'a>(spec: &Value, old_spec: &'a Value, versions: DefaultVersions) -> Vec<Kept<'a>> {
    let engine = field(spec, "type").or_else(|| field(old_spec, "type")).map_or(Engine::parse(ENGINE).ok(), engine);
    let top = carried(spec, Some(old_spec)).map(|(key, value)| (key, format!("spec.{key}"), value));
    let backup = Backup::KEYS.into_iter().filter_map(|key| {
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
            (key, Value::String(text)) => default(engine, key, versions).as_deref() != Some(text),
            _ => true,
        })
        .map(|(_, field, value)| Kept { field, value })
        .collect()
}
