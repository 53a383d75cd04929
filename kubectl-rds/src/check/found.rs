//! What the checks of an object say, still without a place in the file.

use shared::rules::{self, described, shown_key};

use super::rule::{FileRule, Rule};
use super::yaml::locate::Aim;
use super::yaml::node::Node;

/// What a check says of one field of an object.
#[derive(Debug)]
pub(super) struct Found {
    /// The field, as admission names it.
    pub(super) field: String,
    /// Which rule says so.
    pub(super) rule: Rule,
    /// The sentence, without the field.
    pub(super) message: String,
    /// What of the entry it is about, if the field is one of a map.
    pub(super) aim: Aim,
}

impl Found {
    /// What `rule` says of `field`, in a sentence without it.
    pub(super) fn new(field: impl Into<String>, rule: impl Into<Rule>, message: impl Into<String>) -> Self {
        let (field, rule) = (field.into(), rule.into());
        let aim = aim(&field, rule);
        Self { field, rule, message: message.into(), aim }
    }

    /// A value of a type that the field cannot have.
    pub(super) fn wrong_type(field: &str, wanted: &str, node: &Node) -> Self {
        Self::new(field, rules::Rule::WrongType, format!("must be {wanted}, not {}", described(&node.json())))
    }

    /// What is wrong with an entry of a map of the metadata.
    pub(super) fn keyed<'a>(map: &'a str, key: &'a str) -> impl Fn(String) -> Self + Copy + use<'a> {
        move |message| Self::new(format!("{map}[{}]", shown_key(key)), FileRule::MalformedMetadata, message)
    }

    /// The same, about the name of the entry.
    pub(super) fn at_key(self) -> Self {
        Self { aim: Aim::Key, ..self }
    }
}

/// Whether a rule is about the name of an entry, or about its value.
fn aim(field: &str, rule: Rule) -> Aim {
    use rules::Rule::{
        LongName, MalformedName, MasterUserAsDatabase, MasterUserInUsers, NullEntry, ReservedName, UnknownField,
    };
    match rule {
        Rule::Admission(UnknownField | NullEntry) => Aim::Key,
        Rule::Admission(LongName | MalformedName | MasterUserAsDatabase | MasterUserInUsers | ReservedName)
            if field.ends_with(']') =>
        {
            Aim::Key
        }
        _ => Aim::Value,
    }
}
