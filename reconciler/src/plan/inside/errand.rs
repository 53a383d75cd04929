//! A visit that is under way: pure, one transition for each thing that was done.

use shared::number::are;
use std::collections::BTreeMap;
use std::time::Duration;

use super::logins::Doorway;
use crate::engine::{Blocked, Catalog, EngineError, Kind, Outcome, SqlPlan, SqlStep};
use crate::plan::{Moment, Reason, Step};

/// What was looked at longer ago than this is looked at again before anything is done.
const LONGEST_BREAK: Duration = Duration::from_mins(5);
/// Steps of one slice, at most; its time is bounded too.
const SLICE: usize = 200;
/// Logins of one slice.
const LOGINS: usize = 64;
/// Examples that an Event gives of each kind.
const EXAMPLES: usize = 5;
const LONGEST_EXAMPLE: usize = 150;

/// A visit that is under way. It is lost with the process, and then another begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    /// A digest of all that it depends on.
    inputs: String,
    /// When something was last done.
    at: Moment,
    /// What comes next.
    stage: Stage,
    /// What was tried since the last look but one: a plan that asks for nothing else ends the work.
    tried: Vec<SqlStep>,
    /// All that was done.
    worked: Vec<SqlStep>,
    /// What of it was not done, with the error where it was tried.
    stopped: Vec<(SqlStep, Option<EngineError>)>,
    /// What the last look found.
    catalog: Catalog,
    /// What is still to do after it, and cannot be done.
    plan: SqlPlan,
    /// What people are told of at the end.
    tally: Tally,
}

/// What a visit does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It looks.
    Look,
    /// These steps are carried out.
    Work(Vec<SqlStep>),
    /// These logins are tried.
    LogIn(Vec<Doorway>),
    /// It is over.
    Over,
}

/// How much was done, by kind, with examples.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<Kind, (usize, Vec<String>)>);

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

impl Tally {
    fn add(&mut self, step: &SqlStep) {
        let (count, examples) = self.0.entry(step.kind()).or_default();
        *count += 1;
        if examples.len() < EXAMPLES {
            examples.push(step.to_string().chars().take(LONGEST_EXAMPLE).collect());
        }
    }

    /// A reason and a note for each kind.
    pub fn told(&self) -> Vec<(Reason, String)> {
        let note = |count: usize, examples: &[String]| match count - examples.len() {
            0 => examples.join("; "),
            more => format!("{}; and {more} more", examples.join("; ")),
        };
        self.0.iter().map(|(kind, (count, examples))| ((*kind).into(), note(*count, examples))).collect()
    }
}

impl Errand {
    /// A visit that begins with a look.
    pub fn begin(inputs: String, now: Moment) -> Self {
        Self {
            inputs,
            at: now,
            stage: Stage::Look,
            tried: Vec::new(),
            worked: Vec::new(),
            stopped: Vec::new(),
            catalog: Catalog::default(),
            plan: SqlPlan::default(),
            tally: Tally::default(),
        }
    }

    /// Whether it is about what is wanted now, and not too old.
    pub fn goes_on(&self, inputs: Option<&str>, now: Moment) -> bool {
        inputs == Some(self.inputs.as_str()) && now.since(self.at) < LONGEST_BREAK
    }

    /// The next step.
    pub fn step(&self) -> Step {
        match &self.stage {
            Stage::Look | Stage::Over => Step::Look,
            Stage::Work(_) => Step::Work,
            Stage::LogIn(_) => Step::LogIn,
        }
    }

    /// How far it is, for a condition.
    pub fn progress(&self) -> String {
        match &self.stage {
            Stage::Look | Stage::Over => "the server is being looked at".into(),
            Stage::Work(left) => {
                let next = left.first().map(ToString::to_string).unwrap_or_default();
                format!("{} left inside the server, next: {next}", are(left.len(), "change"))
            }
            Stage::LogIn(left) => format!("{} left to be tried", are(left.len(), "login")),
        }
    }

    /// What comes next.
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// The next steps, and those that were not done before them.
    pub fn slice(&self) -> (&[SqlStep], Vec<SqlStep>) {
        let steps = match &self.stage {
            Stage::Work(steps) => &steps[..steps.len().min(SLICE)],
            _ => &[],
        };
        (steps, self.stopped.iter().map(|(step, _)| step.clone()).collect())
    }

    /// The next logins.
    pub fn logins(&self) -> &[Doorway] {
        match &self.stage {
            Stage::LogIn(doors) => &doors[..doors.len().min(LOGINS)],
            _ => &[],
        }
    }

    /// All that was done.
    pub fn worked(&self) -> &[SqlStep] {
        &self.worked
    }

    /// What the last look found.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// What is left to do, and cannot be done.
    pub fn left(&self) -> (&[SqlStep], &[Blocked]) {
        (&self.plan.steps, &self.plan.blocked)
    }

    /// The error with which a step failed.
    pub fn failure(&self, step: &SqlStep) -> Option<&EngineError> {
        self.stopped.iter().find(|(stopped, _)| stopped == step).and_then(|(_, error)| error.as_ref())
    }

    /// What people are told of.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// After a look. It goes on with work while there is some that was not just tried, then with the logins in `due`.
    pub fn looked(
        &mut self,
        catalog: Catalog,
        plan: SqlPlan,
        due: impl FnOnce(&Catalog, &[SqlStep]) -> Vec<Doorway>,
        now: Moment,
    ) {
        self.at = now;
        self.catalog = catalog;
        if plan.steps.iter().any(|step| !self.tried.contains(step)) {
            self.tried.clone_from(&plan.steps);
            self.stopped.clear();
            self.stage = Stage::Work(plan.steps.clone());
        } else {
            let doors = due(&self.catalog, &self.worked);
            self.stage = if doors.is_empty() { Stage::Over } else { Stage::LogIn(doors) };
        }
        self.plan = plan;
    }

    /// After the first steps of the slice were carried out.
    pub fn worked_on(&mut self, outcomes: Vec<Outcome>, now: Moment) {
        self.at = now;
        let Stage::Work(steps) = &mut self.stage else { return };
        let rest = steps.split_off(outcomes.len().min(steps.len()));
        for (step, outcome) in std::mem::replace(steps, rest).into_iter().zip(outcomes) {
            match outcome {
                Outcome::Done => {
                    self.tally.add(&step);
                    self.worked.push(step);
                }
                Outcome::Failed(error) => self.stopped.push((step, Some(error))),
                Outcome::Skipped => self.stopped.push((step, None)),
            }
        }
        if steps.is_empty() {
            self.stage = Stage::Look;
        }
    }

    /// After the first logins were tried. Passwords that were refused are set, once.
    pub fn logged_in(&mut self, count: usize, refused: Vec<SqlStep>, now: Moment) {
        self.at = now;
        let Stage::LogIn(doors) = &mut self.stage else { return };
        doors.drain(..count.min(doors.len()));
        let fresh: Vec<_> = refused.into_iter().filter(|step| !self.worked.contains(step)).collect();
        if !fresh.is_empty() {
            // What is left of the logins is due again after the next look.
            self.stage = Stage::Work(fresh);
        } else if doors.is_empty() {
            self.stage = Stage::Over;
        }
    }
}
