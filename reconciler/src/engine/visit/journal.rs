//! What of a plan was tried, done and stopped: pure, one transition for each thing that was done.

use super::tally::Tally;
use crate::engine::error::EngineError;
use crate::engine::port::{Change, Outcome};

/// Steps of one slice, at most; its time is bounded too.
const SLICE: usize = 200;

/// What a visit has done, and what it does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Journal<S> {
    /// What is carried out next.
    todo: Vec<S>,
    /// What was tried since the last look but one: a plan that asks for nothing else ends the work.
    tried: Vec<S>,
    /// All that was done.
    worked: Vec<S>,
    /// What of it was not done, with the error where it was tried.
    stopped: Vec<(S, Option<EngineError>)>,
    /// What people are told of at the end.
    tally: Tally,
}

impl<S> Default for Journal<S> {
    fn default() -> Self {
        let (todo, tried, worked) = (Vec::new(), Vec::new(), Vec::new());
        Self { todo, tried, worked, stopped: Vec::new(), tally: Tally::default() }
    }
}

impl<S: Change> Journal<S> {
    /// After a look that asks for `steps`: there is work while some of them were not just tried.
    pub(super) fn looked(&mut self, steps: &[S]) {
        self.todo.clear();
        if steps.iter().any(|step| !self.tried.contains(step)) {
            self.tried = steps.to_vec();
            self.stopped.clear();
            self.todo = steps.to_vec();
        }
    }

    /// More to do, where it was not done in this visit already.
    pub(super) fn add(&mut self, steps: impl IntoIterator<Item = S>) {
        let fresh: Vec<_> = steps.into_iter().filter(|step| !self.worked.contains(step)).collect();
        self.todo.extend(fresh);
    }

    /// The next steps, and those that were not done before them.
    pub(super) fn slice(&self) -> (&[S], Vec<S>) {
        let stopped = self.stopped.iter().map(|(step, _)| step.clone()).collect();
        (&self.todo[..self.todo.len().min(SLICE)], stopped)
    }

    /// After the first steps of the slice were carried out.
    pub(super) fn worked_on(&mut self, outcomes: Vec<Outcome>) {
        let rest = self.todo.split_off(outcomes.len().min(self.todo.len()));
        for (step, outcome) in std::mem::replace(&mut self.todo, rest).into_iter().zip(outcomes) {
            match outcome {
                Outcome::Done => {
                    self.tally.add(&step);
                    self.worked.push(step);
                }
                Outcome::Failed(error) => self.stopped.push((step, Some(error))),
                Outcome::Skipped => self.stopped.push((step, None)),
            }
        }
    }

    /// What is carried out next.
    pub(super) fn todo(&self) -> &[S] {
        &self.todo
    }

    /// All that was done.
    pub(super) fn worked(&self) -> &[S] {
        &self.worked
    }

    /// The error with which a step failed.
    pub(super) fn failure(&self, step: &S) -> Option<&EngineError> {
        self.stopped.iter().find(|(stopped, _)| stopped == step).and_then(|(_, error)| error.as_ref())
    }

    /// What people are told of.
    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }
}
