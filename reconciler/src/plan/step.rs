//! What can be done: each step is one effect, safe to repeat.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use shared::names;
use shared::rules::Impact;

use super::inside::inputs::VisitInputs;
use crate::binding::SecretData;
use crate::cluster::Version;
use crate::engine::Dialect;
use crate::providers::{Offer, Request, Settings};

/// One effect.
#[allow(clippy::large_enum_variant, reason = "a plan has a handful of steps, and they live for a pass")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// On Kubernetes.
    Cluster(ClusterStep),
    /// On the cloud.
    Cloud(Request),
    /// On users and databases inside the instance.
    Inside(Part, Arc<VisitInputs>),
}

/// A part of a visit to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Looks where the server differs from what is declared. Writes nothing.
    Look,
    /// Carries out the next slice of what the look has found.
    Work,
    /// Tries the next logins.
    LogIn,
}

/// What the step does, for a log line; never what a Secret holds. `{:#}` leaves out when.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cluster(step) => step.fmt(f),
            Self::Cloud(request) => request.fmt(f),
            Self::Inside(part, _) => part.fmt(f),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Look => "look at users and databases",
            Self::Work => "change users and databases",
            Self::LogIn => "try logins",
        })
    }
}

impl fmt::Display for ClusterStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddFinalizer => f.write_str("add the finalizer"),
            Self::RemoveFinalizer => f.write_str("remove the finalizer"),
            Self::CreateSecret { secret, .. } => write!(f, "create Secret {secret}"),
            Self::RepairPassword { secret, .. } => write!(f, "renew the password in Secret {secret}"),
            Self::UpdateSecret { secret, .. } => write!(f, "update Secret {secret}"),
            Self::DeleteSecret { secret, .. } => write!(f, "delete Secret {secret}"),
            Self::CreateService { place, .. } => write!(f, "create Service ({place:?})"),
            Self::UpdateService { place, .. } => write!(f, "update Service ({place:?})"),
            Self::DeleteService { place, .. } => write!(f, "delete Service ({place:?})"),
        }
    }
}

/// Which of the two Services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServicePlace {
    /// Beside the object.
    Own,
    /// The alias in the shared namespace.
    Alias,
}

impl ServicePlace {
    /// The Service's name, for the object of this name.
    pub(crate) fn service(self, object: &str) -> String {
        match self {
            Self::Own => names::service_name(object),
            Self::Alias => names::alias_service_name(object),
        }
    }
}

impl Step {
    /// What it means for those who use the database, or pay for it, where the instance runs with these settings.
    pub(super) fn impact(&self, offer: &dyn Offer, running: &Settings) -> BTreeSet<Impact> {
        match self {
            Self::Cloud(request) => request.impact(offer, running),
            Self::Cluster(step) => step.impact().into_iter().collect(),
            // What a look, and the work after it, come to is told by the conditions: nothing that is there is dropped.
            Self::Inside(Part::Look | Part::Work | Part::LogIn, _) => BTreeSet::new(),
        }
    }

    /// Whether it is a part of a visit to the database.
    pub(crate) fn is_inside(&self) -> bool {
        matches!(self, Self::Inside(..))
    }

    /// Whether it adds or takes away the finalizer.
    pub(super) fn moves_finalizer(&self) -> bool {
        matches!(self, Self::Cluster(ClusterStep::AddFinalizer | ClusterStep::RemoveFinalizer))
    }
}

/// An effect on Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClusterStep {
    /// Puts our finalizer on the object.
    AddFinalizer,
    /// Lets the object go.
    RemoveFinalizer,
    /// Creates a Secret with a new password for `user`.
    CreateSecret {
        /// Its name.
        secret: String,
        /// The user it is for.
        user: String,
        /// How it speaks of the server.
        dialect: &'static dyn Dialect,
    },
    /// Mints a password for a Secret of ours that has lost it.
    RepairPassword {
        /// Its name.
        secret: String,
        /// The user it is for.
        user: String,
        /// The database it leads to, which stays.
        database: Option<String>,
        /// How it speaks of the server.
        dialect: &'static dyn Dialect,
    },
    /// Brings the keys of a Secret of ours up to date; its password stays.
    UpdateSecret {
        /// Its name.
        secret: String,
        /// All its data.
        data: SecretData,
        /// It works as it is: this waited for its turn.
        renewal: bool,
    },
    /// Deletes the Secret of a user who is gone.
    DeleteSecret {
        /// Its name.
        secret: String,
        /// What was read.
        version: Version,
    },
    /// Creates a Service.
    CreateService {
        /// Which.
        place: ServicePlace,
        /// Host name it leads to.
        external_name: String,
        /// The port to declare.
        port: u16,
        /// What names the port.
        dialect: &'static dyn Dialect,
    },
    /// Points a Service of ours to a new endpoint.
    UpdateService {
        /// Which.
        place: ServicePlace,
        /// Host name it leads to.
        external_name: String,
        /// The port to declare.
        port: u16,
        /// What names the port.
        dialect: &'static dyn Dialect,
        /// What was read: only this is changed.
        version: Version,
    },
    /// Deletes a Service of ours.
    DeleteService {
        /// Which.
        place: ServicePlace,
        /// What was read.
        version: Version,
    },
}

impl ClusterStep {
    /// What it means for those who use the database.
    fn impact(&self) -> Option<Impact> {
        match self {
            // A password that only this Secret held.
            Self::DeleteSecret { .. } => Some(Impact::Irreversible),
            // Applications find the server by it.
            Self::DeleteService { .. } => Some(Impact::Outage),
            Self::AddFinalizer
            | Self::RemoveFinalizer
            | Self::CreateSecret { .. }
            | Self::RepairPassword { .. }
            | Self::UpdateSecret { .. }
            | Self::CreateService { .. }
            | Self::UpdateService { .. } => None,
        }
    }
}
