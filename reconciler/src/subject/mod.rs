//! What an object is to the operator, from its spec, its status and the classes: pure. One that is wanted has a target, one that is being
//! deleted a departure, and whatever is neither is refused.

mod class;
mod departure;
mod permit;
mod refusal;
mod resolve;

use std::collections::BTreeMap;
use std::sync::Arc;

use shared::api::RDSDatabase;
use shared::rules::DefaultVersions;

use crate::engine::Servers;
use crate::providers::ProviderConfig;

pub(crate) use class::is_default;
#[cfg(test)]
pub(crate) use class::resolved;
pub use class::{Class, GuardedClass};
pub use departure::Departure;
pub use permit::Fence;
pub use refusal::Refusal;
#[cfg(test)]
pub(crate) use resolve::resolve;
pub use resolve::{Adoption, Target};

/// What a pass works for.
#[allow(clippy::large_enum_variant, reason = "a pass has one")]
#[derive(Clone, Debug)]
pub enum Subject {
    /// The object is wanted.
    Living(Target),
    /// It is being deleted.
    Leaving(Departure),
}

impl Subject {
    /// What an object is, in a namespace with these labels. With `require_class` none is born in the built-in class; `versions` are those of
    /// objects that name none, `servers` the engines that there are.
    ///
    /// # Errors
    /// Why a wanted object is not worked on. One that is being deleted is always worked on: what is in its way is a part of its departure.
    pub(crate) fn of(
        object: &RDSDatabase,
        classes: &[Arc<GuardedClass>],
        require_class: bool,
        namespace_labels: &BTreeMap<String, String>,
        versions: DefaultVersions,
        servers: &Servers,
    ) -> Result<Self, Refusal> {
        if object.metadata.deletion_timestamp.is_some() {
            return Ok(Self::Leaving(Departure::of(object, classes)));
        }
        resolve::resolve(object, classes, require_class, namespace_labels, versions, servers).map(Self::Living)
    }

    /// The way into the cloud.
    ///
    /// # Errors
    /// Why none is known: the class that would name it cannot be had.
    pub(crate) fn provider(&self) -> Result<&ProviderConfig, &Refusal> {
        match self {
            Self::Living(target) => Ok(&target.class.provider),
            Self::Leaving(departure) => departure.provider.as_ref(),
        }
    }
}
