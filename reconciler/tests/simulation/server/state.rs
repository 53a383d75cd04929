//! All servers of a simulation as one value.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use reconciler::engine::Login;
use reconciler::engine::postgres::{SqlStep, script};

use super::postgres::{Event, Postgres, Sitting};

/// Every server by the resource id of its instance, and the data of snapshots by theirs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(super) servers: BTreeMap<String, Postgres>,
    /// What arrives although nobody waits for its answer any more, by when.
    late: Vec<Late>,
}

/// A part of a step that is still on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Late {
    /// Since the beginning.
    pub(super) due: Duration,
    pub(super) resource: String,
    pub(super) master: Login,
    pub(super) step: SqlStep,
    pub(super) part: usize,
}

impl State {
    /// A number for all of it, the same in every process.
    pub(crate) fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.servers.hash(&mut hasher);
        for late in &self.late {
            (late.due, &late.resource, late.step.to_string(), late.part).hash(&mut hasher);
        }
        hasher.finish()
    }

    pub(super) fn send_late(&mut self, late: Late) {
        self.late.push(late);
        self.late.sort_by_key(|late| late.due);
    }

    /// Lets arrive what is due, and tells where what came of it.
    pub(super) fn advance(&mut self, now: Duration) -> Vec<(String, Event)> {
        let mut told = Vec::new();
        while self.late.first().is_some_and(|late| late.due <= now) {
            let Late { resource, master, step, part, .. } = self.late.remove(0);
            let mut news = Vec::new();
            if let (Some(server), Some(batch)) =
                (self.servers.get_mut(&resource), script(&step, |_| String::new()).get(part))
            {
                // Nobody hears what came of it.
                drop(Sitting::of(&master).run(server, (&step, part), batch, &mut news));
            }
            told.extend(news.into_iter().map(|event| (resource.clone(), event)));
        }
        told
    }
}
