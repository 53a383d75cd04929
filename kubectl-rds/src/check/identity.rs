//! Which objects are checked, and which only look like it.

use shared::api::labels::{GROUP, VERSION};
use shared::rules::{quoted, suggestion};

use super::found::Found;
use super::rule::FileRule;
use super::yaml::node::Node;

/// The kinds of the group. Each begins with the first.
pub(super) const KINDS: [&str; 2] = ["RDSDatabase", "RDSDatabaseClass"];

/// Furthest a group may be from ours to be taken for a misspelling of it.
const MISSPELT: usize = 3;

/// Whether a text may hold an object of ours: none goes without these names, and how others write their files is not judged.
pub(crate) fn names_us(text: &str) -> bool {
    text.contains(GROUP) || text.contains(KINDS[0])
}

/// What the items of a list are that have neither field (apimachinery, `decodeToList`).
#[derive(Clone, Copy, Debug)]
pub(super) struct Type<'a> {
    pub(super) api_version: &'a str,
    pub(super) kind: &'a str,
}

/// What an object is.
#[derive(Debug)]
pub(super) enum Identity {
    Database,
    Class,
    /// It means to be one of ours, and is not.
    Mistaken(Found),
    /// None of our business.
    Other,
}

/// What an object is, by its `apiVersion` and `kind`, or by those of the list it is in where it has neither.
pub(super) fn identify(node: &Node, inherited: Option<Type<'_>>) -> Identity {
    let (api_version, kind) = match (inherited, node.get("apiVersion"), node.get("kind")) {
        (Some(Type { api_version, kind }), None, None) => (Some(api_version), Some(kind)),
        _ => (node.text_of("apiVersion"), node.text_of("kind")),
    };
    let expected = format!("{GROUP}/{VERSION}");
    let known = kind.is_some_and(|kind| KINDS.contains(&kind));
    match (api_version, kind) {
        (Some(version), Some(kind)) if version == expected => match kind {
            "RDSDatabase" => Identity::Database,
            "RDSDatabaseClass" => Identity::Class,
            _ => {
                let message = format!(
                    "{} is no kind of {GROUP}: write {}{}",
                    quoted(kind),
                    KINDS.join(" or "),
                    suggestion(kind, KINDS)
                );
                Identity::Mistaken(Found::new("kind", FileRule::UnknownKind, message))
            }
        },
        (Some(version), None) if version == expected => {
            let message = format!("is missing: write {}", KINDS.join(" or "));
            Identity::Mistaken(Found::new("kind", FileRule::UnknownKind, message))
        }
        (Some(version), Some(kind)) if group(version) == Some(GROUP) || known && misspelt(version) => {
            let message = format!("{} does not exist for {}: write {expected}", quoted(version), quoted(kind));
            Identity::Mistaken(Found::new("apiVersion", FileRule::UnknownApiVersion, message))
        }
        (None, Some(kind)) if known => {
            let message = format!("is missing: for {} write {expected}", quoted(kind));
            Identity::Mistaken(Found::new("apiVersion", FileRule::UnknownApiVersion, message))
        }
        _ => Identity::Other,
    }
}

/// The group of an `apiVersion`, none for the core group.
fn group(api_version: &str) -> Option<&str> {
    api_version.split_once('/').map(|(group, _)| group)
}

/// Whether the group is the core group, which has no kind of ours, or almost ours. Somebody else's group may have the same kinds.
fn misspelt(api_version: &str) -> bool {
    group(api_version).is_none_or(|group| strsim::damerau_levenshtein(group, GROUP) <= MISSPELT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::yaml::load::load;

    fn identity(text: &str) -> Identity {
        identify(&load(text, 1).unwrap()[0].root, None)
    }

    fn mistake(text: &str) -> String {
        match identity(text) {
            Identity::Mistaken(found) => format!("{}: {}", found.field, found.message),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn our_kinds_are_known_and_others_are_left_alone() {
        assert!(matches!(identity("{apiVersion: matrixmind.cloud/v1, kind: RDSDatabase}"), Identity::Database));
        assert!(matches!(identity("{apiVersion: matrixmind.cloud/v1, kind: RDSDatabaseClass}"), Identity::Class));
        for other in [
            "text",
            "[]",
            "{}",
            "{kind: Deployment}",
            "{apiVersion: v1, kind: Secret}",
            "{apiVersion: example.com/v1, kind: RDSDatabase}",
            "{apiVersion: [v1], kind: 1}",
        ] {
            assert!(matches!(identity(other), Identity::Other), "{other}");
        }
    }

    #[test]
    fn what_means_to_be_ours_is_told() {
        assert_eq!(
            mistake("{apiVersion: matrixmind.cloud/v1, kind: RDSDatabse}"),
            "kind: \"RDSDatabse\" is no kind of matrixmind.cloud: write RDSDatabase or RDSDatabaseClass; did you mean \"RDSDatabase\"?"
        );
        for (text, said) in [
            (
                "{apiVersion: matrixmind.cloud/v2, kind: RDSDatabase}",
                "apiVersion: \"matrixmind.cloud/v2\" does not exist",
            ),
            ("{apiVersion: matrixmind.clud/v1, kind: RDSDatabase}", "write matrixmind.cloud/v1"),
            ("{apiVersion: v1, kind: RDSDatabase}", "write matrixmind.cloud/v1"),
            ("{kind: RDSDatabaseClass}", "apiVersion: is missing: for \"RDSDatabaseClass\" write matrixmind.cloud/v1"),
            ("{apiVersion: matrixmind.cloud/v1}", "kind: is missing"),
        ] {
            assert!(mistake(text).contains(said), "{}", mistake(text));
        }
    }
}
