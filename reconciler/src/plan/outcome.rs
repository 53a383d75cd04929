//! Concerns, and where each of them stands.

use std::time::Duration;

use super::reason::Reason;
use super::step::Step;
use crate::subject::Refusal;

/// What is decided for itself; each is a condition of the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Concern {
    /// The spec and the class are such that something can be done.
    Accepted,
    /// The Secrets.
    Secrets,
    /// The instance is there and serves.
    Instance,
    /// Its storage.
    Storage,
    /// Its automated backups.
    Backups,
    /// The copies that are kept beside them.
    Copies,
    /// Compute size, version, deletion protection, as far as the spec declares them.
    Settings,
    /// The parameters of the server.
    Parameters,
    /// The Service beside the object.
    Service,
    /// The alias in the shared namespace.
    Alias,
    /// Users and databases.
    Databases,
    /// Logins with the Secrets' own credentials.
    Logins,
    /// The way out.
    Deletion,
}

impl Concern {
    /// The condition's type.
    pub fn condition(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::Secrets => "SecretsReady",
            Self::Instance => "InstanceReady",
            Self::Storage => "StorageReady",
            Self::Backups => "BackupsReady",
            Self::Copies => "CopiesKept",
            Self::Settings => "SettingsApplied",
            Self::Parameters => "ParametersApplied",
            Self::Service => "ServiceReady",
            Self::Alias => "AliasReady",
            Self::Databases => "DatabasesReady",
            Self::Logins => "AccessVerified",
            Self::Deletion => "Deleted",
        }
    }

    /// What it is about, in a sentence.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Accepted => "the object",
            Self::Secrets => "the Secrets",
            Self::Instance => "the instance",
            Self::Storage => "the storage",
            Self::Backups => "the backups",
            Self::Copies => "the copies that are kept",
            Self::Settings => "the settings",
            Self::Parameters => "the parameters",
            Self::Service => "the Service",
            Self::Alias => "the alias",
            Self::Databases => "users and databases",
            Self::Logins => "the logins",
            Self::Deletion => "the deletion",
        }
    }
}

/// Where a concern stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// As it should be.
    Done {
        /// What there is, for a person.
        message: String,
    },
    /// Something must happen first that happens by itself.
    Wait {
        /// The condition's reason.
        reason: Reason,
        /// What is waited for, and what would unblock it.
        message: String,
        /// When to look again; `None` where an event tells.
        until: Option<Duration>,
    },
    /// Something is to be done.
    Act {
        /// The condition's reason.
        reason: Reason,
        /// What is done.
        message: String,
        /// How.
        steps: Vec<Step>,
    },
    /// Only a person can go on.
    Blocked {
        /// The condition's reason.
        reason: Reason,
        /// What is wrong, and what to do.
        message: String,
        /// When to look whether the world has mended itself.
        until: Option<Duration>,
    },
}

impl Outcome {
    pub(crate) fn done(message: impl Into<String>) -> Self {
        Self::Done { message: message.into() }
    }

    pub(crate) fn wait(reason: Reason, message: impl Into<String>) -> Self {
        Self::Wait { reason, message: message.into(), until: None }
    }

    pub(crate) fn act(reason: Reason, message: impl Into<String>, step: Step) -> Self {
        Self::Act { reason, message: message.into(), steps: vec![step] }
    }

    pub(crate) fn blocked(reason: Reason, message: impl Into<String>) -> Self {
        Self::Blocked { reason, message: message.into(), until: None }
    }

    /// What it says to a person.
    pub(crate) fn message(&self) -> &str {
        match self {
            Self::Done { message }
            | Self::Wait { message, .. }
            | Self::Act { message, .. }
            | Self::Blocked { message, .. } => message,
        }
    }

    /// Why it stands there; `None` where all is as it should be.
    pub(super) fn reason(&self) -> Option<Reason> {
        match self {
            Self::Done { .. } => None,
            Self::Wait { reason, .. } | Self::Act { reason, .. } | Self::Blocked { reason, .. } => Some(*reason),
        }
    }

    /// When to look again; `None` where an event tells.
    pub(super) fn until(&self) -> Option<Duration> {
        match self {
            Self::Wait { until, .. } | Self::Blocked { until, .. } => *until,
            Self::Done { .. } | Self::Act { .. } => None,
        }
    }

    /// The same, while nothing is done.
    pub(super) fn held(self) -> Self {
        match self {
            Self::Act { reason, message, steps } => {
                Self::Act { reason, message: format!("held by spec.paused: {message}"), steps }
            }
            other => other,
        }
    }
}

/// What is refused stands still until a person changes it.
impl From<Refusal> for Outcome {
    fn from(refusal: Refusal) -> Self {
        Self::blocked(refusal.reason(), refusal.to_string())
    }
}
