//! Faults of the plan: it sees another world, or gives another plan.

use std::time::Duration;

use reconciler::clock::Moment;
use reconciler::plan::{
    ClusterStep, KeptCopies, Ledger, Outcome, Plan, SecretFact, Seen, ServiceFact, Step, World, plan,
};
use reconciler::providers::{Request, Snapshot, SnapshotKind, WantedGroup};
use reconciler::subject::Subject;
use shared::names;
use shared::rules::WeeklyWindow;

/// The plan for another world.
fn in_its_place(subject: &Subject, world: &World, now: Moment, change: impl FnOnce(&mut World)) -> Plan {
    let mut world = world.clone();
    change(&mut world);
    plan(subject, &world, now)
}

pub(super) fn namesakes_snapshot(subject: &Subject, world: &World, now: Moment) -> Plan {
    in_its_place(subject, world, now, |world| {
        let pinned = world.pinned.as_ref().and_then(|pinned| pinned.resource_id.clone());
        let deleted = world.object.deleted_at;
        let Seen::Known(snapshots) = &mut world.snapshots else { return };
        for snapshot in snapshots.iter_mut().filter(|snapshot| snapshot.identifier.contains("-final-")) {
            snapshot.resource_id.clone_from(&pinned);
            snapshot.created = deleted.map(|deleted| deleted + Duration::from_secs(1));
        }
    })
}

pub(super) fn old_snapshot(subject: &Subject, world: &World, now: Moment) -> Plan {
    in_its_place(subject, world, now, |world| {
        let deleted = world.object.deleted_at;
        let Seen::Known(snapshots) = &mut world.snapshots else { return };
        for snapshot in snapshots {
            snapshot.created = deleted.map(|deleted| deleted + Duration::from_secs(1));
        }
    })
}

pub(super) fn unsaved(subject: &Subject, world: &World, now: Moment) -> Plan {
    in_its_place(subject, world, now, |world| {
        let (Some(passage), Seen::Known(instance)) = (&world.passage, &world.instance) else { return };
        let majors = 12..=18;
        let made = majors.map(|major| Snapshot {
            identifier: format!("{}-before-{major}-1", instance.identifier),
            kind: SnapshotKind::Manual,
            status: "available".into(),
            created: Some(passage.at),
            resource_id: instance.resource_id.clone(),
            marks: instance.marks.clone(),
        });
        world.snapshots = Seen::Known(made.collect());
    })
}

pub(super) fn upgrade_unseen(subject: &Subject, world: &World, now: Moment) -> Plan {
    in_its_place(subject, world, now, |world| world.maintenance = Seen::Absent)
}

pub(super) fn pruned_early(subject: &Subject, world: &World, now: Moment) -> Plan {
    in_its_place(subject, world, now, |world| {
        let Some(KeptCopies { snapshots: Seen::Known(snapshots), .. }) = &mut world.copies else { return };
        let kept = snapshots.iter().find(|snapshot| snapshot.marks.kept && snapshot.available());
        let newer = kept.and_then(|kept| {
            let (name, _) = kept.identifier.split_once("-kept-")?;
            let created = Some(world.at + Duration::from_secs(400 * 24 * 3600));
            Some(Snapshot { identifier: format!("{name}-kept-20990101-0000"), created, ..kept.clone() })
        });
        snapshots.extend(newer);
    })
}

pub(super) fn no_consent(subject: &Subject, world: &World, now: Moment) -> Plan {
    in_its_place(subject, world, now, |world| {
        let Seen::Known(backups) = &mut world.backups else { return };
        for backup in backups {
            backup.marks.cluster = Some(world.cluster.clone());
            backup.marks.namespace = Some(world.object.namespace.clone());
        }
    })
}

pub(super) fn pin_lost(subject: &Subject, world: &World, now: Moment) -> Plan {
    let plan = plan(subject, world, now);
    match subject {
        Subject::Living(target) if target.desired.paused => Plan { pin: None, ..plan },
        _ => plan,
    }
}

pub(super) fn untold(subject: &Subject, world: &World, now: Moment) -> Plan {
    let mut plan = plan(subject, world, now);
    plan.ahead.retain(|planned| !planned.when.starts_with("in the maintenance window"));
    plan
}

pub(super) fn pause_unheeded(subject: &Subject, world: &World, now: Moment) -> Plan {
    let held = plan(subject, world, now);
    match subject {
        Subject::Living(target) if target.desired.paused => {
            let mut free = target.clone();
            free.desired.paused = false;
            Plan { ahead: held.ahead, ..plan(&Subject::Living(free), world, now) }
        }
        _ => held,
    }
}

pub(super) fn mark_copied(subject: &Subject, world: &World, now: Moment) -> Plan {
    in_its_place(subject, world, now, |world| {
        let Seen::Known(instance) = &mut world.instance else { return };
        instance.marks.uid = Some(world.object.uid.clone());
        instance.marks.cluster = Some(world.cluster.clone());
    })
}

