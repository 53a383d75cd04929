//! The automated backups: when they are made, and how long they are kept.

use shared::rules::Interval;

use super::queue::{Ask, NOT_YET, Standing, ask};
use super::settings::{refused, told, wanted, with_windows};
use crate::clock::Moment;
use crate::plan::ground::usable;
use crate::plan::outcome::Outcome;
use crate::plan::reason::Reason;
use crate::plan::world::World;
use crate::providers::{Settings, days};
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
        Ask::Nothing => match not_scheduled(target, world) {
            Some(why) => Outcome::Blocked { reason: Reason::NotScheduled, message: why, until: None },
            None => Outcome::done(format!(
                "daily backups are kept for {}",
                days(u32::from(target.desired.backup.retention_days))
            )),
        },
    }
}

/// Why backups are not made as often as asked, where that is so.
pub(crate) fn not_scheduled(target: &Target, world: &World) -> Option<String> {
    let (every, service) = (&target.desired.backup.every, world.offer.service());
    (*every != Interval::DAY)
        .then(|| format!("spec.backup.every: {every} is not scheduled yet; {service} backs up daily"))
}
