//! What the plan decides on: plain values, observed elsewhere.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use shared::api::InstanceRef;
use shared::names::InstanceIdentifier;
use shared::rules::DatabaseName;

use super::inside::inputs::VisitInputs;
use super::inside::logins::{Doorway, LoginKnown};
use super::inside::progress::Progress;
use super::ledger::Ledger;
use super::reason::Reason;
use crate::authorities::Authorities;
use crate::binding::SecretData;
use crate::clock::Moment;
use crate::cluster::Version;
use crate::engine::{Known, Password};
use crate::providers::{Backup, Group, Instance, Maintenance, Offer, Offered, Owner, Quota, Snapshot, Upgrades};
use crate::subject::Adoption;

/// What is known of one thing in the world. `Unknown` never acts as `Absent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen<T> {
    /// It is there, and this is how it looks.
    Known(T),
    /// It was looked for and is not there.
    Absent,
    /// It could not be looked for, and why.
    Unknown(String),
}

impl<T> Seen<T> {
    /// The thing, where it was seen.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(thing) => Some(thing),
            _ => None,
        }
    }

    /// Whether it was looked for and is not there.
    pub fn absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// The object itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectFacts {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// UID.
    pub uid: String,
    /// It is being deleted.
    pub deleting: bool,
    /// When it was asked to be.
    pub deleted_at: Option<Timestamp>,
    /// It carries our finalizer.
    pub finalizer: bool,
    /// Its namespace is being deleted: nothing can be created there.
    pub namespace_terminating: bool,
    /// The resource id that an annotation allows to be replaced by a new, empty instance.
    pub recreate_lost: Option<String>,
    /// The lost databases that an annotation allows to be replaced by empty ones.
    pub recreate_databases: Option<String>,
    /// The resource id that an annotation accepts as this object's instance, after a restore under the same name.
    pub accept_instance: Option<String>,
}

/// A Secret of a name that is ours to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretFact {
    /// Marked as ours for this object.
    Ours {
        /// Its contents.
        data: SecretData,
        /// What was read: only this is ever changed or deleted.
        version: Version,
    },
    /// Somebody else's, or of another type or user: it stays untouched.
    Foreign {
        /// What tells it from ours.
        why: String,
    },
}

/// A Service of a name that is ours to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceFact {
    /// Marked as ours for this object.
    Ours {
        /// Its target.
        external_name: String,
        /// Its port, where it declares one.
        port: Option<i32>,
        /// What was read: only this is ever changed or deleted.
        version: Version,
    },
    /// Somebody else's.
    Foreign {
        /// Whose, as far as it says.
        owner: String,
    },
}

/// How a visit to the database ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlVisit {
    /// The digest of its [`VisitInputs`].
    pub inputs: String,
    /// When it ended.
    pub at: Moment,
    /// What it found.
    pub result: Result<SqlReport, SqlFailure>,
}

impl SqlVisit {
    /// How many visits in a row have failed, or left something to be tried again.
    pub fn failures(&self) -> u32 {
        self.result.as_ref().map_or_else(|failure| failure.attempts, |report| report.attempts)
    }
}

/// What a visit to the database found: users, databases and logins after all was done that could be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SqlReport {
    /// What stands in the way of a user; `None` where it is as declared.
    pub users: BTreeMap<String, Option<String>>,
    /// What stands in the way of a database; `None` where it is as declared.
    pub databases: BTreeMap<String, Option<String>>,
    /// What else is still to do, about users who left the spec or the server as a whole.
    pub unfinished: Vec<String>,
    /// What is done a little at each look: it stands in nobody's way.
    pub notes: Vec<String>,
    /// A database that was there once is gone.
    pub lost: bool,
    /// Oids of databases that were not known yet.
    pub oids: BTreeMap<String, u32>,
    /// When to try again what failed.
    pub retry_at: Option<Moment>,
    /// How many visits in a row have left something to be tried again, with this one.
    pub attempts: u32,
    /// All that stands in the way may pass by itself.
    pub passing: bool,
    /// Databases of ours that the spec no longer names, and what is told of each. They are kept.
    pub removed_databases: BTreeMap<String, String>,
    /// What a login as `user@database` showed: `None` where all is well.
    pub logins: BTreeMap<String, Option<String>>,
}

impl SqlReport {
    /// Nothing stands in the way of any user or database.
    pub fn settled(&self) -> bool {
        self.obstacles().is_empty()
    }

    /// All that stands in the way.
    pub(crate) fn obstacles(&self) -> Vec<&str> {
        let users = self.users.values().chain(self.databases.values()).flatten();
        users.chain(&self.unfinished).map(String::as_str).collect()
    }

    /// Every login showed what it should.
    pub(crate) fn verified(&self) -> bool {
        self.logins.values().all(Option::is_none)
    }
}

/// Why a visit to the database came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlFailure {
    /// The condition's reason.
    pub reason: Reason,
    /// The error, and what to do.
    pub message: String,
    /// Only a person can mend it.
    pub needs_person: bool,
    /// The server does not take the master user's password.
    pub master_refused: bool,
    /// Not before.
    pub retry_at: Moment,
    /// How often in a row, with the same inputs.
    pub attempts: u32,
}

