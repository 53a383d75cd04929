//! What the world would be like after a step, if all goes well: as much of it as shows what comes next. Nothing imagined is ever acted on.

use shared::rules::{EngineVersion, WeeklyWindow};

use super::outcome::{Concern, Outcome};
use super::reason::Reason;
use super::step::{ClusterStep, ServicePlace, Step};
use super::world::{Passage, SecretFact, Seen, ServiceFact, SqlReport, SqlVisit, World};
use crate::binding::{Binding, secret_data};
use crate::clock::Moment;
use crate::cluster::Version;
use crate::engine::Password;
use crate::providers::{
    Applied, Group, Instance, MarkInstance, Marks, Modify, Owner, Request, Settings, Snapshot, SnapshotKind, State,
};

/// Minutes.
const WEEK: u16 = 7 * 24 * 60;

/// A step has been done.
pub(super) fn done(world: &mut World, step: &Step, now: Moment) {
    match step {
        Step::Cluster(step) => on_cluster(world, step),
        Step::Cloud(request) => on_cloud(world, request, step, now),
        Step::Inside(..) => visited(world, now),
    }
}

fn on_cluster(world: &mut World, step: &ClusterStep) {
    match step {
        ClusterStep::AddFinalizer => world.object.finalizer = true,
        ClusterStep::RemoveFinalizer => world.object.finalizer = false,
        ClusterStep::CreateSecret { secret, user, dialect }
        | ClusterStep::RepairPassword { secret, user, dialect, .. } => {
            // Any password: which one it is shows nowhere.
            let binding = Binding { user, ..Binding::default() };
            let data = secret_data(*dialect, binding, &Password::from("imagined".to_owned()));
            let ours = SecretFact::Ours { data, version: Version::default() };
            world.secrets.insert(secret.clone(), Seen::Known(ours));
        }
        ClusterStep::UpdateSecret { secret, data, .. } => {
            let ours = SecretFact::Ours { data: data.clone(), version: Version::default() };
            world.secrets.insert(secret.clone(), Seen::Known(ours));
        }
        ClusterStep::DeleteSecret { secret, .. } => drop(world.secrets.remove(secret)),
        ClusterStep::CreateService { place, external_name, port, .. }
        | ClusterStep::UpdateService { place, external_name, port, .. } => {
            let (external_name, port) = (external_name.clone(), Some(i32::from(*port)));
            let ours = ServiceFact::Ours { external_name, port, version: Version::default() };
            serves(world, *place, Seen::Known(ours));
        }
        ClusterStep::DeleteService { place, .. } => serves(world, *place, Seen::Absent),
    }
}

fn serves(world: &mut World, place: ServicePlace, seen: Seen<ServiceFact>) {
    match place {
        ServicePlace::Own => world.service = seen,
        ServicePlace::Alias => world.alias = Some(seen),
    }
}

fn on_cloud(world: &mut World, request: &Request, step: &Step, now: Moment) {
    match request {
        Request::Create(request) => {
            let master = Some(request.master_user.clone());
            born(world, &request.identifier, &request.settings, master, &request.owner);
        }
        Request::Restore(request) => born(world, &request.identifier, &request.settings, None, &request.owner),
        Request::Modify(request) => modified(world, request),
        Request::ResetMaster(_) => visited(world, now),
        Request::Mark(request) => on_instance(world, |instance| marked(instance, request)),
        Request::Snapshot(request) => snapshot(world, &request.snapshot),
        // Nothing that is played ahead follows from which copies there are.
        Request::DeleteSnapshot(_) => {}
        Request::Delete(request) => {
            if let Some(name) = &request.final_snapshot {
                snapshot(world, name);
            }
            world.instance = Seen::Absent;
            world.ledger.done(step, now);
        }
        Request::Reboot(_) => on_instance(world, |instance| instance.parameters = Applied::Whole),
        Request::CreateGroup(request) => {
            let (name, family) = (request.name.clone(), request.family.clone());
            let group = Group { name, family, cluster: Some(request.cluster.clone()), values: [].into() };
            world.groups.insert(request.name.clone(), Seen::Known(group));
        }
        Request::FillGroup(request) => {
            if let Some(Seen::Known(group)) = world.groups.get_mut(&request.name) {
                group.values.extend(request.values.clone());
            }
        }
        Request::DeleteGroup(request) => drop(world.groups.remove(&request.name)),
    }
}

fn on_instance(world: &mut World, change: impl FnOnce(&mut Instance)) {
    if let Seen::Known(instance) = &mut world.instance {
        change(instance);
    }
}

fn born(world: &mut World, identifier: &str, settings: &Settings, master_user: Option<String>, owner: &Owner) {
    world.instance = Seen::Known(Instance {
        identifier: identifier.to_owned(),
        resource_id: None,
        resource_name: None,
        status: State::settled(),
        endpoint: None,
        running: settings.clone(),
        pending: Settings::default(),
        parameters: Applied::Whole,
        pending_else: Vec::new(),
        restorable: None,
        replicas: Vec::new(),
        master_user,
        authority: None,
        marks: Marks::from(owner),
        tags: [].into(),
    });
}

fn marked(instance: &mut Instance, request: &MarkInstance) {
    let MarkInstance { resource: _, owner, retained, tags } = request;
    if let Some(owner) = owner {
        instance.marks = Marks { retained: instance.marks.retained, ..Marks::from(owner) };
    }
    instance.marks.retained = retained.or(instance.marks.retained);
    instance.tags.extend(tags.clone());
}

