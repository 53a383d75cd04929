//! Errors of a provider, sorted by what to do about them.

use thiserror::Error;

/// What to do about an error of the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// Too many calls, or a fault of the provider's: back off.
    Transient,
    /// The instance is busy: wait for another state.
    WrongState,
    /// The storage was changed within the last hours.
    StorageCooldown,
    /// A quota or the provider's capacity is exhausted: try slowly.
    Exhausted,
    /// Refused until the spec, the class or the account changes: try slowly, and say so.
    Refused,
    /// The credentials do not allow it, or are missing or expired.
    Unauthorized,
    /// There is no such instance or snapshot.
    NotFound,
    /// There is one of that name already.
    AlreadyExists,
    /// The provider was not reached.
    Unreachable,
}

/// An error of the provider, with its own code and words.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{action}: {code}: {message}")]
pub struct CloudError {
    /// What was asked (`CreateDBInstance`).
    pub action: &'static str,
    /// The provider's code, or `Unreachable` and the like where it never answered.
    pub code: String,
    /// The provider's message.
    pub message: String,
    /// What to do about it.
    pub class: ErrorClass,
}

impl CloudError {
    /// No way leads to the account.
    pub(crate) fn no_way(message: String) -> Self {
        Self { action: "Connect", code: "NoWay".into(), message, class: ErrorClass::Unreachable }
    }

    /// What a person can do about it, in a sentence.
    pub fn remedy(&self) -> &'static str {
        match self.code.as_str() {
            "SnapshotQuotaExceeded" => return "ask AWS for a higher quota of manual snapshots in this region",
            "DBInstanceAutomatedBackupQuotaExceeded" => {
                return "ask AWS for a higher quota of retained automated backups in this region";
            }
            _ => {}
        }
        match self.class {
            ErrorClass::Transient => "nothing to do: it is tried again",
            ErrorClass::WrongState => "nothing to do: it is tried again when the instance is available",
            ErrorClass::StorageCooldown => "nothing to do: RDS allows one change of storage in six hours",
            ErrorClass::Exhausted => "ask AWS for a higher quota, or choose another instance class or zone",
            ErrorClass::Refused => "correct the spec or the class",
            ErrorClass::Unauthorized => "give the operator's role the permission, or valid credentials",
            ErrorClass::NotFound => "see whether it was deleted outside the cluster",
            ErrorClass::AlreadyExists => {
                "nothing to do: the next look tells whose it is, and a snapshot gets another name"
            }
            ErrorClass::Unreachable => "see that the endpoint can be reached from the cluster",
        }
    }
}
