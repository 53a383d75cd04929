//! What the state of an instance means, whatever its provider calls it.

use std::fmt;

/// The state of an instance: the provider's word, and what it means for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    word: String,
    phase: Phase,
}

/// What a state means. Each provider's adapter has a table of its own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phase {
    /// What becomes of the state.
    pub course: Course,
    /// The server can be expected to answer on its endpoint.
    pub serves: bool,
    /// What the provider can be asked to change.
    pub takes: Changes,
    /// Whether it can be deleted with a final snapshot.
    pub final_snapshot: FinalSnapshot,
}

/// What becomes of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// Nothing is going on.
    Settled,
    /// It is on its way in.
    Creating,
    /// It is on its way out.
    Deleting,
    /// Something is going on that ends soon: worth a look each second.
    Passing,
    /// Something is going on that takes hours.
    Slow,
    /// It does not pass by itself; what a person can do.
    Stuck(&'static str),
}

/// What can be changed in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changes {
    /// Nothing.
    None,
    /// Anything.
    All,
    /// The storage alone.
    Storage,
    /// Anything but the storage.
    ButStorage,
}

/// Whether an instance can be deleted with a final snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinalSnapshot {
    /// Now.
    Possible,
    /// When the state has passed.
    Later,
    /// Not in this state, which does not pass by itself.
    Impossible,
}

impl State {
    /// The provider's word, verbatim, with what it means.
    pub fn new(word: impl Into<String>, phase: Phase) -> Self {
        Self { word: word.into(), phase }
    }

    /// The server can be expected to answer on its endpoint.
    pub fn serves(&self) -> bool {
        self.phase.serves
    }

    /// Something is going on that ends soon: worth a look each second.
    pub fn passing(&self) -> bool {
        matches!(self.phase.course, Course::Creating | Course::Deleting | Course::Passing)
    }

    /// The provider takes changes other than to storage.
    pub(crate) fn modifiable(&self) -> bool {
        matches!(self.phase.takes, Changes::All | Changes::ButStorage)
    }

    /// The provider takes a change of storage.
    pub(crate) fn storage_modifiable(&self) -> bool {
        matches!(self.phase.takes, Changes::All | Changes::Storage)
    }

    /// It is on its way out.
    pub fn deleting(&self) -> bool {
        self.phase.course == Course::Deleting
    }

    /// It is on its way in.
    pub fn creating(&self) -> bool {
        self.phase.course == Course::Creating
    }

    /// Whether it can be deleted with a final snapshot.
    pub fn final_snapshot(&self) -> FinalSnapshot {
        self.phase.final_snapshot
    }

    /// The state in which nothing goes on, for one that is imagined: no provider has a word for it.
    pub(crate) fn settled() -> Self {
        let (takes, final_snapshot) = (Changes::All, FinalSnapshot::Possible);
        Self::new("", Phase { course: Course::Settled, serves: true, takes, final_snapshot })
    }

    /// Nothing goes on, and any change is taken.
    pub(crate) fn is_settled(&self) -> bool {
        self.phase == Self::settled().phase
    }

    /// What a person can do, for the states that do not pass by themselves.
    pub(crate) fn stuck(&self) -> Option<&'static str> {
        match self.phase.course {
            Course::Stuck(remedy) => Some(remedy),
            _ => None,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.word)
    }
}
