//! Fields that are a single word: class, instance class, deletion policy.

use super::quote::{one_of, quoted, suggestion};
use super::{Refusal, Rule};
use crate::api::DeletionPolicy;

/// The name of an `RDSDatabaseClass`: a DNS subdomain, as for any cluster-scoped object.
pub(super) fn check_class_name(text: &str) -> Result<String, Refusal> {
    let part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    if text.len() <= 253 && text.split('.').all(part) {
        return Ok(text.to_owned());
    }
    Err(Refusal::new(
        Rule::MalformedClassName,
        format!(
            "{} cannot be the name of an RDSDatabaseClass: write lower-case letters, digits, - and .",
            quoted(text)
        ),
    ))
}

/// An RDS instance class: `db.`, a family and a size. Which ones there are depends on the region.
pub(super) fn check_instance_class(text: &str) -> Result<String, Refusal> {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let mut parts = text.split('.');
    if text.len() <= 64 && parts.next() == Some("db") && parts.clone().count() >= 2 && parts.all(part) {
        return Ok(text.to_owned());
    }
    let with_prefix = format!("db.{text}");
    let hint = match text.split('.').count() {
        2 if text.split('.').all(part) => format!("; did you mean {}?", quoted(&with_prefix)),
        _ => String::new(),
    };
    Err(Refusal::new(
        Rule::MalformedInstanceClass,
        format!("{} is not an RDS instance class: write one such as db.t4g.micro{hint}", quoted(text)),
    ))
}

/// A deletion policy.
pub(super) fn parse_deletion_policy(text: &str) -> Result<DeletionPolicy, Refusal> {
    text.parse().map_err(|_| {
        let policies = DeletionPolicy::ALL.map(DeletionPolicy::as_str);
        Refusal::new(
            Rule::UnknownDeletionPolicy,
            format!(
                "{} is not a deletion policy: write {}{}",
                quoted(text),
                one_of(policies),
                suggestion(text, policies)
            ),
        )
    })
}
