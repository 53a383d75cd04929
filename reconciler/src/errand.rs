//! A visit that is under way: it has hold of the server, and goes on by one transition for each thing that was done. The plan sees its [`Progress`].

use shared::number::are;

use crate::clock::Moment;
use crate::engine::{Kind, Visit};
use crate::plan::{Doorway, Part, Progress, Reason};

/// Logins of one slice.
const LOGINS: usize = 64;

/// A visit that is under way. It is lost with the process, and then another begins.
#[derive(Clone, Debug)]
pub struct Errand {
    /// The digest of its [`VisitInputs`](crate::plan::VisitInputs).
    inputs: String,
    /// When something was last done.
    at: Moment,
    /// What comes next.
    stage: Stage,
    /// What was found and done inside the server.
    visit: Box<dyn Visit>,
}

/// What a visit does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It looks.
    Look,
    /// Changes are carried out.
    Work,
    /// These logins are tried.
    LogIn(Vec<Doorway>),
    /// It is over.
    Over,
}

/// The reason of the Event of each kind.
impl From<Kind> for Reason {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::UsersCreated => Self::UsersCreated,
            Kind::UsersChanged => Self::UsersChanged,
            Kind::UsersRemoved => Self::UsersRemoved,
            Kind::DatabasesCreated => Self::DatabasesCreated,
            Kind::DatabasesSecured => Self::DatabasesSecured,
            Kind::AccessGiven => Self::AccessGiven,
            Kind::AccessTaken => Self::AccessTaken,
            Kind::ObjectsHandedOver => Self::ObjectsHandedOver,
        }
    }
}

impl Errand {
    /// A visit that begins with a look.
    pub fn begin(inputs: String, visit: Box<dyn Visit>, now: Moment) -> Self {
        Self { inputs, at: now, stage: Stage::Look, visit }
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        let (part, message) = match &self.stage {
            Stage::Look | Stage::Over => (Part::Look, "the server is being looked at".to_owned()),
            Stage::Work => {
                let next = self.visit.next().unwrap_or_default();
                let left = are(self.visit.todo(), "change");
                (Part::Work, format!("{left} left inside the server, next: {next}"))
            }
            Stage::LogIn(left) => (Part::LogIn, format!("{} left to be tried", are(left.len(), "login"))),
        };
        Progress { inputs: self.inputs.clone(), at: self.at, part, message }
    }

    /// What comes next.
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// What was found and done inside the server.
    pub fn visit(&self) -> &dyn Visit {
        &*self.visit
    }

    /// The same, to look and to work; what was done is then told with [`Errand::looked`], [`Errand::worked`] or [`Errand::logged_in`].
    pub fn visit_mut(&mut self) -> &mut dyn Visit {
        &mut *self.visit
    }

    /// The next logins.
    pub fn logins(&self) -> &[Doorway] {
        match &self.stage {
            Stage::LogIn(doors) => &doors[..doors.len().min(LOGINS)],
            _ => &[],
        }
    }

    /// What people are told of.
    pub fn told(&self) -> Vec<(Reason, String)> {
        self.visit.tally().told().map(|(kind, note)| (kind.into(), note)).collect()
    }

    /// After a look. It goes on with work while there is some that was not just tried, then with the logins in `due`.
    pub fn looked(&mut self, due: impl FnOnce(&dyn Visit) -> Vec<Doorway>, now: Moment) {
        self.at = now;
        self.stage = match self.visit.todo() {
            0 => {
                let doors = due(self.visit());
                if doors.is_empty() { Stage::Over } else { Stage::LogIn(doors) }
            }
            _ => Stage::Work,
        };
    }

    /// After the next changes were carried out.
    pub fn worked(&mut self, now: Moment) {
        self.at = now;
        if self.visit.todo() == 0 {
            self.stage = Stage::Look;
        }
    }

    /// After the first logins were tried. Passwords that were refused are set, once.
    pub fn logged_in(&mut self, count: usize, now: Moment) {
        self.at = now;
        let Stage::LogIn(doors) = &mut self.stage else { return };
        doors.drain(..count.min(doors.len()));
        if self.visit.todo() > 0 {
            // What is left of the logins is due again after the next look.
            self.stage = Stage::Work;
        } else if doors.is_empty() {
            self.stage = Stage::Over;
        }
    }
}

#[cfg(test)]
mod tests;
