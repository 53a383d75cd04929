//! What can be done: each step is one effect, safe to repeat.

use std::fmt;

use crate::binding::SecretData;
use crate::providers::{DeleteInstance, ModifyInstance};

use super::Effect;

/// One effect.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// On Kubernetes.
    Cluster(ClusterStep),
    /// On the cloud.
    Cloud(CloudStep),
    /// A visit to the database: read its catalog, bring users and databases to what is declared, log in as each user.
    VisitDatabase,
}

/// What the step does, for a log line; never what a Secret holds.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cluster(step) => step.fmt(f),
            Self::Cloud(CloudStep::Create) => f.write_str("create the instance"),
            Self::Cloud(CloudStep::Modify { request, .. }) => f.write_str(&super::describe(request)),
            Self::Cloud(CloudStep::Tag { .. }) => f.write_str(super::TAG_REQUEST),
            Self::Cloud(CloudStep::ResetMasterPassword) => f.write_str("reset the master password"),
            Self::Cloud(CloudStep::Delete(request)) => f.write_str(&super::describe_delete(request)),
            Self::VisitDatabase => f.write_str("visit the database"),
        }
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
            Self::Pin => f.write_str("pin account, region and class"),
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

/// An effect on Kubernetes.
#[derive(Clone, Debug, PartialEq)]
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
    },
    /// Mints a password for a Secret of ours that has lost it.
    RepairPassword {
        /// Its name.
        secret: String,
        /// The user it is for.
        user: String,
    },
    /// Brings the keys of a Secret of ours up to date; its password stays.
    UpdateSecret {
        /// Its name.
        secret: String,
        /// All its data.
        data: SecretData,
    },
    /// Deletes the Secret of a user who is gone.
    DeleteSecret {
        /// Its name.
        secret: String,
        /// The UID that was seen.
        uid: String,
    },
    /// Creates a Service.
    CreateService {
        /// Which.
        place: ServicePlace,
        /// Host name it leads to.
        external_name: String,
        /// The port to declare.
        port: u16,
    },
    /// Points a Service of ours to a new endpoint.
    UpdateService {
        /// Which.
        place: ServicePlace,
        /// Host name it leads to.
        external_name: String,
        /// The port to declare.
        port: u16,
    },
    /// Deletes a Service of ours.
    DeleteService {
        /// Which.
        place: ServicePlace,
        /// The UID that was seen.
        uid: String,
    },
    /// Pins account, region, class and identifier in the status before anything is created there.
    Pin,
}

/// An effect on the cloud.
#[derive(Clone, Debug, PartialEq)]
pub enum CloudStep {
    /// Creates the instance.
    Create,
    /// Changes it.
    Modify {
        /// What kind of change, for its own retries.
        effect: Effect,
        /// The change, without a password.
        request: ModifyInstance,
    },
    /// Marks the accepted instance as this object's.
    Tag {
        /// Its ARN.
        arn: String,
    },
    /// Gives the server the master password that the Secret holds.
    ResetMasterPassword,
    /// Deletes it.
    Delete(DeleteInstance),
}

impl CloudStep {
    /// What kind of effect it is.
    pub fn effect(&self) -> Effect {
        match self {
            Self::Create => Effect::Create,
            Self::Modify { effect, .. } => *effect,
            Self::Tag { .. } => Effect::Tags,
            Self::ResetMasterPassword => Effect::Password,
            Self::Delete(_) => Effect::Delete,
        }
    }
}
