//! Reading raw JSON in which null means absent.

use serde_json::{Map, Value};

/// The value of a key, unless it is absent or null.
pub(super) fn present<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    map.get(key).filter(|value| !value.is_null())
}

/// The value of a key of something that may be no map at all.
pub(super) fn field<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    present(value.as_object()?, key)
}

/// The map that is the value of a key, if it is one.
pub(super) fn entries<'a>(value: &'a Value, key: &str) -> Option<&'a Map<String, Value>> {
    field(value, key).and_then(Value::as_object)
}

/// The keys of a map whose values are null.
pub(super) fn null_keys(map: &Map<String, Value>) -> impl Iterator<Item = &str> {
    map.iter().filter(|(_, value)| value.is_null()).map(|(key, _)| key.as_str())
}

/// Whether a map has a key whose value is null.
pub(super) fn is_null(map: &Map<String, Value>, key: &str) -> bool {
    map.get(key).is_some_and(Value::is_null)
}
