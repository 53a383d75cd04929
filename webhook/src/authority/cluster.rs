//! The port to Kubernetes: one Secret and two webhook configurations, read whole and written only as they were read.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;

/// The two kinds of webhook configurations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Registrar {
    /// `MutatingWebhookConfiguration`.
    Mutating,
    /// `ValidatingWebhookConfiguration`.
    Validating,
}

impl Registrar {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Mutating, Self::Validating];
}

impl fmt::Display for Registrar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mutating => "MutatingWebhookConfiguration",
            Self::Validating => "ValidatingWebhookConfiguration",
        })
    }
}

/// The Secret as it was read.
#[derive(Clone, Default)]
pub struct Stored {
    /// Its resourceVersion.
    pub version: String,
    /// When the API server answered, by its own clock, where it says so.
    pub time: Option<Timestamp>,
    /// Its data. It holds keys, so it is never printed.
    pub data: BTreeMap<String, Vec<u8>>,
}

/// A webhook configuration as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Its resourceVersion.
    pub version: String,
    /// The annotation by which cert-manager is asked to write its caBundles, where it has one.
    pub injected: Option<String>,
    /// Its webhooks that lead to our Service.
    pub webhooks: Vec<Registered>,
}

/// A webhook of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Its name.
    pub name: String,
    /// Its caBundle, PEM; empty where there is none.
    pub bundle: Vec<u8>,
}

/// Why Kubernetes does not do what it is asked to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClusterError {
    /// Rights are missing.
    #[error(
        "may not {verb} {object}: give the ServiceAccount of the webhook this right on this name, as manifests/overlays/self-managed does"
    )]
    Forbidden {
        /// The right.
        verb: &'static str,
        /// Kind and name.
        object: String,
    },
    /// It is not there.
    #[error("there is no {object}: apply it, as manifests/overlays/self-managed has it, or correct {flag}")]
    Missing {
        /// Kind and name.
        object: String,
        /// The flag that names it.
        flag: &'static str,
    },
    /// It was changed after it was read.
    #[error("{object} was changed by someone else at the same time")]
    Conflict {
        /// Kind and name.
        object: String,
    },
    /// The credentials are not accepted.
    #[error("the API server does not accept the credentials of the webhook (401) for {object}")]
    Unauthorized {
        /// Kind and name.
        object: String,
    },
    /// The API server says no for another reason.
    #[error("cannot {verb} {object}: {why}")]
    Refused {
        /// What was asked for.
        verb: &'static str,
        /// Kind and name.
        object: String,
        /// The API server's words.
        why: String,
    },
    /// No answer.
    #[error("cannot {verb} {object}: no answer from the API server: {why}")]
    Unreachable {
        /// What was asked for.
        verb: &'static str,
        /// Kind and name.
        object: String,
        /// What went wrong.
        why: String,
    },
    /// No answer in time.
    #[error("cannot {verb} {object}: no answer from the API server in {limit:?}")]
    TooSlow {
        /// What was asked for.
        verb: &'static str,
        /// Kind and name.
        object: String,
        /// How long it was waited for.
        limit: Duration,
    },
}

/// Kubernetes, as far as it is needed here. What is read is current, not from a cache; what is written replaces what was read, or fails with
/// [`ClusterError::Conflict`].
pub trait Cluster: Send + Sync {
    /// Reads the Secret.
    fn secret(&self) -> impl Future<Output = Result<Stored, ClusterError>> + Send;

    /// Sets and removes keys of the Secret that was read with this version, and gives its new version.
    fn amend(
        &self,
        version: &str,
        data: BTreeMap<&'static str, Option<String>>,
    ) -> impl Future<Output = Result<String, ClusterError>> + Send;

    /// Reads a webhook configuration; none where it is not there.
    fn registration(
        &self,
        registrar: Registrar,
    ) -> impl Future<Output = Result<Option<Registration>, ClusterError>> + Send;

    /// Writes the bundle of every webhook of the configuration that was read, and gives its new version.
    fn publish(
        &self,
        registrar: Registrar,
        read: &Registration,
        bundle: &str,
    ) -> impl Future<Output = Result<String, ClusterError>> + Send;
}
