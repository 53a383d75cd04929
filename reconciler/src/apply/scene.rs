//! What the steps of a pass work on, and what ends it.

use shared::api::RDSDatabase;
use thiserror::Error;

use crate::cluster::ClusterError;
use crate::context::Context;
use crate::lease::Fenced;
use crate::observe::{Crowded, Observation};

/// Why a pass ends before its plan is carried out.
#[derive(Debug, Error)]
pub enum ApplyError {
    /// Kubernetes refused.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// Others visit their databases now: this object is called when its turn has come.
    #[error("others visit their databases first")]
    NotItsTurn,
    /// Others' calls to the account come first: nothing was asked for.
    #[error(transparent)]
    Crowded(#[from] Crowded),
    /// This process may not act any more.
    #[error(transparent)]
    Fenced(#[from] Fenced),
}

/// What a pass works on.
pub(crate) struct Scene<'a> {
    /// Ports, memory and settings.
    pub(crate) context: &'a Context,
    /// The object as it was read.
    pub(crate) object: &'a RDSDatabase,
    /// What was observed.
    pub(crate) observation: &'a Observation,
}
