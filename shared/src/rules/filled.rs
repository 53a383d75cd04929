//! A map with what is filled in for the keys that were left out, without a copy of it.

use std::borrow::Cow;

use serde_json::Value;

use super::raw::field;

/// A key and the value it gets.
pub(super) type Addition<'a> = (&'static str, Cow<'a, Value>);

/// A map as it was written, which may be null, and what is added to it.
#[derive(Clone, Copy)]
pub(super) struct Filled<'a> {
    pub(super) written: &'a Value,
    pub(super) added: &'a [Addition<'a>],
}

impl<'a> Filled<'a> {
    /// The value of a key, unless it is absent or null and nothing is filled in.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        let added = || self.added.iter().find(|(added, _)| *added == key).map(|(_, value)| value.as_ref());
        field(self.written, key).or_else(added)
    }
}
