//! Tags and parameters in a few words: which they are, and a digest of what they say.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

/// Keys of tags that are named.
const KEYS_TOLD: usize = 8;

/// The first keys of tags, how many more there are, and a digest of their values.
pub(super) fn told(tags: &BTreeMap<String, String>) -> String {
    format!("{} (values {})", some(tags.keys().map(String::as_str)), digest(tags))
}

/// A digest of values.
pub(super) fn digest(values: &BTreeMap<String, String>) -> String {
    let mut digest = hex::encode(Sha256::digest(format!("{values:?}")));
    digest.truncate(8);
    digest
}

/// The first of these keys, and how many more there are.
pub(crate) fn some<'a>(keys: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = keys.len().saturating_sub(KEYS_TOLD);
    let told = keys.take(KEYS_TOLD).collect::<Vec<_>>().join(", ");
    if more == 0 { told } else { format!("{told} and {more} more") }
}