/// All that was observed of one object's world.
#[derive(Clone, Debug)]
pub struct World {
    /// The object.
    pub object: ObjectFacts,
    /// The name of the cluster in ownership tags.
    pub cluster: String,
    /// The name its instance has or will have.
    pub identifier: InstanceIdentifier,
    /// What the provider offers, and its words.
    pub offer: &'static dyn Offer,
    /// Account and region that the class leads to now, or why it leads nowhere.
    pub account: Result<AccountFacts, String>,
    /// The instance that the status has pinned.
    pub pinned: Option<InstanceRef>,
    /// The instance.
    pub instance: Seen<Instance>,
    /// Manual snapshots of the instance's name; looked for while there is no instance or while it is being deleted.
    pub snapshots: Seen<Vec<Snapshot>>,
    /// Since when the instance was not there at each look of this process.
    pub absent_since: Option<Moment>,
    /// When an earlier look last showed the object's very instance as one that is not to be touched, marked as another's for one.
    pub estranged_at: Option<Moment>,
    /// The name by which this object's very instance goes, where another one has its name.
    pub moved_to: Option<String>,
    /// What the data of a new instance may come from; looked for while there is no instance, where the object asks for that.
    pub backups: Seen<Vec<Backup>>,
    /// The groups of parameters that an instance of this object is to have and has not, by name.
    pub groups: BTreeMap<String, Seen<Group>>,
    /// The parameters that may be set, by the family of servers; asked for where the object, or its class, asks for some.
    pub offered: BTreeMap<String, Seen<Arc<Offered>>>,
    /// The copies that are kept beside the automated backups; looked for where the object asks for some.
    pub copies: Option<KeptCopies>,
    /// What the provider is going to do to the instance by itself.
    pub maintenance: Seen<Vec<Maintenance>>,
    /// When this was observed, by the clock on the wall: what people count in days. No hold is counted by it.
    pub at: Timestamp,
    /// The minute of the week, in UTC: what maintenance windows are counted by. No hold is.
    pub minute: u16,
    /// What an upgrade to another major version meets; looked for while the object asks for one.
    pub passage: Option<Passage>,
    /// The instance that the object is to take over.
    pub adopts: Option<Adoption>,
    /// Secrets by name: those wanted, and further ones that are marked as this object's.
    pub secrets: BTreeMap<String, Seen<SecretFact>>,
    /// The Service beside the object.
    pub service: Seen<ServiceFact>,
    /// The alias in the shared namespace; `None` where the operator keeps no aliases for this namespace.
    pub alias: Option<Seen<ServiceFact>>,
    /// The last visit to the database that came to its end.
    pub visit: Option<SqlVisit>,
    /// How far the visit is that is under way.
    pub errand: Option<Progress>,
    /// What the last login of each user to each of its databases showed.
    pub logins: BTreeMap<Doorway, LoginKnown>,
    /// Databases that were known to be there: by the status, or by this process where the status was taken back to one that knew less.
    pub known_databases: BTreeMap<DatabaseName, Known>,
    /// What a visit would be made with now; `None` while something is missing for one.
    pub visit_inputs: Option<Arc<VisitInputs>>,
    /// What was asked of the cloud and of Kubernetes.
    pub ledger: Ledger,
    /// Since when this process acts: what another one asked for before may still appear.
    pub acting_since: Moment,
    /// Endpoints outside these domains are not believed.
    pub endpoint_suffixes: Vec<String>,
    /// Whom applications are told to trust, by region.
    pub authorities: Arc<Authorities>,
    /// When Secrets of this object that work as they are may be renewed; `None` where none has to be.
    pub renewal: Option<Moment>,
}

/// What is known of the copies that are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptCopies {
    /// Manual snapshots of the instance's name.
    pub snapshots: Seen<Vec<Snapshot>>,
    /// How many the account may have; looked for when one is due.
    pub quota: Seen<Quota>,
}

/// What an upgrade to another major version meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// When this was looked at, by the clock on the wall.
    pub at: Timestamp,
    /// What the provider says of it.
    pub upgrades: Seen<Upgrades>,
}

/// Where the class leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFacts {
    /// The account's number.
    pub account: String,
    /// The region.
    pub region: String,
}

impl World {
    /// Whose this object's instance is.
    pub(super) fn owner(&self) -> Owner {
        let ObjectFacts { namespace, name, uid, .. } = &self.object;
        let (namespace, name, uid) = (namespace.clone(), name.clone(), uid.clone());
        Owner { cluster: self.cluster.clone(), namespace, name, uid }
    }

    /// The last visit, where it was about what is wanted now.
    pub(crate) fn current_visit(&self) -> Option<&SqlVisit> {
        let inputs = self.visit_inputs.as_ref()?;
        self.visit.as_ref().filter(|visit| visit.inputs == inputs.digest)
    }

    /// The password in a Secret of ours.
    pub fn password(&self, secret: &str) -> Option<Password> {
        match self.secrets.get(secret)? {
            Seen::Known(SecretFact::Ours { data, .. }) => data.password(),
            _ => None,
        }
    }
}

/// Between two looks when nothing is expected to happen.
pub(crate) const RESYNC: Duration = Duration::from_secs(600);
