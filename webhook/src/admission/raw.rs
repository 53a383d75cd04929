//! The shapes of a review with every value still unread, so that one wrong value spoils no other. Keys that are not named are skipped.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::review::Malformed;

/// A review whose objects are of the shape `O`: unread, or read as they should be.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "O: Deserialize<'de>"))]
pub(super) struct RawReview<'a, O> {
    #[serde(borrow)]
    pub(super) api_version: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) kind: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) request: Option<Keyed<RawRequest<'a, O>>>,
}

/// A review with its request unread: what is left to say where [`RawReview`] is not to be had.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "the fields are there so that repeated ones are noticed")]
pub(super) struct Outline<'a> {
    #[serde(borrow)]
    api_version: Option<&'a RawValue>,
    #[serde(borrow)]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    request: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "O: Deserialize<'de>"))]
pub(super) struct RawRequest<'a, O> {
    #[serde(borrow)]
    pub(super) uid: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) kind: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) sub_resource: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) name: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) namespace: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) operation: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) user_info: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) dry_run: Option<&'a RawValue>,
    pub(super) object: Option<O>,
    pub(super) old_object: Option<O>,
}

#[derive(Deserialize)]
pub(super) struct UserInfo {
    pub(super) username: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct RawObject<'a> {
    #[serde(borrow)]
    pub(super) metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) spec: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) status: Option<&'a RawValue>,
}

/// An object that is read on the way, in one pass over its bytes.
#[derive(Deserialize)]
pub(super) struct ReadObject<'a> {
    #[serde(borrow)]
    pub(super) metadata: Option<Keyed<RawMetadata<'a>>>,
    pub(super) spec: Option<Value>,
    #[serde(borrow)]
    pub(super) status: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawStatus<'a> {
    #[serde(borrow)]
    pub(super) instance: Option<&'a RawValue>,
    #[serde(borrow, rename = "allocatedStorageGiB")]
    pub(super) allocated: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) engine_version: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Instance {
    #[serde(default)]
    pub(super) created: bool,
    pub(super) master_user: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawMetadata<'a> {
    #[serde(borrow)]
    pub(super) name: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) generate_name: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) deletion_timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) annotations: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct RawAnnotations<'a> {
    #[serde(borrow, rename = "kubectl.kubernetes.io/last-applied-configuration")]
    pub(super) last_applied: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct Applied {
    pub(super) spec: Option<Value>,
}

#[derive(Deserialize)]
pub(super) struct Kind {
    #[serde(default)]
    pub(super) group: String,
    pub(super) kind: String,
}

/// A struct that is read from an object only: serde reads one from an array as well.
pub(super) struct Keyed<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Keyed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Keys(PhantomData))
    }
}

struct Keys<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Keys<T> {
    type Value = Keyed<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Keyed)
    }
}

/// The value, where it has the right shape: a text, a truth value or one of the structs above. None is an array, but serde reads a struct
/// from one as well.
pub(super) fn read<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    (!raw.get().starts_with('[')).then(|| serde_json::from_str(raw.get()).ok()).flatten()
}

/// The value where there is one, which then has to have the right shape.
pub(super) fn optional<'a, T: Deserialize<'a>>(
    raw: Option<&'a RawValue>,
    path: impl FnOnce() -> String,
    expected: &'static str,
) -> Result<Option<T>, Malformed> {
    match raw {
        None => Ok(None),
        Some(raw) => read(raw).map(Some).ok_or_else(|| Malformed::Field { path: path(), expected }),
    }
}

/// A text that is not empty: the API writes an absent text as "".
pub(super) fn text(raw: Option<&RawValue>, path: impl FnOnce() -> String) -> Result<Option<String>, Malformed> {
    let text: Option<String> = optional(raw, path, "a string")?;
    Ok(text.filter(|text| !text.is_empty()))
}
