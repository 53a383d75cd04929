//! Fields that are a single word: class, instance class, storage type, support, deletion policy.

use super::quote::{did_you_mean, meant, one_of, quoted};
use super::{Refusal, Rule};
use crate::api::DeletionPolicy;

/// What other operators call the deletion policies.
const POLICIES_ELSEWHERE: [(&str, &str); 4] =
    [("orphan", "Retain"), ("keep", "Retain"), ("finalsnapshot", "Snapshot"), ("destroy", "Delete")];

/// The name of an `RDSDatabaseClass`: a DNS subdomain, as for any cluster-scoped object.
pub(super) fn check_class_name(text: &str) -> Result<&str, Refusal> {
    if is_subdomain(text) {
        return Ok(text);
    }
    let lower = text.trim().to_lowercase().replace([' ', '_'], "-");
    let hint = if is_subdomain(&lower) { did_you_mean(&lower) } else { String::new() };
    Err(Refusal::new(
        Rule::MalformedClassName,
        format!(
            "{} cannot be the name of an RDSDatabaseClass: write lower-case letters, digits, - and .{hint}",
            quoted(text)
        ),
    ))
}

fn is_subdomain(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(part)
}

/// An RDS instance class: `db.`, a family and a size. Which ones there are depends on the region.
pub(super) fn check_instance_class(text: &str) -> Result<&str, Refusal> {
    if is_instance_class(text) {
        return Ok(text);
    }
    let lower = text.trim().to_lowercase();
    let meant = [format!("db.{lower}"), lower.replacen("db-", "db.", 1).replace('-', "."), lower];
    let hint = meant.iter().find(|meant| is_instance_class(meant)).map(|meant| did_you_mean(meant)).unwrap_or_default();
    Err(Refusal::new(
        Rule::MalformedInstanceClass,
        format!("{} is not an RDS instance class: write one such as db.t4g.micro{hint}", quoted(text)),
    ))
}

fn is_instance_class(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let mut parts = text.split('.');
    text.len() <= 64 && parts.next() == Some("db") && parts.clone().count() >= 2 && parts.all(part)
}

/// The storage types of RDS but magnetic storage, which is deprecated.
pub(crate) const STORAGE_TYPES: [&str; 4] = ["gp3", "gp2", "io1", "io2"];

/// A storage type.
pub(super) fn check_storage_type(text: &str) -> Result<&str, Refusal> {
    if STORAGE_TYPES.contains(&text) {
        return Ok(text);
    }
    let (types, meant) = (
        one_of(STORAGE_TYPES),
        meant(text, &[("ssd", "gp3"), ("general", "gp3"), ("provisioned", "io2")], STORAGE_TYPES),
    );
    Err(Refusal::new(Rule::UnknownStorageType, format!("{} is not a storage type: write {types}{meant}", quoted(text))))
}

/// RDS's words for how the support of a version ends: on into Extended Support, or with its standard support.
///
/// Source: RDS API, CreateDBInstance, `EngineLifecycleSupport`.
pub(crate) const LIFECYCLE_SUPPORTS: [&str; 2] =
    ["open-source-rds-extended-support", "open-source-rds-extended-support-disabled"];

/// What people may write for them, in lower case.
const SUPPORTS_ELSEWHERE: [(&str, &str); 4] = [
    ("enabled", LIFECYCLE_SUPPORTS[0]),
    ("extended", LIFECYCLE_SUPPORTS[0]),
    ("disabled", LIFECYCLE_SUPPORTS[1]),
    ("standard", LIFECYCLE_SUPPORTS[1]),
];

/// RDS's word for whether an instance goes on into Extended Support.
pub const fn lifecycle_support(extended: bool) -> &'static str {
    let [on, off] = LIFECYCLE_SUPPORTS;
    if extended { on } else { off }
}

/// Whether an instance with this word of RDS's goes on into Extended Support; none for other words.
pub fn extended_support(word: &str) -> Option<bool> {
    [true, false].into_iter().find(|extended| lifecycle_support(*extended) == word)
}

/// How the support of the version ends.
pub(super) fn parse_lifecycle_support(text: &str) -> Result<bool, Refusal> {
    extended_support(text).ok_or_else(|| {
        let (words, meant) = (one_of(LIFECYCLE_SUPPORTS), meant(text, &SUPPORTS_ELSEWHERE, LIFECYCLE_SUPPORTS));
        let message = format!("{} is not a lifecycle support: write {words}{meant}", quoted(text));
        Refusal::new(Rule::UnknownLifecycleSupport, message)
    })
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
                meant(text, &POLICIES_ELSEWHERE, policies)
            ),
        )
    })
}
