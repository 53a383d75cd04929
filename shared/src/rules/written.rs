//! What an author wrote, as far as it can be told: nobody is warned of a value that was filled in.

use serde_json::Value;

use super::DefaultVersions;
use super::defaults::{default, engine};
use super::raw::field;

/// Where to look for what was written.
#[derive(Clone, Copy)]
pub(super) enum Written<'a> {
    /// A specification before anything is filled in.
    Asked(&'a Value),
    /// One in which everything is filled in, perhaps: who asked before was told already of what is the same as that.
    Complete { spec: &'a Value, old_spec: Option<&'a Value>, versions: DefaultVersions },
}

impl Written<'_> {
    /// Whether the author wrote this top-level key.
    pub(super) fn has(&self, key: &str) -> bool {
        match *self {
            Self::Asked(spec) => field(spec, key).is_some(),
            Self::Complete { spec, old_spec, versions } => {
                let filled_in = |value: &Value| {
                    let default = default(field(spec, "type").and_then(engine), key, versions);
                    default.is_some_and(|default| value.as_str() == Some(&default))
                };
                let kept = old_spec.and_then(|old_spec| field(old_spec, key));
                field(spec, key).is_some_and(|value| kept.map_or_else(|| !filled_in(value), |kept| value != kept))
            }
        }
    }
}
