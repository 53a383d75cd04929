//! What a visit left, in words that all engines share.

use std::collections::BTreeMap;

/// What the last look of a visit found, and what is not as declared after all was done that could be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What is not as declared.
    pub left: Vec<Left>,
    /// What is done a little at each look: it stands in nobody's way.
    pub leisurely: Vec<String>,
    /// A database that was there once is gone.
    pub lost: bool,
    /// The server's own numbers for wanted databases, where they differ from what is known.
    pub oids: BTreeMap<String, u32>,
    /// Databases of ours that the spec no longer names, and why even the master cannot enter one. They are kept.
    pub removed_databases: BTreeMap<String, Option<String>>,
}

/// Something that is not as declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The user it is about.
    pub user: Option<String>,
    /// The database it is about.
    pub database: Option<String>,
    /// What it is, as a sentence.
    pub text: String,
    /// Why it is left.
    pub why: Why,
}

/// Why something is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The server's state does not allow it.
    Blocked,
    /// It was tried and failed.
    Failed {
        /// The same may succeed later without anyone's doing.
        passing: bool,
    },
    /// It was not tried, or is asked for again although it was done.
    Undone,
}
