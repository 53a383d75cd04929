//! Moments that matter: what somebody who does something may have waited for.

use reconciler::turns::Key;

use crate::console;
use crate::oracle::is_ready;
use crate::world::World;

/// Something that comes to pass, or never does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Moment {
    /// The object says Ready.
    Ready(Key),
    /// The cloud is making its instance.
    Creating(Key),
    /// Its instance is being deleted, by whomever.
    Deleting(Key),
    /// It has no instance.
    Lost(Key),
    /// It is gone.
    Gone(Key),
    /// A copy is kept of its instance.
    Kept(Key),
    /// The snapshot of this name is complete.
    Snapshot(&'static str),
}

impl Moment {
    /// Whether it has come.
    pub(crate) fn has_come(&self, world: &World) -> bool {
        match self {
            Self::Ready(object) => world.kubernetes.database(object).is_some_and(|found| is_ready(&found)),
            Self::Creating(object) => {
                console::instance(world, object).is_some_and(|instance| instance.status.creating())
            }
            Self::Deleting(object) => {
                console::instance(world, object).is_some_and(|instance| instance.status.deleting())
            }
            Self::Lost(object) => console::instance(world, object).is_none(),
            Self::Gone(object) => world.kubernetes.database(object).is_none(),
            Self::Kept(object) => console::keeps(world, object),
            Self::Snapshot(name) => {
                let snapshot = world.clouds.iter().find_map(|cloud| cloud.view().snapshot(name).cloned());
                snapshot.is_some_and(|snapshot| snapshot.available())
            }
        }
    }
}
