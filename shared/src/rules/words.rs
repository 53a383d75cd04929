//! Fields that are a single word: class, instance class, storage type, deletion policy.

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
