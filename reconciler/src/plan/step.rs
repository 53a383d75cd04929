//! What can be done: each step is one effect, safe to repeat.

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
            Self::ResetMasterPassword => Effect::Password,
            Self::Delete(_) => Effect::Delete,
        }
    }
}
