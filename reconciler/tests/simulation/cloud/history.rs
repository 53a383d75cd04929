//! What happened in the cloud, typed: the oracle judges by it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use reconciler::engine::Password;
use reconciler::providers::{Instance, Settings, Snapshot};

use super::view::{Kept, View};

/// Who keeps what happens in the cloud. Told when the cloud is not busy: it may ask the cloud.
pub(crate) trait Witness: Send + Sync {
    /// Something happened. Its `Display` is its line in the log.
    fn happened(&self, record: &Record);
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    /// When; what time alone brings about is told of at the next call, which may be later.
    pub(crate) at: Timestamp,
    pub(crate) by: By,
    /// When it was asked for, where that is what a call brings about that comes late.
    pub(crate) sent: Option<Timestamp>,
    pub(crate) event: CloudEvent,
}

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Operator,
    /// Somebody at the console.
    Person,
    /// RDS itself, and what a schedule orders it to suffer.
    Rds,
}

/// What happened, and what was there before. Instances are told by their resource ids.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum CloudEvent {
    /// A call of the operator's was answered, or what it was told when no answer came: its code, where it was no success.
    Called { action: &'static str, about: String, mutates: bool, code: Option<String> },
    /// An instance is listed that was not.
    Created { instance: Box<Instance> },
    /// A server has begun in an instance: empty, or with the data of a snapshot, in which the passwords are those of then.
    ServerBegan { resource_id: String, master_user: String, password: Option<Password>, from_snapshot: Option<String> },
    /// The master user of the server in an instance has another password.
    MasterPassword { resource_id: String, password: Option<Password> },
    /// It runs with other settings, or others wait.
    Modified { resource_id: String, before: Box<Changing>, after: Box<Changing> },
    /// It has other tags.
    Marked { resource_id: String, before: BTreeMap<String, String>, after: BTreeMap<String, String> },
    /// RDS is going to upgrade its engine by itself, with the next change that is applied at once at the latest.
    UpgradeRequired { resource_id: String },
    /// A change was applied at once, and so is the upgrade.
    UpgradeBroughtForward { resource_id: String },
    /// It has another identifier.
    Renamed { resource_id: String, before: String, after: String },
    /// It is shown in another state.
    State { resource_id: String, before: String, after: String },
    /// It is shown at another endpoint, or at none.
    Endpoint { resource_id: String, before: Option<String>, after: Option<String> },
    /// Its deletion was asked for and accepted.
    DeletionAsked { before: Box<Instance>, final_snapshot: Option<String> },
    /// It is not listed any more.
    InstanceGone { before: Box<Instance> },
    /// A snapshot is being made of an instance: its data are those of now.
    SnapshotBegun { snapshot: Snapshot },
    /// It is complete.
    SnapshotAvailable { snapshot: Snapshot },
    /// It never will be.
    SnapshotFailed { snapshot: Snapshot },
    /// It is not listed any more.
    SnapshotGone { before: Snapshot },
}

/// The settings of an instance at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Changing {
    pub(crate) running: Settings,
    pub(crate) pending: Settings,
}

impl View {
    /// What has happened when `after` is what is shown instead of this.
    pub(super) fn until(&self, after: &Self) -> Vec<CloudEvent> {
        let mut events = Vec::new();
        for is in &after.instances {
            match self.instances.iter().find(|was| was.resource_id == is.resource_id) {
                None => events.push(CloudEvent::Created { instance: Box::new(is.clone()) }),
                Some(was) if was != is => events.extend(changes(was, is)),
                Some(_) => {}
            }
        }
        let gone = |was: &&Instance| !after.instances.iter().any(|is| is.resource_id == was.resource_id);
        let gone = self.instances.iter().filter(gone);
        events.extend(gone.map(|was| CloudEvent::InstanceGone { before: Box::new(was.clone()) }));
        events.extend(after.snapshots.iter().filter_map(|is| self.snapshot_until(is)));
        let gone = |was: &&Kept| after.snapshot(&was.snapshot.identifier).is_none();
        let gone = self.snapshots.iter().filter(gone);
        events.extend(gone.map(|was| CloudEvent::SnapshotGone { before: was.snapshot.clone() }));
        events
    }

    fn snapshot_until(&self, is: &Kept) -> Option<CloudEvent> {
        let (was, snapshot) = (self.snapshot(&is.snapshot.identifier), is.snapshot.clone());
        if was.is_some_and(|was| was.status == snapshot.status) {
            None
        } else if snapshot.available() {
            Some(CloudEvent::SnapshotAvailable { snapshot })
        } else if snapshot.failed() {
            Some(CloudEvent::SnapshotFailed { snapshot })
        } else {
            Some(CloudEvent::SnapshotBegun { snapshot })
        }
    }
}

