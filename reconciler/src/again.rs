//! When an object is looked at again: after a pass, and after one that ended early.

use std::time::Duration;

use thiserror::Error;

use crate::apply::ApplyError;
use crate::cluster::ClusterError;
use crate::context::Context;
use crate::observe::Crowded;
use crate::plan::RESYNC;

/// A step or a pass that failed is tried again after this long, doubling up to the last.
const FIRST_SETBACK: Duration = Duration::from_secs(5);
const LAST_SETBACK: Duration = Duration::from_secs(300);
/// The first pause after a conflict.
const FIRST_CONFLICT: Duration = Duration::from_millis(200);

/// What follows a pass. Whatever concerns the object leads to another one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// Nothing, until something happens: the object is gone.
    OnChange,
    /// Another pass, after this long.
    After(Duration),
}

impl Context {
    /// Another pass after this long and up to a tenth more.
    pub(crate) fn after(&self, pause: Duration) -> Again {
        Again::After(self.entropy.jittered(pause))
    }
}

/// Why a pass ended early: it is repeated with back-off.
#[derive(Debug, Error)]
pub enum PassError {
    /// Kubernetes refused.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A step failed.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// Others come first.
    #[error(transparent)]
    Crowded(#[from] Crowded),
    /// The classes cannot be listed.
    #[error("the RDSDatabaseClasses are not known yet")]
    ClassesUnknown,
}

impl PassError {
    /// The world was faster: all is read and planned anew.
    pub fn conflict(&self) -> bool {
        matches!(
            self,
            Self::Cluster(ClusterError::Conflict(_)) | Self::Apply(ApplyError::Cluster(ClusterError::Conflict(_)))
        )
    }

    /// Others came first: nothing was decided or done that anybody has to be told.
    pub fn crowded(&self) -> bool {
        matches!(self, Self::Crowded(_) | Self::Apply(ApplyError::Crowded(_)))
    }

    /// The word of metrics. That its owner has made an object too large is no fault of the operator's or of Kubernetes'.
    pub fn result(&self) -> &'static str {
        match self {
            Self::Cluster(ClusterError::TooLarge(_)) => "too_large",
            _ => "error",
        }
    }

    /// The pause after so many failures in a row, this one included.
    pub fn pause(&self, failures: u32) -> Duration {
        match self {
            Self::Crowded(Crowded(again)) | Self::Apply(ApplyError::Crowded(Crowded(again))) => *again,
            // Nothing but an edit of the object helps, and that is an event.
            Self::Cluster(ClusterError::TooLarge(_)) => RESYNC,
            _ if self.conflict() => doubled(FIRST_CONFLICT, failures),
            _ => back_off(failures),
        }
    }
}

/// The pause before a step or a pass is tried again that has failed so many times in a row.
pub(crate) fn back_off(failures: u32) -> Duration {
    doubled(FIRST_SETBACK, failures)
}

fn doubled(first: Duration, failures: u32) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1))).min(LAST_SETBACK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i13_what_fails_again_and_again_comes_back_less_and_less_often() {
        let pauses = |error: &PassError| [1, 2, 3, 7, 100].map(|failures| error.pause(failures).as_millis()).to_vec();
        assert_eq!(pauses(&PassError::ClassesUnknown), [5_000, 10_000, 20_000, 300_000, 300_000]);
        let conflict = || ClusterError::Conflict("RDSDatabase orders".into());
        let looked_at_once = [200, 400, 800, 12_800, 300_000];
        assert_eq!(pauses(&PassError::Cluster(conflict())), looked_at_once);
        assert_eq!(pauses(&PassError::Apply(ApplyError::Cluster(conflict()))), looked_at_once);
        let too_large = PassError::Cluster(ClusterError::TooLarge("RDSDatabase orders".into()));
        assert!(pauses(&too_large).iter().all(|pause| *pause == RESYNC.as_millis()), "an edit alone helps");
    }
}
