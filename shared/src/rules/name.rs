//! Names of roles, databases and objects.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::quote::{did_you_mean, quoted};
use super::reserved::{self, Place};
use super::{Engine, Refusal, Rule};

/// Longest name of an `RDSDatabase`: its Service is called `<name>-rds`, and a Service's name has at most 63.
pub(crate) const OBJECT_NAME_LIMIT: usize = 59;

/// Length of the random end that Kubernetes gives to a generated name.
const GENERATED_SUFFIX: usize = 5;

/// Longest name of a role or database on PostgreSQL (NAMEDATALEN - 1).
const NAME_LIMIT: usize = 63;

/// Longest name of a user on MySQL. Source: MySQL reference manual, "Account User Names and Passwords".
const MYSQL_USER_LIMIT: usize = 32;

/// The pattern of role and database names, for schemas.
pub(crate) const NAME_PATTERN: &str = "^[a-z]([a-z0-9_]*[a-z0-9])?$";

macro_rules! name_type {
    ($(#[$doc:meta])* $type:ident, $place:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $type {
            type Err = Refusal;

            /// Checks the form only: whether an engine reserves the name is not asked.
            fn from_str(text: &str) -> Result<Self, Refusal> {
                check_form($place, text, NAME_LIMIT)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $type {
            type Error = Refusal;

            fn try_from(text: String) -> Result<Self, Refusal> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0
            }
        }
    };
}

name_type! {
    /// Name of a role: lower-case letters, digits and `_`, beginning with a letter, not ending with `_`.
    RoleName, Place::User
}

name_type! {
    /// Name of a database, in the form of a [`RoleName`].
    DatabaseName, Place::Database
}

impl DatabaseName {
    /// The name of a key of `spec.databases`.
    pub fn parse(engine: Engine, text: &str) -> Result<Self, Refusal> {
        Name::parse(engine, Place::Database, text).map(Name::database)
    }
}

/// A name that was judged and is still where it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name<'a>(&'a str);

impl<'a> Name<'a> {
    /// The name that is wanted for a place.
    pub(super) fn parse(engine: Engine, place: Place, text: &'a str) -> Result<Self, Refusal> {
        let limit = match (engine, place) {
            (Engine::MySql, Place::User | Place::Master) => MYSQL_USER_LIMIT,
            _ => NAME_LIMIT,
        };
        check_form(place, text, limit)?;
        match reserved::why(engine, place, text) {
            Some(why) => Err(Refusal::new(Rule::ReservedName, format!("{} {why}", quoted(text)))),
            None => Ok(Self(text)),
        }
    }

    pub(super) const fn as_str(self) -> &'a str {
        self.0
    }

    pub(super) fn role(self) -> RoleName {
        RoleName(self.0.to_owned())
    }

    pub(super) fn database(self) -> DatabaseName {
        DatabaseName(self.0.to_owned())
    }
}

fn check_form(place: Place, text: &str, limit: usize) -> Result<(), Refusal> {
    if text.len() <= limit && well_formed(text) {
        return Ok(());
    }
    let length = text.chars().count();
    if length > limit {
        return Err(Refusal::new(
            Rule::LongName,
            format!("{} has {length} characters: {} has at most {limit}", quoted(text), place.article()),
        ));
    }
    let hint: String =
        text.trim().chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    let hint = hint.trim_matches('_');
    let free = well_formed(hint) && Engine::ALL.into_iter().all(|engine| reserved::why(engine, place, hint).is_none());
    let hint = if free { did_you_mean(hint) } else { String::new() };
    Err(Refusal::new(
        Rule::MalformedName,
        format!(
            "{} is not {}: write lower-case letters, digits and _, first a letter and last a letter or digit{hint}",
            quoted(text),
            place.article()
        ),
    ))
}

fn well_formed(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && !text.ends_with('_')
}

