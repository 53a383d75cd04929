//! Parameters of servers: what a provider lets one set, and the groups of values that instances run with.
//!
//! A group is shared by all instances of a cluster that ask for the same, and never changed once it is whole: other values are another group.
//! Its name tells what it holds, so that one whose making was interrupted is known, and finished.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

/// What the names of groups of ours begin with.
const PREFIX: &str = "matrixmind-";
/// In the name of one that lets nobody in without TLS, unless its values say otherwise.
const TLS: &str = "-tls-";
/// Hexadecimal digits of the digest.
const DIGITS: usize = 16;

/// Values of parameters, by their names.
pub type Values = BTreeMap<String, String>;

/// A group as it is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedGroup {
    /// Its name, which follows from all that is in it.
    pub name: String,
    /// The family of servers that it is for.
    pub family: String,
    /// All that it sets.
    pub values: Values,
}

impl WantedGroup {
    /// The group of these values for the instances of a cluster; `tls` says whether it was made to let nobody in without TLS.
    pub fn of(cluster: &str, family: &str, tls: bool, values: Values) -> Self {
        let infix = if tls { TLS } else { "-" };
        // No dot may be in a name.
        let readable = family.replace('.', "-");
        let name = format!("{PREFIX}{readable}{infix}{}", digest(cluster, family, &values));
        Self { name, family: family.to_owned(), values }
    }
}

fn digest(cluster: &str, family: &str, values: &Values) -> String {
    // Debug quotes every part: no two different lists read the same.
    let mut digest = hex::encode(Sha256::digest(format!("{:?}", (cluster, family, values))));
    digest.truncate(DIGITS);
    digest
}

/// Whether an instance with the group of this name follows what the object and its class say: it is one of an operator's.
pub(crate) fn is_ours(name: &str) -> bool {
    let digest = name.strip_prefix(PREFIX).and_then(|rest| rest.rsplit_once('-')).map(|(_, digest)| digest);
    digest.is_some_and(|digest| digest.len() == DIGITS && digest.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Whether the group of this name was made to let nobody in without TLS.
pub(crate) fn forces_tls(name: &str) -> bool {
    is_ours(name) && name.contains(TLS)
}

/// A group as the provider has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// The family of servers that it is for.
    pub family: String,
    /// The cluster whose operator made it, as its tags say.
    pub cluster: Option<String>,
    /// What it sets.
    pub values: Values,
}

impl Group {
    /// It is this cluster's, by its tags and by what its name says of its values. One that was never filled holds nothing that anybody would miss.
    pub(crate) fn is_of(&self, cluster: &str) -> bool {
        let fits = |digest: &str| self.name.ends_with(&format!("-{digest}"));
        is_ours(&self.name)
            && self.cluster.as_deref() == Some(cluster)
            && (self.values.is_empty() || fits(&self::digest(cluster, &self.family, &self.values)))
    }
}

/// A parameter, as a provider offers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Whether a group may set it.
    pub modifiable: bool,
    /// The values that it may have.
    pub allowed: Allowed,
}

/// The values that a parameter may have.
#[derive(Clone, Debug, PartialEq)]
pub enum Allowed {
    /// Any, as far as is known here.
    Any,
    /// Numbers from one to another.
    Range(f64, f64),
    /// One of some words, or several of them with commas between.
    Words(Vec<String>, bool),
}

/// A number is none only by a mistake of the provider's, and then equals nothing.
impl Eq for Allowed {}

impl Allowed {
    /// Whether it may be so. What a formula comes to, only the provider can tell.
    pub fn takes(&self, value: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Range(..) if value.contains('{') => true,
            Self::Range(least, most) => value.parse::<f64>().is_ok_and(|number| (*least..=*most).contains(&number)),
            Self::Words(words, false) => words.iter().any(|word| word == value),
            Self::Words(words, true) => value.split(',').map(str::trim).all(|one| words.iter().any(|word| word == one)),
        }
    }
}

impl std::fmt::Display for Allowed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Range(least, most) => write!(f, "{least} to {most}"),
            Self::Words(words, several) => {
                write!(f, "{}{}", if *several { "some of " } else { "" }, words.join(", "))
            }
        }
    }
}

/// All that a provider has for a family of servers, by name.
pub type Offered = BTreeMap<String, Parameter>;

/// What the server of an instance runs with of its group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Applied {
    /// All of it, as far as the provider says.
    #[default]
    Whole,
    /// It is being given to the server.
    UnderWay,
    /// It waits until the server is restarted.
    AtRestart,
    /// The provider could not.
    Failed,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, &str)]) -> Values {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_name_follows_from_all_that_is_in_the_group() {
        let named = |cluster: &str, family: &str, tls, pairs: &[(&str, &str)]| {
            WantedGroup::of(cluster, family, tls, values(pairs)).name
        };
        let one = named("c", "postgres16", true, &[("a", "1")]);
        assert_eq!(one, named("c", "postgres16", true, &[("a", "1")]), "equal settings share one");
        for other in [
            named("d", "postgres16", true, &[("a", "1")]),
            named("c", "postgres17", true, &[("a", "1")]),
            named("c", "postgres16", true, &[("a", "2")]),
            named("c", "postgres16", true, &[("a", "1"), ("b", "")]),
            named("c", "postgres16", false, &[("a", "1")]),
        ] {
            assert_ne!(one, other);
        }
        assert_eq!(named("c", "mysql8.4", false, &[]).strip_prefix("matrixmind-mysql8-4-").map(str::len), Some(16));
        assert!(forces_tls(&one) && !forces_tls(&named("c", "postgres16", false, &[])));
        for foreign in ["default.postgres16", "matrixmind-mine", "matrixmind-postgres16-tls-", "mine-0123456789abcdef"]
        {
            assert!(!is_ours(foreign), "{foreign}");
        }
    }

    #[test]
    fn i10_a_group_is_ours_by_its_tag_and_its_digest() {
        let wanted = WantedGroup::of("c", "postgres16", true, values(&[("a", "1")]));
        let group = |cluster: Option<&str>, held: &[(&str, &str)]| Group {
            name: wanted.name.clone(),
            family: wanted.family.clone(),
            cluster: cluster.map(str::to_owned),
            values: values(held),
        };
        assert!(group(Some("c"), &[("a", "1")]).is_of("c"));
        assert!(group(Some("c"), &[]).is_of("c"), "its making was interrupted");
        assert!(!group(Some("c"), &[("a", "2")]).is_of("c"), "somebody changed it");
        assert!(!group(Some("d"), &[("a", "1")]).is_of("c") && !group(None, &[("a", "1")]).is_of("c"));
    }

    #[test]
    fn values_are_held_to_what_is_allowed() {
        let words =
            |list: &[&str], several| Allowed::Words(list.iter().map(|word| (*word).to_owned()).collect(), several);
        for (allowed, value, takes) in [
            (Allowed::Range(64.0, 2_147_483_647.0), "64", true),
            (Allowed::Range(64.0, 2_147_483_647.0), "63", false),
            (Allowed::Range(64.0, 2_147_483_647.0), "4MB", false),
            (Allowed::Range(-1.0, 600.0), "-1", true),
            (Allowed::Range(6.0, 8_388_607.0), "LEAST({DBInstanceClassMemory/9531392},5000)", true),
            (words(&["0", "1"], false), "1", true),
            (words(&["0", "1"], false), "on", false),
            (words(&["a", "b"], true), "a, b", true),
            (words(&["a", "b"], true), "a,c", false),
            (Allowed::Any, "what you will", true),
        ] {
            assert_eq!(allowed.takes(value), takes, "{allowed}: {value}");
        }
    }
}
