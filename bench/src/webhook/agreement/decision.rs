//! What an answer decides, apart from how it is written down.

use std::fmt;

use anyhow::{Context, Result, ensure};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::Value;

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Decision {
    /// Whether the object is admitted.
    pub(super) allowed: bool,
    /// Code and reason of a refusal.
    status: Option<(Value, Value)>,
    /// The operations of the patch, by their paths.
    patch: Vec<Value>,
    /// Field, reason and message of each cause, as they are listed.
    causes: Vec<[Value; 3]>,
    /// How many warnings there are.
    warnings: usize,
    /// Every text for people.
    pub(super) texts: Vec<Value>,
}

impl Decision {
    /// Reads the answer to the review of this uid.
    ///
    /// # Errors
    /// When it is no AdmissionReview, or the answer to another.
    pub(super) fn read(answer: &[u8], uid: &[u8]) -> Result<Self> {
        let review: Value = serde_json::from_slice(answer).context("an answer that is no JSON")?;
        let response = &review["response"];
        ensure!(response["uid"].as_str().map(str::as_bytes) == Some(uid), "an answer to another review: {review}");
        let allowed = response["allowed"].as_bool().context("an answer that does not say whether it admits")?;
        let status = &response["status"];
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let causes: Vec<[Value; 3]> = list(&status["details"]["causes"])
            .into_iter()
            .map(|cause| ["field", "reason", "message"].map(|key| cause[key].clone()))
            .collect();
        let warnings = list(&response["warnings"]);
        let message = (!allowed).then(|| status["message"].clone());
        let messages = causes.iter().map(|[_, _, message]| message.clone());
        Ok(Self {
            allowed,
            status: (!allowed).then(|| (status["code"].clone(), status["reason"].clone())),
            patch: patch(&response["patch"])?,
            warnings: warnings.len(),
            texts: message.into_iter().chain(messages).chain(warnings).collect(),
            causes,
        })
    }

    /// Whether they are the same but for their words.
    pub(super) fn agrees_with(&self, other: &Self) -> bool {
        fn places(decision: &Decision) -> impl Iterator<Item = [&Value; 2]> {
            decision.causes.iter().map(|[field, reason, _]| [field, reason])
        }
        self.allowed == other.allowed
            && self.status == other.status
            && self.patch == other.patch
            && self.warnings == other.warnings
            && places(self).eq(places(other))
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.allowed { "admits it" } else { "refuses it" };
        write!(f, "{verdict}, patch {}, texts {}", Value::from(self.patch.clone()), Value::from(self.texts.clone()))
    }
}

fn patch(encoded: &Value) -> Result<Vec<Value>> {
    let Some(encoded) = encoded.as_str() else { return Ok(Vec::new()) };
    let mut operations: Vec<Value> = serde_json::from_slice(&BASE64_STANDARD.decode(encoded)?)?;
    operations.sort_by_key(|operation| operation["path"].to_string());
    Ok(operations)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn admitted(operations: &Value) -> Decision {
        let answer = json!({"response": {
            "uid": "u", "allowed": true, "patch": BASE64_STANDARD.encode(operations.to_string()), "patchType": "JSONPatch",
        }});
        Decision::read(answer.to_string().as_bytes(), b"u").unwrap()
    }

    #[test]
    fn the_order_of_a_patch_does_not_matter_and_its_values_do() {
        let add = |path: &str, value: &str| json!({"op": "add", "path": path, "value": value});
        let both = admitted(&json!([add("/spec/type", "MySQL"), add("/spec/size", "10GB")]));
        assert!(both.agrees_with(&admitted(&json!([add("/spec/size", "10GB"), add("/spec/type", "MySQL")]))));
        assert!(!both.agrees_with(&admitted(&json!([add("/spec/size", "20GB"), add("/spec/type", "MySQL")]))));
        assert!(!both.agrees_with(&admitted(&json!([]))));
    }

    #[test]
    fn an_answer_to_another_review_is_none() {
        assert!(Decision::read(br#"{"response": {"uid": "v", "allowed": true}}"#, b"u").is_err());
    }
}