fn changes(was: &Instance, is: &Instance) -> impl Iterator<Item = CloudEvent> {
    let resource_id = || is.resource_id.clone().unwrap_or_default();
    let settings = |of: &Instance| Changing { running: of.running.clone(), pending: of.pending.clone() };
    let modified = (settings(was) != settings(is)).then(|| CloudEvent::Modified {
        resource_id: resource_id(),
        before: Box::new(settings(was)),
        after: Box::new(settings(is)),
    });
    let marked = (was.tags != is.tags).then(|| CloudEvent::Marked {
        resource_id: resource_id(),
        before: was.tags.clone(),
        after: is.tags.clone(),
    });
    let renamed = (was.identifier != is.identifier).then(|| CloudEvent::Renamed {
        resource_id: resource_id(),
        before: was.identifier.clone(),
        after: is.identifier.clone(),
    });
    let state = (was.status != is.status).then(|| CloudEvent::State {
        resource_id: resource_id(),
        before: was.status.to_string(),
        after: is.status.to_string(),
    });
    let host = |of: &Instance| of.endpoint.as_ref().map(|endpoint| endpoint.host.clone());
    let endpoint = (was.endpoint != is.endpoint).then(|| CloudEvent::Endpoint {
        resource_id: resource_id(),
        before: host(was),
        after: host(is),
    });
    [renamed, marked, modified, state, endpoint].into_iter().flatten()
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, by, sent: _, event } = self;
        let by = match by {
            By::Operator => "operator",
            By::Person => "person",
            By::Rds => "RDS",
        };
        write!(f, "{}.{:03} {by}: {event}", at.as_second(), at.subsec_millisecond())
    }
}

impl fmt::Display for CloudEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Called { action, about, mutates: _, code } => {
                write!(f, "{action} {about}: {}", code.as_deref().unwrap_or("ok"))
            }
            Self::Created { instance } => {
                write!(f, "{} is the instance {}", id(instance.resource_id.as_ref()), instance.identifier)
            }
            Self::ServerBegan { resource_id, master_user, password: _, from_snapshot } => {
                let data = from_snapshot.as_deref().unwrap_or("nothing");
                write!(f, "{resource_id} has a server of {master_user}'s with the data of {data}")
            }
            Self::MasterPassword { resource_id, password: _ } => write!(f, "{resource_id} has another master password"),
            Self::Modified { resource_id, before: _, after } => {
                write!(f, "{resource_id} runs with {}, to come: {}", after.running, after.pending)
            }
            Self::Marked { resource_id, before: _, after } => write!(f, "{resource_id} has the tags {after:?}"),
            Self::UpgradeRequired { resource_id } => write!(f, "{resource_id} is going to be upgraded"),
            Self::UpgradeBroughtForward { resource_id } => write!(f, "{resource_id} is upgraded with what is changed"),
            Self::Renamed { resource_id, before, after } => write!(f, "{resource_id} was {before} and is {after}"),
            Self::State { resource_id, before, after } => write!(f, "{resource_id}: {before}, then {after}"),
            Self::Endpoint { resource_id, before: _, after } => {
                write!(f, "{resource_id} is at {}", after.as_deref().unwrap_or("no endpoint"))
            }
            Self::DeletionAsked { before, final_snapshot } => {
                let snapshot = final_snapshot.as_deref().unwrap_or("none");
                write!(f, "{} is to be deleted, final snapshot {snapshot}", id(before.resource_id.as_ref()))
            }
            Self::InstanceGone { before } => write!(f, "{} is gone", id(before.resource_id.as_ref())),
            Self::SnapshotBegun { snapshot } => told(f, snapshot, "is begun"),
            Self::SnapshotAvailable { snapshot } => told(f, snapshot, "is available"),
            Self::SnapshotFailed { snapshot } => told(f, snapshot, "has failed"),
            Self::SnapshotGone { before } => told(f, before, "is gone"),
        }
    }
}

fn id(resource_id: Option<&String>) -> &str {
    resource_id.map_or("an instance without an id", String::as_str)
}

fn told(f: &mut fmt::Formatter<'_>, snapshot: &Snapshot, what: &str) -> fmt::Result {
    write!(f, "the snapshot {} of {} {what}", snapshot.identifier, id(snapshot.resource_id.as_ref()))
}

/// Keeps everything.
#[derive(Debug, Default)]
pub(crate) struct Journal(Mutex<Vec<Record>>);

impl Journal {
    pub(crate) fn records(&self) -> Vec<Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Witness for Journal {
    fn happened(&self, record: &Record) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(record.clone());
    }
}
