//! A birth with the data of an earlier life: from a snapshot, or from automated backups. Whoever has rights over that data has consented, by its
//! tags or by the class; nothing in a namespaced object is consent.

use std::time::Duration;

use shared::rules::{EngineVersion, RestoreFrom};

use super::{parameters, settings};
use crate::plan::outcome::Outcome;
use crate::plan::reason::Reason;
use crate::plan::world::{Seen, World};
use crate::providers::{Backup, Origin, Restore, Settings};
use crate::subject::Target;

/// Backups that cannot be seen, or are being made, are looked for again.
const AGAIN: Duration = Duration::from_secs(30);
/// The provider tells of what can be restored in steps of minutes.
const SOON: Duration = Duration::from_secs(60);

/// The instance to ask for where the object is to be made of a backup.
pub(super) fn plan(target: &Target, world: &World, from: &RestoreFrom) -> Result<Restore, Outcome> {
    let (backup, origin) = choose(target, world, from)?;
    fits(target, backup)?;
    let wanted = settings::wanted(target, world);
    // The size comes with the data, and what its storage does depends on that.
    let judged = Settings { allocated_gib: backup.allocated_gib, ..wanted.clone() };
    if let Some(blocked) = settings::not_offered(target, world, &judged) {
        return Err(blocked);
    }
    // The version comes with the data: the same major as the declared one, as was judged.
    parameters::group(target, world, target.desired.version)?;
    Ok(Restore {
        identifier: world.identifier.to_string(),
        settings: world.offer.said_at_restore(wanted, &origin),
        origin,
        owner: world.owner(),
        tags: target.tags(),
    })
}

fn choose<'a>(target: &Target, world: &'a World, from: &RestoreFrom) -> Result<(&'a Backup, Origin), Outcome> {
    let found = match &world.backups {
        Seen::Unknown(why) => {
            let message = format!("what is to be restored cannot be looked for: {why}");
            return Err(Outcome::Wait { reason: Reason::CloudUnavailable, message, until: Some(AGAIN) });
        }
        Seen::Absent => &[][..],
        Seen::Known(found) => found,
    };
    match from {
        RestoreFrom::Snapshot(name) => snapshot(target, world, name, found),
        RestoreFrom::PointInTime { database, time } => {
            let name = database.as_deref().unwrap_or(&world.object.name);
            // A name is used again: each of its instances has backups of its own.
            let theirs = found.iter().filter(|backup| of_namespace(world, backup));
            let mut theirs: Vec<_> = theirs.filter(|backup| backup.marks.name.as_deref() == Some(name)).collect();
            theirs.sort_by_key(|backup| backup.reaches.map(|(_, last)| last));
            moment(name, &theirs, *time)
        }
    }
}

/// Of this cluster and namespace, as its own tags say.
fn of_namespace(world: &World, backup: &Backup) -> bool {
    backup.marks.cluster.as_ref() == Some(&world.cluster)
        && backup.marks.namespace.as_ref() == Some(&world.object.namespace)
}

fn snapshot<'a>(
    target: &Target,
    world: &World,
    name: &str,
    found: &'a [Backup],
) -> Result<(&'a Backup, Origin), Outcome> {
    let permitted = |backup: &&Backup| of_namespace(world, backup) || target.fence.restorable(name);
    // One that is not permitted is not told from one that is not there: whose it is, is nobody's to find out by trying.
    let Some(backup) = found.iter().find(permitted) else {
        let message = format!(
            "spec.restoreFrom.snapshot: there is no snapshot {name} that this namespace may restore: its own tags must name this cluster and \
             namespace, or the class list it in restorableSnapshots"
        );
        return Err(Outcome::Blocked { reason: Reason::NotPermitted, message, until: Some(SOON) });
    };
    if backup.failed() {
        let message = format!("spec.restoreFrom.snapshot: the snapshot {name} has failed, and holds nothing");
        return Err(Outcome::blocked(Reason::NotRestorable, message));
    }
    if !backup.complete {
        let message = format!("the snapshot {name} is {}: it is restored when it is available", backup.status);
        return Err(Outcome::Wait { reason: Reason::WaitingForBackup, message, until: Some(AGAIN) });
    }
    Ok((backup, Origin::Snapshot(name.to_owned())))
}

