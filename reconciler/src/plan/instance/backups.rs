//! The automated backups: when they are made, and how long they are kept.

use std::time::Duration;

use super::queue::{Ask, NOT_YET, Standing, ask};
use super::settings::{refused, told, wanted, with_windows};
use crate::clock::Moment;
use crate::plan::ground::usable;
use crate::plan::outcome::Outcome;
use crate::plan::reason::Reason;
use crate::plan::world::World;
use crate::providers::{Instance, Settings, days};
use crate::subject::Target;

pub(crate) fn plan(target: &Target, world: &World, now: Moment) -> Outcome {
    let Some(instance) = usable(world) else {
        return Outcome::wait(Reason::WaitingForInstance, NOT_YET);
    };
    let Settings { backup_retention_days, .. } = wanted(target, world);
    let backup_window = target.desired.backup.window.map(|window| window.to_string());
    let declared = Settings { backup_retention_days, backup_window, ..Settings::default() };
    let standing = Standing::of(target, world, instance, now, instance.status.modifiable());
    match ask(
        &standing,
        &declared,
        |part| part,
        |change| refused(target, world, change, &with_windows(change, instance)),
    ) {
        Ask::Say(outcome) => outcome,
        Ask::UnderWay(coming, until) => {
            Outcome::Wait { reason: Reason::Modifying, message: told(instance, &coming), until }
        }
        Ask::Nothing if behind(world, instance) => {
            let message = format!(
                "the newest moment that automated backups reach is more than an hour ago, and {} reports {}: see the instance's events",
                world.offer.service(),
                instance.status
            );
            Outcome::Blocked { reason: Reason::BackupsBehind, message, until: Some(AGAIN) }
        }
        Ask::Nothing => Outcome::done(format!(
            "backups are continuous: every moment of the last {} can be restored",
            days(u32::from(target.desired.backup.automated_days()))
        )),
    }
}

/// Whether the evidence of the backups has stopped to advance, though nothing is known that explains it.
fn behind(world: &World, instance: &Instance) -> bool {
    let Some(newest) = instance.restorable else { return false };
    let behind = Duration::try_from(world.at.duration_since(newest)).is_ok_and(|behind| behind > LATE);
    instance.status.serves() && instance.status.modifiable() && behind
}

/// The log of what is written is kept every five minutes; after a rest it takes some time to catch up.
const LATE: Duration = Duration::from_secs(3600);
/// Whether it has caught up is looked at again after this.
const AGAIN: Duration = Duration::from_secs(600);