/// Checks the name of an object.
pub(super) fn check_object_name(text: &str) -> Result<(), Refusal> {
    let length = text.chars().count();
    if length > OBJECT_NAME_LIMIT {
        return Err(Refusal::new(
            Rule::LongObjectName,
            format!(
                "{} has {length} characters: at most {OBJECT_NAME_LIMIT} leave room for the Service \"<name>-rds\"",
                quoted(text)
            ),
        ));
    }
    let named = |text: &str| is_label(text) && !text.ends_with('-');
    if named(text) {
        return Ok(());
    }
    let lower = text.trim().to_lowercase().replace(['.', '_', ' ', '/'], "-");
    let hint = if named(&lower) { did_you_mean(&lower) } else { String::new() };
    Err(Refusal::new(
        Rule::MalformedObjectName,
        format!(
            "{} cannot name an RDSDatabase: write lower-case letters, digits and -, first a letter and last a letter or digit{hint}",
            quoted(text)
        ),
    ))
}

/// Checks the prefix of a name that Kubernetes is yet to generate.
pub(super) fn check_generate_name(text: &str) -> Result<(), Refusal> {
    let limit = OBJECT_NAME_LIMIT - GENERATED_SUFFIX;
    let length = text.chars().count();
    if length > limit {
        return Err(Refusal::new(
            Rule::LongObjectName,
            format!("{} has {length} characters: a generated name leaves room for {limit}", quoted(text)),
        ));
    }
    if is_label(text) {
        return Ok(());
    }
    Err(Refusal::new(
        Rule::MalformedObjectName,
        format!("{} cannot begin a name: write lower-case letters, digits and -, first a letter", quoted(text)),
    ))
}

fn is_label(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str) -> Result<Name<'_>, Refusal> {
        Name::parse(Engine::Postgresql, Place::User, text)
    }

    #[test]
    fn the_form_of_names() {
        for text in ["a", "app", "a1", "a_b", "a__b", &"x".repeat(63)] {
            assert!(user(text).is_ok(), "{text}");
            assert!(DatabaseName::parse(Engine::Postgresql, text).is_ok(), "{text}");
        }
        for text in ["", "1a", "_a", "a_", "A", "a-b", "a b", "a.b", "ä", "a\"b", "a;drop", &"x".repeat(64)] {
            assert!(user(text).is_err(), "{text}");
            assert!(DatabaseName::parse(Engine::Postgresql, text).is_err(), "{text}");
        }
    }

    #[test]
    fn mysql_users_are_shorter() {
        assert!(Name::parse(Engine::MySql, Place::User, &"x".repeat(32)).is_ok());
        assert!(Name::parse(Engine::MySql, Place::User, &"x".repeat(33)).is_err());
        assert!(DatabaseName::parse(Engine::MySql, &"x".repeat(63)).is_ok());
    }

    #[test]
    fn what_was_probably_meant_is_said() {
        for (written, meant) in [("App", "app"), ("my-user", "my_user"), (" app ", "app"), ("_app", "app")] {
            let refusal = user(written).unwrap_err();
            assert!(refusal.message.ends_with(&format!("did you mean \"{meant}\"?")), "{refusal}");
        }
        for none in ["1", "Master", "PG-monitor", "RDS"] {
            let refusal = user(none).unwrap_err();
            assert!(!refusal.message.contains("did you mean"), "{refusal}");
        }
        // What is reserved in one place may be free in another.
        assert!(Name::parse(Engine::Postgresql, Place::Master, "Master").unwrap_err().message.contains("\"master\"?"));
    }

    #[test]
    fn object_names_leave_room_for_the_service() {
        assert!(check_object_name(&"x".repeat(59)).is_ok());
        for text in [&"x".repeat(60), "", "1a", "a-", "-a", "a.b", "A", "a_b"] {
            assert!(check_object_name(text).is_err(), "{text}");
        }
        assert!(check_generate_name("orders-").is_ok());
        assert!(check_generate_name(&"x".repeat(55)).is_err());
        assert!(check_generate_name("9-").is_err());
    }
}
