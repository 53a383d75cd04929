//! What the status tells of the backups.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use shared::api::{BackupStatus, InstanceRef, RDSDatabaseStatus};
use shared::rules::Copies;

use crate::plan::{World, copies_told, usable};
use crate::providers::Instance;
use crate::subject::Target;

/// What is known of the backups of the instance that is `pinned`.
pub(super) fn told(
    before: &RDSDatabaseStatus,
    pinned: Option<&InstanceRef>,
    target: &Target,
    world: &World,
) -> Option<BackupStatus> {
    let Some(instance) = usable(world) else { return before.backups.clone() };
    let id = |pinned: Option<&InstanceRef>| pinned.and_then(|pinned| pinned.resource_id.clone());
    // Another instance has other backups.
    let same = id(before.instance.as_ref()) == id(pinned);
    let before = before.backups.clone().filter(|_| same).unwrap_or_default();
    let copies = copies_told(target, world);
    let wanted = target.desired.backup.copies();
    let is = BackupStatus {
        window: instance.running.backup_window.clone(),
        retention_days: instance.running.backup_retention_days.map(i64::from),
        newest_restorable: instance.restorable.map(Time),
        not_scheduled: wanted.and_then(Copies::too_many).map(|why| format!("spec.backup.every: {why}")),
        ..BackupStatus::default()
    };
    let automated = reached(&before, instance);
    Some(match (copies, wanted) {
        (Some(copies), _) => BackupStatus {
            oldest_restorable: copies.made.map(|(oldest, _)| oldest).into_iter().chain(automated).min().map(Time),
            copies: i64::try_from(copies.number).ok(),
            last: copies.made.map(|(_, last)| Time(last)),
            next: copies.next.map(Time),
            ..is
        },
        // What is not known now was known before.
        (None, Some(_)) => {
            let BackupStatus { oldest_restorable, copies, last, next, .. } = before;
            BackupStatus { oldest_restorable, copies, last, next, ..is }
        }
        (None, None) => BackupStatus { oldest_restorable: automated.map(Time), ..is },
    })
}

/// The oldest moment that automated backups reach: none before the one that was seen first, however long they are to be kept.
fn reached(before: &BackupStatus, instance: &Instance) -> Option<Timestamp> {
    let newest = instance.restorable?;
    let Some(Time(oldest)) = before.oldest_restorable else { return Some(newest) };
    let days = SignedDuration::from_hours(24 * i64::from(instance.running.backup_retention_days.unwrap_or_default()));
    Some(newest.saturating_sub(days).unwrap_or(Timestamp::MIN).max(oldest).min(newest))
}

/// Takes back what advances by itself where nothing else is to be written: at rest nothing is.
pub(super) fn quiet(status: RDSDatabaseStatus, before: &RDSDatabaseStatus) -> RDSDatabaseStatus {
    let (Some(is), Some(was)) = (&status.backups, &before.backups) else { return status };
    let times = |told: &BackupStatus| (told.oldest_restorable.is_some(), told.newest_restorable.is_some());
    if times(is) != times(was) {
        return status;
    }
    let (oldest_restorable, newest_restorable) = (was.oldest_restorable.clone(), was.newest_restorable.clone());
    let still = BackupStatus { oldest_restorable, newest_restorable, ..is.clone() };
    let still = RDSDatabaseStatus { backups: Some(still), ..status.clone() };
    if still == *before { still } else { status }
}
