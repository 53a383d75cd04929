//! Reading raw JSON in which null means absent.

use serde_json::{Map, Value};

/// The keys of a specification, in the order of its documentation.
pub(super) const KEYS: [&str; 12] = [
    "type",
    "version",
    "size",
    "masteruser",
    "users",
    "databases",
    "backup",
    "className",
    "instanceClass",
    "deletionPolicy",
    "deletionProtection",
    "paused",
];

/// The keys of `spec.backup`.
pub(super) const BACKUP_KEYS: [&str; 2] = ["every", "retention"];

/// What other tools call these keys, in lower case.
pub(super) const KEYS_ELSEWHERE: [(&str, &str); 14] = [
    ("engine", "type"),
    ("engineversion", "version"),
    ("storage", "size"),
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

/// What other tools call the keys of `spec.backup`, in lower case.
pub(super) const BACKUP_KEYS_ELSEWHERE: [(&str, &str); 5] = [
    ("interval", "every"),
    ("frequency", "every"),
    ("schedule", "every"),
    ("retentionperiod", "retention"),
    ("keep", "retention"),
];

/// The value of a key, unless it is absent or null.
pub(super) fn present<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    map.get(key).filter(|value| !value.is_null())
}

/// The value of a key of something that may be no map at all.
pub(super) fn field<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    present(value.as_object()?, key)
}

/// The keys of a map whose values are null.
pub(super) fn null_keys<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a str> {
    let entries = field(value, key).and_then(Value::as_object);
    entries.into_iter().flatten().filter(|(_, value)| value.is_null()).map(|(key, _)| key.as_str())
}