fn modified(world: &mut World, request: &Modify) {
    let Modify { identifier: _, change, at_once, major } = request;
    let offer = world.offer;
    on_instance(world, |instance| {
        let parts = offer.impact(change, &instance.running);
        // The parameters of another family come with the version.
        let (soon, later) = match major {
            true => (Settings::default(), change.clone()),
            false => (parts.now, parts.quiet.or(parts.outage)),
        };
        if soon.parameter_group.is_some() {
            instance.parameters = Applied::AtRestart;
        }
        instance.running = soon.or(instance.running.clone());
        instance.pending = later.or(instance.pending.clone());
        if *at_once {
            applied(instance);
        }
    });
    if *at_once {
        upgraded(world);
    }
}

/// What the provider does by itself with any change is made.
fn upgraded(world: &mut World) {
    if let Seen::Known(pending) = &mut world.maintenance {
        pending.retain(|pending| !pending.with_changes);
    }
}

/// What waited is made.
fn applied(instance: &mut Instance) {
    let pending = std::mem::take(&mut instance.pending);
    if pending.parameter_group.is_some() {
        instance.parameters = Applied::Whole;
    }
    instance.running = pending.or(instance.running.clone());
    instance.pending_else.clear();
}

/// What a minor version on the way goes to is not known before it runs: it is taken for one that goes where the way leads.
pub(super) fn reaches(world: &mut World, real: &World, wanted: EngineVersion) {
    let version = |world: &World| world.instance.known()?.running.engine_version.clone();
    if version(world) != version(real)
        && let Some(Passage { upgrades: Seen::Known(upgrades), .. }) = &mut world.passage
    {
        upgrades.targets = vec![wanted.to_string()];
    }
}

fn snapshot(world: &mut World, name: &str) {
    let resource_id = world.instance.known().and_then(|instance| instance.resource_id.clone());
    let made = Snapshot {
        identifier: name.to_owned(),
        kind: SnapshotKind::Manual,
        status: "available".to_owned(),
        created: world.passage.as_ref().map(|passage| passage.at),
        resource_id,
        marks: Marks::from(&world.owner()),
    };
    let others = world.snapshots.known().cloned().unwrap_or_default();
    world.snapshots = Seen::Known(others.into_iter().chain([made]).collect());
}

fn visited(world: &mut World, now: Moment) {
    if let Some(inputs) = &world.visit_inputs {
        let (inputs, result) = (inputs.digest.clone(), Ok(SqlReport::default()));
        world.visit = Some(SqlVisit { inputs, at: now, result });
    }
}

/// Whether a wait of this kind ends by itself, and what follows it can be told.
pub(super) fn ends(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Pinning
            | Reason::InstanceBusy
            | Reason::InstanceCreating
            | Reason::WaitingForWindow
            | Reason::Modifying
            | Reason::Growing
            | Reason::TakingSnapshot
            | Reason::WaitingForDatabases
            | Reason::Restarting
    )
}

/// What the concerns wait for has come. Gives whether there was anything.
pub(super) fn time_passed(world: &mut World, outcomes: &[(Concern, Outcome)], now: Moment) -> bool {
    let waits = |concern: Option<Concern>, reasons: &[Reason]| {
        outcomes.iter().any(|(found, outcome)| {
            concern.is_none_or(|concern| *found == concern)
                && matches!(outcome, Outcome::Wait { reason, .. } if reasons.contains(reason))
        })
    };
    let mut passed = waits(None, &[Reason::Pinning]);
    if waits(None, &[Reason::InstanceBusy, Reason::InstanceCreating]) {
        on_instance(world, |instance| {
            let status = &instance.status;
            if !status.is_settled() && status.stuck().is_none() && !status.deleting() {
                instance.status = State::settled();
                passed = true;
            }
        });
    }
    if waits(None, &[Reason::WaitingForWindow, Reason::Modifying, Reason::Growing]) {
        on_instance(world, |instance| {
            passed |= !instance.pending.is_empty();
            applied(instance);
        });
    }
    if waits(None, &[Reason::TakingSnapshot])
        && let Seen::Known(made) = &mut world.snapshots
    {
        let at = world.passage.as_ref().map(|passage| passage.at);
        for unfinished in made.iter_mut().filter(|made| !made.available() && !made.failed()) {
            (unfinished.status, unfinished.created) = ("available".to_owned(), at);
            passed = true;
        }
    }
    let stopped = outcomes
        .iter()
        .any(|(concern, outcome)| *concern == Concern::Databases && matches!(outcome, Outcome::Blocked { .. }));
    if waits(Some(Concern::Settings), &[Reason::WaitingForDatabases]) && !stopped {
        passed |= world.visit_inputs.is_some();
        visited(world, now);
    }
    if waits(Some(Concern::Parameters), &[Reason::WaitingForWindow]) {
        let window = world.instance.known().and_then(|instance| instance.running.maintenance_window.as_deref());
        let opens_in =
            window.and_then(|text| WeeklyWindow::parse(text).ok()).map(|window| window.opens_in(world.minute));
        if let Some(opens_in) = opens_in.filter(|opens_in| *opens_in > 0) {
            world.minute = (world.minute + opens_in) % WEEK;
            passed = true;
        }
    }
    if waits(None, &[Reason::Restarting]) && world.acting_since != Moment::LONG_AGO {
        world.acting_since = Moment::LONG_AGO;
        passed = true;
    }
    passed
}
