//! What goes wrong with a call: every port asks here before it answers, so that a schedule, a seed or a search decides.

use std::time::Duration;

/// Whose call it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Port {
    Cluster,
    Cloud,
    Server,
}

/// What becomes of one call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is answered.
    #[default]
    None,
    /// It is refused for too many calls, and has no effect.
    Throttled,
    /// It is refused with a fault of the other side's, and has no effect.
    Broken,
    /// It is not allowed.
    Forbidden,
    /// It never arrives, and the caller gives up.
    Lost,
    /// It has its effect, and the caller gives up: the answer never arrives.
    AnswerLost,
    /// It has its effect so long after the caller gave up.
    Late(Duration),
    /// It reads what was true a while ago; a write is made on what is true.
    Stale,
    /// A list lacks some of what it should have, and says nothing of that.
    Partial,
    /// Somebody is faster: what a write to Kubernetes is made on has changed since it was read.
    Outrun,
}

/// Who decides.
pub(crate) trait Faults: Send + Sync {
    /// What becomes of the next call: `action` as the port calls it.
    fn of(&self, port: Port, action: &'static str) -> Fault;
}

/// Nothing goes wrong.
#[allow(dead_code, reason = "for who holds the simulated cloud to the local RDS")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peace;

impl Faults for Peace {
    fn of(&self, _: Port, _: &'static str) -> Fault {
        Fault::None
    }
}
