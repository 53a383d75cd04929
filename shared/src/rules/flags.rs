//! Role flags: PostgreSQL's role attributes.

use std::fmt;

use super::quote::{quoted, suggestion};
use super::{Refusal, Rule};

/// What a user is declared to be. An attribute that is not named keeps the engine's default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleFlags {
    /// `superuser`, which RDS gives as membership in `rds_superuser`.
    pub superuser: Option<bool>,
    /// `createdb`: may create databases.
    pub createdb: Option<bool>,
    /// `createrole`: may create roles and alter them.
    pub createrole: Option<bool>,
    /// `inherit`: has the privileges of the roles it is a member of.
    pub inherit: Option<bool>,
    /// `login`: may log in.
    pub login: Option<bool>,
    /// `replication`, which RDS gives as membership in `rds_replication`.
    pub replication: Option<bool>,
    /// `bypassrls`: row-level security does not hold for it.
    pub bypassrls: Option<bool>,
}

impl RoleFlags {
    /// The words for the attributes; with `no` before it, each means the opposite.
    pub const WORDS: [&'static str; 7] =
        ["superuser", "createdb", "createrole", "inherit", "login", "replication", "bypassrls"];

    /// Whether the user holds something it would lose under `SET role`.
    pub fn privileged(self) -> bool {
        [self.superuser, self.createdb, self.createrole, self.replication, self.bypassrls].contains(&Some(true))
    }

    /// Whether the user may log in; users may, unless `nologin` is written.
    pub fn can_login(self) -> bool {
        self.login != Some(false)
    }

    /// The words that declare these flags, in lower case.
    pub fn words(mut self) -> Vec<String> {
        let mut words = Vec::new();
        for word in Self::WORDS {
            match self.attribute(word) {
                Some(Some(true)) => words.push(word.to_owned()),
                Some(Some(false)) => words.push(format!("no{word}")),
                _ => {}
            }
        }
        words
    }

    /// Adds what a word declares, such as `createdb` or `NOLOGIN`.
    pub(super) fn declare(&mut self, written: &str) -> Result<(), Refusal> {
        let (word, value) = meaning(written).ok_or_else(|| unknown(written))?;
        let attribute = self.attribute(word).ok_or_else(|| unknown(written))?;
        match attribute.replace(value) {
            None => Ok(()),
            Some(before) if before == value => {
                Err(Refusal::new(Rule::RepeatedRoleFlag, format!("{} is written twice", quoted(written))))
            }
            Some(before) => {
                let other = if before { word.to_owned() } else { format!("no{word}") };
                // The first word stands: the message is about the one that came after it.
                *attribute = Some(before);
                Err(Refusal::new(
                    Rule::ContradictingRoleFlags,
                    format!("{} contradicts {}: write one of them", quoted(written), quoted(&other)),
                ))
            }
        }
    }

    /// Which word was probably meant by one that was refused.
    pub(super) fn hint(rule: Rule, written: &str) -> String {
        if rule != Rule::UnknownRoleFlag {
            return String::new();
        }
        let opposites = Self::WORDS.map(|word| format!("no{word}"));
        suggestion(written, Self::WORDS.into_iter().chain(opposites.iter().map(String::as_str)))
    }

    fn attribute(&mut self, word: &str) -> Option<&mut Option<bool>> {
        Some(match word {
            "superuser" => &mut self.superuser,
            "createdb" => &mut self.createdb,
            "createrole" => &mut self.createrole,
            "inherit" => &mut self.inherit,
            "login" => &mut self.login,
            "replication" => &mut self.replication,
            "bypassrls" => &mut self.bypassrls,
            _ => return None,
        })
    }
}

impl fmt::Display for RoleFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().join(", "))
    }
}

/// The attribute that a word is about, and whether it gives or takes it.
fn meaning(written: &str) -> Option<(&'static str, bool)> {
    let known = |written: &str| RoleFlags::WORDS.into_iter().find(|word| word.eq_ignore_ascii_case(written));
    if let Some(word) = known(written) {
        return Some((word, true));
    }
    let (no, rest) = written.split_at_checked("no".len())?;
    if no.eq_ignore_ascii_case("no") { Some((known(rest)?, false)) } else { None }
}

fn unknown(written: &str) -> Refusal {
    let words = super::quote::one_of(RoleFlags::WORDS);
    let message = format!("{} is not a role flag: write {words}, each perhaps with no before it", quoted(written));
    Refusal::new(Rule::UnknownRoleFlag, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(words: &[&str]) -> Result<RoleFlags, Refusal> {
        let mut flags = RoleFlags::default();
        words.iter().try_for_each(|word| flags.declare(word)).map(|()| flags)
    }

    #[test]
    fn every_word_and_its_opposite_in_both_cases() {
        for word in RoleFlags::WORDS {
            for (written, said) in [(word.to_owned(), word.to_owned()), (format!("no{word}"), format!("no{word}"))] {
                assert_eq!(declared(&[&written]).unwrap().words(), [said.as_str()]);
                assert_eq!(declared(&[&written.to_uppercase()]).unwrap().words(), [said.as_str()]);
            }
        }
    }

    #[test]
    fn contradictions_repetitions_and_unknown_words() {
        assert_eq!(declared(&["login", "NOLOGIN"]).unwrap_err().rule, Rule::ContradictingRoleFlags);
        assert_eq!(declared(&["login", "LOGIN"]).unwrap_err().rule, Rule::RepeatedRoleFlag);
        assert_eq!(declared(&["nonologin"]).unwrap_err().rule, Rule::UnknownRoleFlag);
        let refusal = declared(&["create_db"]).unwrap_err();
        assert_eq!(RoleFlags::hint(refusal.rule, "create_db"), "; did you mean \"createdb\"?");
    }

    #[test]
    fn what_set_role_would_take_away() {
        assert!(!declared(&["inherit", "login", "nocreatedb"]).unwrap().privileged());
        for word in ["superuser", "createdb", "createrole", "replication", "bypassrls"] {
            assert!(declared(&[word]).unwrap().privileged(), "{word}");
        }
    }
}
