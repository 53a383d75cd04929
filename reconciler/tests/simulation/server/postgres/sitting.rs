//! The master's sessions for one piece of work of the operator's.

use std::collections::BTreeSet;

use reconciler::engine::Login;
use reconciler::engine::postgres::{Batch, SqlStep};

use super::{Event, Postgres, Refusal, Session};

/// A session in each database that the work leads to.
#[derive(Debug)]
pub(crate) struct Sitting {
    master: Login,
    /// Databases that did not let the master in.
    closed: BTreeSet<String>,
}

impl Sitting {
    pub(crate) fn of(master: &Login) -> Self {
        Self { master: master.clone(), closed: BTreeSet::new() }
    }

    pub(crate) fn master(&self) -> &Login {
        &self.master
    }

    pub(crate) fn is_closed(&self, database: &str) -> bool {
        self.closed.contains(database)
    }

    /// Carries out one batch of a step, the `part`th of its script.
    pub(crate) fn run(
        &mut self,
        server: &mut Postgres,
        (step, part): (&SqlStep, usize),
        batch: &Batch,
        told: &mut Vec<Event>,
    ) -> Result<(), Refusal> {
        let place = batch.database.as_ref().unwrap_or(&self.master.database);
        match Session::open(server, &self.master.user, &self.master.password, place, told) {
            Ok(mut session) => session.run(step, part, batch),
            Err(refusal) => {
                self.closed.extend(batch.database.clone());
                Err(refusal)
            }
        }
    }
}
