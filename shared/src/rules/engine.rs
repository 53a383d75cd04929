//! Database engines.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::quote::{meant, quoted};
use super::{Refusal, Rule};

/// How tools call the engines.
const ELSEWHERE: [(&str, &str); 3] = [("postgres", "Postgresql"), ("pg", "Postgresql"), ("psql", "Postgresql")];

/// A database engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Engine {
    /// PostgreSQL.
    Postgresql,
    /// MySQL: admitted, but nothing is created for it yet.
    MySql,
}

impl Engine {
    /// Every engine.
    pub const ALL: [Self; 2] = [Self::Postgresql, Self::MySql];

    /// The spellings a specification may use.
    pub(crate) const SPELLINGS: [&'static str; 4] = ["Postgresql", "MySQL", "postgresql", "mysql"];

    /// The engine of a `spec.type`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        match text {
            "Postgresql" | "postgresql" => Ok(Self::Postgresql),
            "MySQL" | "mysql" => Ok(Self::MySql),
            _ => {
                let hint = meant(text, &ELSEWHERE, Self::SPELLINGS);
                Err(Refusal::new(
                    Rule::UnknownEngine,
                    format!("{} is not an engine: write Postgresql or MySQL{hint}", quoted(text)),
                ))
            }
        }
    }

    /// The engine's own name, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Postgresql => "PostgreSQL",
            Self::MySql => "MySQL",
        }
    }

    /// Whether the reconciler creates instances of it.
    pub(super) const fn supported(self) -> bool {
        matches!(self, Self::Postgresql)
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_each_engine_are_known() {
        for spelling in Engine::SPELLINGS {
            assert!(Engine::parse(spelling).is_ok(), "{spelling}");
        }
    }

    #[test]
    fn what_was_probably_meant_is_said() {
        for (written, meant) in [("postgres", "Postgresql"), ("PostgreSQL", "Postgresql"), ("MYSQL", "MySQL")] {
            let refusal = Engine::parse(written).unwrap_err();
            assert!(refusal.message.ends_with(&format!("did you mean \"{meant}\"?")), "{refusal}");
        }
        assert!(!Engine::parse("oracle").unwrap_err().message.contains("did you mean"));
    }
}