/// The backups that reach the moment; of several the latest.
fn moment<'a>(
    name: &str,
    theirs: &[&'a Backup],
    time: Option<jiff::Timestamp>,
) -> Result<(&'a Backup, Origin), Outcome> {
    let Some(latest) = theirs.last() else {
        let message = format!(
            "spec.restoreFrom.pointInTime: there are no automated backups of an RDSDatabase {name} of this namespace that this operator made"
        );
        return Err(Outcome::Blocked { reason: Reason::NotRestorable, message, until: Some(SOON) });
    };
    let holds = |backup: &&&Backup| match (backup.reaches, time) {
        (Some((first, last)), Some(time)) => first <= time && time <= last,
        (reaches, None) => reaches.is_some(),
        (None, Some(_)) => false,
    };
    if let Some((backup, resource_id)) =
        theirs.iter().rev().find(holds).and_then(|backup| Some((*backup, backup.resource_id.clone()?)))
    {
        return Ok((backup, Origin::PointInTime { resource_id, time }));
    }
    match (latest.reaches, time) {
        // What was done a moment ago is restorable in some minutes.
        (Some((_, last)), Some(time)) if time > last => {
            let message = format!(
                "spec.restoreFrom.pointInTime: the backups of {name} reach up to {last} by now: {time} can be restored when they have gone so far, and \
                 never if the database is gone; leave time out for the latest moment"
            );
            Err(Outcome::Blocked { reason: Reason::NotRestorable, message, until: Some(SOON) })
        }
        (Some(_), time) => {
            let reach = |backup: &&&Backup| backup.reaches.map(|(first, last)| format!("{first} to {last}"));
            let reach: Vec<_> = theirs.iter().rev().take(3).filter_map(|backup| reach(&backup)).collect();
            let time = time.map(|time| time.to_string()).unwrap_or_default();
            let message = format!(
                "spec.restoreFrom.pointInTime.time: {time} is in none of the times that the backups of {name} reach: {}",
                reach.join(", ")
            );
            Err(Outcome::Blocked { reason: Reason::NotRestorable, message, until: Some(SOON) })
        }
        (None, _) => {
            let message = format!(
                "spec.restoreFrom.pointInTime: the automated backups of {name} are {}, and nothing of them can be restored by now",
                latest.status
            );
            Err(Outcome::Blocked { reason: Reason::NotRestorable, message, until: Some(SOON) })
        }
    }
}

/// Engine, version and master user come with the data, and never change by a restore.
fn fits(target: &Target, backup: &Backup) -> Result<(), Outcome> {
    let desired = &target.desired;
    let blocked = |message: String| Err(Outcome::blocked(Reason::NotRestorable, message));
    if backup.engine != Some(desired.engine) {
        let holds = backup.engine.map_or_else(|| "another engine".to_owned(), |engine| engine.to_string());
        return blocked(format!("spec.type: {} is asked for, and the backup holds {holds}", desired.engine));
    }
    let version = backup.engine_version.as_deref().and_then(|text| EngineVersion::read(desired.engine, text));
    if let Some(version) = version.filter(|version| version.major() != desired.version.major()) {
        let (wanted, major) = (desired.version, version.major());
        return blocked(format!(
            "spec.version: {wanted} is asked for, and the backup holds {version}: write \"{major}\", which a restore brings"
        ));
    }
    match &backup.master_user {
        Some(brought) if brought.as_str() != desired.master_user.as_str() => blocked(format!(
            "spec.masteruser: the backup brings the master user {brought}, and no other: write {brought}"
        )),
        _ => Ok(()),
    }
}
