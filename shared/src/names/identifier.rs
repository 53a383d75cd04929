//! Names of what lives in the cloud.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Longest DBInstanceIdentifier. Source: RDS API, CreateDBInstance.
const LIMIT: usize = 63;

/// Bytes of the hash in an identifier, two characters each.
const HASH_BYTES: usize = 5;

/// A DBInstanceIdentifier: lower-case letters, digits and single hyphens, first a letter, at most 63 long.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InstanceIdentifier(String);

/// The text is no DBInstanceIdentifier in lower case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a DB instance identifier: lower-case letters, digits and single hyphens, first a letter, at most 63")]
pub struct InvalidIdentifier;

impl InstanceIdentifier {
    /// The identifier of an object's instance: `<name>-<namespace>-<hash>`.
    ///
    /// The hash is over the whole cluster name, namespace and name, so that what is cut or collapsed before it makes
    /// no two objects meet.
    pub fn derive(cluster: &str, namespace: &str, name: &str) -> Self {
        let hash = hash([cluster, namespace, name]);
        let mut readable = String::new();
        for c in name.chars().chain(['-']).chain(namespace.chars()).map(|c| c.to_ascii_lowercase()) {
            match c {
                'a'..='z' => readable.push(c),
                '0'..='9' if !readable.is_empty() => readable.push(c),
                // Before the first letter there is nothing to separate.
                _ if readable.is_empty() || readable.ends_with('-') => {}
                _ => readable.push('-'),
            }
        }
        readable.truncate(LIMIT - 1 - hash.len());
        let readable = match readable.trim_end_matches('-') {
            "" => "rds",
            readable => readable,
        };
        Self(format!("{readable}-{hash}"))
    }

    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The names that the final snapshot of an instance may get, in this order: one that is taken makes the next one it.
///
/// `<identifier>-final-<hash of the object's UID and the instance's resource id>`, then the same with `-2` and so on. Neither a UID that
/// comes back with a restored etcd nor an instance that is made anew meets a snapshot of before.
pub fn final_snapshots(identifier: &InstanceIdentifier, uid: &str, resource_id: &str) -> impl Iterator<Item = String> {
    let first = format!("{identifier}-final-{}", hash([uid, resource_id, ""]));
    let next = first.clone();
    std::iter::once(first).chain((2_u32..).map(move |count| format!("{next}-{count}")))
}

/// The name that v0.1.0 gave to final snapshots: `<identifier>-final-<first 8 of the object's UID>`.
pub fn final_snapshot_of_v0_1_0(identifier: &InstanceIdentifier, uid: &str) -> String {
    let uid: String = uid.chars().filter(char::is_ascii_alphanumeric).take(8).collect::<String>().to_ascii_lowercase();
    if uid.is_empty() { format!("{identifier}-final") } else { format!("{identifier}-final-{uid}") }
}

/// The beginning of a SHA-256 over the parts, each with its length before it so that they cannot run into each other.
fn hash(parts: [&str; 3]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().iter().take(HASH_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

impl AsRef<str> for InstanceIdentifier {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InstanceIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for InstanceIdentifier {
    type Err = InvalidIdentifier;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let valid = text.len() <= LIMIT
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !text.contains("--")
            && !text.ends_with('-');
        if valid { Ok(Self(text.to_owned())) } else { Err(InvalidIdentifier) }
    }
}

impl TryFrom<String> for InstanceIdentifier {
    type Error = InvalidIdentifier;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<InstanceIdentifier> for String {
    fn from(identifier: InstanceIdentifier) -> Self {
        identifier.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_readable_and_stable() {
        let identifier = InstanceIdentifier::derive("c1", "shop", "orders");
        assert_eq!(identifier.as_str(), "orders-shop-0c3cb4aea5");
        assert_eq!(final_snapshot_of_v0_1_0(&identifier, "6F9C1d2e-aaaa"), format!("{identifier}-final-6f9c1d2e"));
    }

    #[test]
    fn i3_a_name_that_is_taken_makes_the_next_one_the_final_snapshots() {
        let identifier = InstanceIdentifier::derive("c1", "shop", "orders");
        let names = |uid, resource| final_snapshots(&identifier, uid, resource).take(3).collect::<Vec<_>>();
        let first = names("uid", "db-A");
        assert!(first[0].starts_with(&format!("{identifier}-final-")), "the IAM policy knows it by that");
        assert_eq!(first[1..], [format!("{}-2", first[0]), format!("{}-3", first[0])]);
        assert_ne!(first, names("uid", "db-B"), "the same UID twice, after an etcd was restored");
        assert_ne!(first, names("another", "db-A"));
    }

    #[test]
    fn different_objects_have_different_identifiers() {
        let long = "x".repeat(59);
        let objects = [
            ("c", "shop", "orders"),
            ("d", "shop", "orders"),
            ("c", "b-shop", "orders"),
            ("c", "shop", "orders-b"),
            ("c", "a-b", "c"),
            ("c", "b", "c-a"),
            ("c", "b", "c--a"),
            ("ca", "b", "c"),
            ("c", "ab", "c"),
            ("c", "one", &long),
            ("c", "two", &long),
        ];
        let identifiers: std::collections::BTreeSet<_> = objects
            .iter()
            .map(|(cluster, namespace, name)| InstanceIdentifier::derive(cluster, namespace, name))
            .collect();
        assert_eq!(identifiers.len(), objects.len());
    }

    proptest::proptest! {
        #[test]
        fn any_names_make_a_valid_identifier(cluster in ".*", namespace in ".*", name in ".*", uid in ".*") {
            let identifier = InstanceIdentifier::derive(&cluster, &namespace, &name);
            proptest::prop_assert_eq!(identifier.as_str().parse(), Ok(identifier.clone()));
            let snapshot = final_snapshots(&identifier, &uid, "db-A").next().unwrap_or_default();
            proptest::prop_assert!(snapshot.len() <= 255 && !snapshot.contains("--") && !snapshot.ends_with('-'));
        }
    }
}
