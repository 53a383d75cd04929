//! What a specification leaves out.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::filled::{Addition, Filled};
use super::raw::field;
use super::{DefaultVersions, Engine};
use crate::api::{Backup, Fields};

/// The engine of a specification that names none.
pub(super) const ENGINE: &str = "Postgresql";
/// The size of a specification that names none.
const SIZE: &str = "10GB";
/// The master user of a specification that names none.
pub(crate) const MASTER_USER: &str = "sysadmin";
const BACKUP_EVERY: &str = "24h";
const BACKUP_RETENTION: &str = "7d";

/// Top-level keys that do not keep the old object's value when they leave the manifest: `paused` and `applyImmediately`, which people end by
/// removing them, `allowMajorVersionUpgrade`, a word for one upgrade that the next one needs anew, and `deletionPolicy`, where keeping an old `Delete` nobody sees any more would cost the final snapshot. `backup` keeps what it has key by key.
const NOT_CARRIED: [&str; 5] = ["allowMajorVersionUpgrade", "applyImmediately", "backup", "deletionPolicy", "paused"];

/// The specification with what it leaves out: on update the old object's values, then the defaults, `versions` among them.
///
/// What was written is never changed, a value of the wrong type included. Idempotent.
pub fn defaults(spec: &Value, old_spec: Option<&Value>, versions: DefaultVersions) -> Value {
    additions(spec, old_spec, versions).applied(spec)
}

/// What [`defaults`] adds to a specification: only keys that are absent or null, on the top level and in `backup`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Additions<'a> {
    spec: Vec<Addition<'a>>,
    /// Of a backup that is written; one that is not is an addition as a whole.
    backup: Vec<Addition<'a>>,
}

/// What a specification leaves out.
pub fn additions<'a>(spec: &Value, old_spec: Option<&'a Value>, versions: DefaultVersions) -> Additions<'a> {
    if !(spec.is_null() || spec.is_object()) {
        // Refused as it is.
        return Additions::default();
    }
    let mut added: Vec<Addition<'a>> =
        carried(spec, old_spec).map(|(key, value)| (key, Cow::Borrowed(value))).collect();

    // The type comes first, as the version's default depends on it.
    for key in ["type", "version", "size", "masteruser"] {
        let filled = Filled { written: spec, added: &added };
        if filled.get(key).is_none()
            && let Some(value) = default(filled.get("type").and_then(engine), key, versions)
        {
            added.push((key, Cow::Owned(value.into_owned().into())));
        }
    }
    let old_backup = old_spec.and_then(|old| field(old, "backup"));
    let backup = match field(spec, "backup") {
        Some(backup) if backup.is_object() => backup_additions(backup, old_backup, versions),
        Some(_) => Vec::new(),
        None => {
            let backup = backup_additions(&Value::Null, old_backup, versions);
            let backup: Map<_, _> =
                backup.into_iter().map(|(key, value)| (key.to_owned(), value.into_owned())).collect();
            added.push(("backup", Cow::Owned(backup.into())));
            Vec::new()
        }
    };
    Additions { spec: added, backup }
}

fn backup_additions<'a>(written: &Value, old: Option<&'a Value>, versions: DefaultVersions) -> Vec<Addition<'a>> {
    let absent = Backup::KEYS.into_iter().filter(|key| field(written, key).is_none());
    absent
        .filter_map(|key| {
            let kept = old.and_then(|old| field(old, key)).map(Cow::Borrowed);
            let default = || Some(Cow::Owned(default(None, key, versions)?.into_owned().into()));
            Some((key, kept.or_else(default)?))
        })
        .collect()
}

impl Additions<'_> {
    /// Each path under the specification that gets a value. The parents of all of them are there, but for the
    /// specification itself.
    pub fn iter(&self) -> impl Iterator<Item = (Vec<&'static str>, &Value)> {
        let spec = self.spec.iter().map(|(key, value)| (vec![*key], value.as_ref()));
        let backup = self.backup.iter().map(|(key, value)| (vec!["backup", *key], value.as_ref()));
        spec.chain(backup)
    }

    /// The specification with them.
    pub fn applied(&self, spec: &Value) -> Value {
        let mut map = match spec {
            Value::Null => Map::new(),
            Value::Object(map) => map.clone(),
            other => return other.clone(),
        };
        let add = |map: &mut Map<String, Value>, added: &[Addition<'_>]| {
            map.extend(added.iter().map(|(key, value)| ((*key).to_owned(), value.as_ref().clone())));
        };
        if let Some(Value::Object(backup)) = map.get_mut("backup") {
            add(backup, &self.backup);
        }
        add(&mut map, &self.spec);
        map.into()
    }

    pub(super) fn to_spec<'a>(&'a self, written: &'a Value) -> Filled<'a> {
        Filled { written, added: &self.spec }
    }

    pub(super) fn to_backup<'a>(&'a self, written: &'a Value) -> Filled<'a> {
        Filled { written, added: &self.backup }
    }
}

/// What stands for a key that is left out, if anything does. A type that is none leaves the version open: the refusal of
/// the type is what helps.
pub(super) fn default(engine: Option<Engine>, key: &str, versions: DefaultVersions) -> Option<Cow<'static, str>> {
    let fixed = match key {
        "type" => ENGINE,
        "version" => return engine.map(|engine| versions.of(engine).to_string().into()),
        "size" => SIZE,
        "masteruser" => MASTER_USER,
        "every" => BACKUP_EVERY,
        "retention" => BACKUP_RETENTION,
        _ => return None,
    };
    Some(fixed.into())
}

pub(super) fn engine(value: &Value) -> Option<Engine> {
    Engine::parse(value.as_str()?).ok()
}

/// The top-level keys that left the manifest, with the values they keep.
pub(super) fn carried<'a>(
    spec: &Value,
    old_spec: Option<&'a Value>,
) -> impl Iterator<Item = (&'static str, &'a Value)> {
    let carried = Fields::KEYS.into_iter().filter(|key| !NOT_CARRIED.contains(key));
    carried.filter_map(move |key| match field(spec, key) {
        Some(_) => None,
        None => Some((key, field(old_spec?, key)?)),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn defaults(spec: &Value, old_spec: Option<&Value>) -> Value {
        super::defaults(spec, old_spec, DefaultVersions::BUILT_IN)
    }

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
        let old = json!({"paused": true, "applyImmediately": true, "allowMajorVersionUpgrade": true, "deletionPolicy": "Delete"});
        let new = defaults(&json!({}), Some(&old));
        assert_eq!(NOT_CARRIED.map(|key| new.get(key).filter(|_| key != "backup")), [None; 5]);
    }

    #[test]
    fn odd_old_objects_do_no_harm() {
        for old in [json!(null), json!(3), json!({"backup": 3}), json!({"type": null})] {
            assert_eq!(defaults(&json!({}), Some(&old)), defaults(&json!({}), None), "{old}");
        }
    }

    #[test]
    fn the_platforms_versions_go_before_the_built_in_ones_and_after_the_old_object() {
        let versions = DefaultVersions::given(&["postgresql=17".parse().unwrap()]).unwrap();
        let version = |spec, old: Option<Value>| super::defaults(&spec, old.as_ref(), versions)["version"].clone();
        assert_eq!(version(json!({}), None), "17");
        assert_eq!(version(json!({"version": "15"}), None), "15");
        assert_eq!(version(json!({"type": "mysql"}), None), "8.4");
        assert_eq!(version(json!({}), Some(json!({"version": "12"}))), "12");
    }
}
