//! What an update may rest on besides the old specification.

use super::{Engine, EngineVersion, Gibibytes};

/// What the status of an object tells of the instance behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Whether an instance was made for the object: `status.instance.created`.
    pub created: bool,
    /// The volume: `status.allocatedStorageGiB`.
    pub allocated: Option<Gibibytes>,
    /// The version that runs, as the cloud reports it: `status.engineVersion`.
    pub engine_version: Option<String>,
    /// The master user that the instance has: `status.instance.masterUser`. After a restore it may be another one than was written.
    pub master_user: Option<String>,
}

impl Observed {
    /// Whether there is an instance that a change has an effect on.
    pub(super) fn exists(&self) -> bool {
        self.created || self.allocated.is_some()
    }

    pub(super) fn running(&self, engine: Engine) -> Option<EngineVersion> {
        EngineVersion::read(engine, self.engine_version.as_deref()?)
    }
}
