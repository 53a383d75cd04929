//! Tags of an instance.

use std::collections::BTreeMap;

use serde_json::Value;

use super::filled::Filled;
use super::path::SPEC;
use super::quote::{described, quoted};
use super::reader::Reader;
use super::{Refusal, Rule};
use crate::api::schema::TAG_LIMIT;

/// What keys begin with that are not an application's to write: AWS's, RDS's and the operator's.
const RESERVED: [&str; 3] = ["aws:", "rds:", "matrixmind.cloud/"];
/// Source: AWS general reference, "Tag naming limits and requirements".
const KEY_LIMIT: usize = 128;
const VALUE_LIMIT: usize = 256;

impl Reader {
    pub(super) fn tags<'a>(&mut self, spec: &Filled<'a>) -> BTreeMap<&'a str, &'a str> {
        let at = SPEC.field("tags");
        let Some(written) = spec.get("tags").and_then(|written| self.map(written, &at, "{team: shop}")) else {
            return BTreeMap::new();
        };
        let entries = written.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
        let tags: BTreeMap<_, _> = entries
            .filter_map(|(key, value)| {
                let field = at.key(key);
                self.take(&field, check_key(key))?;
                let value = self.take(&field, value_of(value))?;
                Some((key.as_str(), value))
            })
            .collect();
        if tags.len() > TAG_LIMIT {
            let message = format_args!("has {} tags: at most {TAG_LIMIT} are allowed", tags.len());
            self.refuse(&at, Rule::TooManyEntries, message);
        }
        tags
    }
}

fn check_key(key: &str) -> Result<(), Refusal> {
    let refusal = |why: String| Err(Refusal::new(Rule::MalformedTag, format!("{} {why}", quoted(key))));
    if let Some(reserved) = RESERVED.iter().find(|prefix| key.to_ascii_lowercase().starts_with(*prefix)) {
        return refusal(format!(
            "cannot be the key of a tag: those that begin with {reserved} are not an application's"
        ));
    }
    if key.is_empty() || key.chars().count() > KEY_LIMIT || !key.chars().all(may_be_in_a_tag) {
        return refusal(format!(
            "cannot be the key of a tag: write 1 to {KEY_LIMIT} letters, digits, spaces and _ . : / = + - @"
        ));
    }
    Ok(())
}

fn value_of(value: &Value) -> Result<&str, Refusal> {
    let Some(text) = value.as_str() else {
        return Err(Refusal::new(Rule::WrongType, format!("must be a text, not {}", described(value))));
    };
    if text.chars().count() > VALUE_LIMIT || !text.chars().all(may_be_in_a_tag) {
        let message = format!(
            "{} cannot be the value of a tag: write at most {VALUE_LIMIT} letters, digits, spaces and _ . : / = + - @",
            quoted(text)
        );
        return Err(Refusal::new(Rule::MalformedTag, message));
    }
    Ok(text)
}

/// Source: RDS API, Tag: `^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$`.
fn may_be_in_a_tag(letter: char) -> bool {
    letter.is_alphanumeric() || letter == ' ' || "_.:/=+-@".contains(letter)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{DefaultVersions, defaults, parse};
    use super::*;

    fn parsed(tags: &Value) -> Result<BTreeMap<String, String>, Vec<String>> {
        let spec = defaults(&json!({"tags": tags}), None, DefaultVersions::BUILT_IN);
        match parse("orders", &spec) {
            Ok(desired) => Ok(desired.tags),
            Err(violations) => Err(violations.iter().map(ToString::to_string).collect()),
        }
    }

    #[test]
    fn tags_are_texts() {
        let told = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        assert_eq!(parsed(&json!(null)), Ok(told(&[])));
        assert_eq!(
            parsed(&json!({"team": "Größe 1", "left-out": null, "empty": ""})),
            Ok(told(&[("team", "Größe 1"), ("empty", "")]))
        );
    }

    #[test]
    fn i10_no_tag_of_a_spec_is_a_mark_of_ownership() {
        for (tags, said) in [
            (json!({"matrixmind.cloud/uid": "x"}), "not an application's"),
            (json!({"MatrixMind.cloud/uid": "x"}), "not an application's"),
            (json!({"aws:owner": "x"}), "begin with aws:"),
            (json!({"": "x"}), "cannot be the key of a tag"),
            (json!({"team": 7}), "spec.tags[team]: must be a text, not the number 7"),
            (json!({"team": "a\u{7}b"}), "cannot be the value of a tag"),
            (json!({"team": "x".repeat(257)}), "at most 256"),
            (json!(["team"]), "spec.tags: must be a map such as {team: shop}, not"),
            (
                json!((0..41).map(|n| (n.to_string(), json!("x"))).collect::<serde_json::Map<_, _>>()),
                "has 41 tags: at most 40",
            ),
        ] {
            let refused = parsed(&tags).expect_err("it is refused");
            assert!(matches!(&refused[..], [only] if only.contains(said)), "{tags}: {refused:?}");
        }
    }
}
