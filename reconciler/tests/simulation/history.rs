//! What happened, in its order: typed, for the oracle, and in words, for people. Two runs of one seed have the same to the byte.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::chance::Time;
use crate::cluster::ClusterEvent;
use crate::{cloud, server};

/// Something that happened.
#[derive(Clone, Debug)]
pub(crate) struct Happened {
    /// Since the beginning.
    pub(crate) at: Duration,
    pub(crate) what: Event,
}

/// What it was.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A change of Kubernetes that a process made.
    Cluster(ClusterEvent),
    /// In the cloud; with the object that the instance is marked as that of, where one is made or is to go.
    Cloud { record: Arc<cloud::history::Record>, object: Option<Arc<Value>> },
    /// People said what they want of an object: this is how it is stored.
    Declared { object: Arc<Value> },
    /// On a server.
    Server(Arc<server::Record>),
    /// A process begins, and remembers nothing.
    Begun,
    /// Somebody sets the wall clocks of all processes, by so many seconds.
    ClockSet { seconds: i64 },
}

/// All that has happened in a simulation.
#[derive(Debug)]
pub(crate) struct History {
    time: Time,
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    events: Vec<Happened>,
    log: Vec<String>,
}

impl History {
    pub(crate) fn begin(time: Time) -> Self {
        Self { time, told: Mutex::default() }
    }

    /// Something that the oracle judges by.
    pub(crate) fn happened(&self, what: Event) {
        self.lock().events.push(Happened { at: self.time.elapsed(), what });
    }

    /// A line for people.
    pub(crate) fn log(&self, line: impl fmt::Display) {
        let at = self.time.elapsed();
        self.lock().log.push(format!("{:>9.3} {line}", at.as_secs_f64()));
    }

    /// All events until now.
    pub(crate) fn events(&self) -> Vec<Happened> {
        self.lock().events.clone()
    }

    /// All lines until now.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lock().log.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