pub(super) fn no_ledger(subject: &Subject, world: &World, now: Moment) -> Plan {
    in_its_place(subject, world, now, |world| world.ledger = Ledger::default())
}

pub(super) fn let_go_early(subject: &Subject, world: &World, now: Moment) -> Plan {
    let plan = plan(subject, world, now);
    let deleting = world.instance.known().is_some_and(|instance| instance.status.deleting());
    match subject {
        Subject::Leaving(departure) if deleting && world.object.finalizer && !departure.paused => {
            Plan { steps: vec![Step::Cluster(ClusterStep::RemoveFinalizer)], ..plan }
        }
        _ => plan,
    }
}

pub(super) fn unknown_is_absent(subject: &Subject, world: &World, now: Moment) -> Plan {
    fn absent<T>(seen: &mut Seen<T>) {
        if matches!(seen, Seen::Unknown(_)) {
            *seen = Seen::Absent;
        }
    }
    in_its_place(subject, world, now, |world| {
        absent(&mut world.instance);
        absent(&mut world.snapshots);
        absent(&mut world.service);
        world.alias.iter_mut().for_each(absent);
        world.secrets.values_mut().for_each(absent);
    })
}

pub(super) fn alias_taken(subject: &Subject, world: &World, now: Moment) -> Plan {
    in_its_place(subject, world, now, |world| {
        if matches!(world.alias, Some(Seen::Known(ServiceFact::Foreign { .. }))) {
            world.alias = Some(Seen::Absent);
        }
    })
}

pub(super) fn secret_first(subject: &Subject, world: &World, now: Moment) -> Plan {
    let mut plan = plan(subject, world, now);
    let Subject::Living(target) = subject else { return plan };
    if target.desired.paused || !world.object.finalizer {
        return plan;
    }
    let name = &world.object.name;
    let users = target.desired.users.keys().map(|user| names::secret_name(name, user));
    let wanted: Vec<String> = users.chain([names::master_secret_name(name)]).collect();
    for (secret, seen) in world.secrets.iter().filter(|(secret, _)| !wanted.contains(secret)) {
        if let Seen::Known(SecretFact::Ours { version, .. }) = seen {
            let (secret, version) = (secret.clone(), version.clone());
            plan.steps.insert(0, Step::Cluster(ClusterStep::DeleteSecret { secret, version }));
        }
    }
    plan
}

pub(super) fn status_restless(subject: &Subject, world: &World, now: Moment) -> Plan {
    let mut plan = plan(subject, world, now);
    let minutes = now.since(Moment::START).as_secs() / 60;
    for (_, outcome) in &mut plan.outcomes {
        if let Outcome::Done { message } = outcome {
            *message = format!("{message}, in minute {minutes}");
        }
    }
    plan
}

pub(super) fn no_final_snapshot(subject: &Subject, world: &World, now: Moment) -> Plan {
    let mut plan = plan(subject, world, now);
    for step in &mut plan.steps {
        if let Step::Cloud(Request::Delete(delete)) = step {
            delete.final_snapshot = None;
        }
    }
    plan
}

pub(super) fn unheld(subject: &Subject, world: &World, now: Moment) -> Plan {
    match subject {
        Subject::Living(_) => in_its_place(subject, world, now, |world| world.object.finalizer = true),
        Subject::Leaving(_) => plan(subject, world, now),
    }
}

pub(super) fn password_first(subject: &Subject, world: &World, now: Moment) -> Plan {
    let mut plan = plan(subject, world, now);
    for step in &mut plan.steps {
        if let Step::Cloud(Request::Create(create)) = step {
            create.master_password.password = "of-nobody's-knowledge".to_owned().into();
        }
    }
    plan
}

pub(super) fn two_creations(subject: &Subject, world: &World, now: Moment) -> Plan {
    let mut plan = plan(subject, world, now);
    let since = world.acting_since.since(Moment::START).as_nanos();
    for step in &mut plan.steps {
        if let Step::Cloud(Request::Create(create)) = step {
            create.identifier = format!("{}-{since}", create.identifier);
        }
    }
    plan
}

pub(super) fn restart_unasked(subject: &Subject, world: &World, now: Moment) -> Plan {
    in_its_place(subject, world, now, |world| {
        let window = world.instance.known().and_then(|instance| instance.running.maintenance_window.clone());
        if let Some(window) = window.and_then(|text| WeeklyWindow::parse(&text).ok()) {
            // The minute at which it opens.
            world.minute = (world.minute + window.opens_in(world.minute)) % (7 * 24 * 60);
        }
    })
}

pub(super) fn group_unread(subject: &Subject, world: &World, now: Moment) -> Plan {
    in_its_place(subject, world, now, |world| {
        let forced: reconciler::providers::Values = [("rds.force_ssl".to_owned(), "1".to_owned())].into();
        for seen in world.groups.values_mut() {
            let Seen::Known(group) = seen else { continue };
            if group.name == WantedGroup::of(&world.cluster, &group.family, true, forced.clone()).name {
                group.values.clone_from(&forced);
            }
        }
    })
}
