//! The parameters of the server: the group that holds what is asked for, made ready before an instance gets it, and the restart by which the
//! server takes it up.
//!
//! A new instance lets nobody in without TLS. One that is there already has clients, and some of them may do without: it gets a group of ours when
//! its object asks for parameters, and TLS is forced by that only where it was before, or in so many words.

use std::time::Duration;

use shared::rules::{EngineVersion, WeeklyWindow};

use super::queue::NOT_YET;
use crate::clock::Moment;
use crate::plan::ground::usable;
use crate::plan::ledger::Ledger;
use crate::plan::outcome::Outcome;
use crate::plan::reason::Reason;
use crate::plan::step::Step;
use crate::plan::world::{Seen, World};
use crate::providers::{
    Applied, CreateGroup, FillGroup, Group, Instance, Modify, Reboot, Request, Settings, Values, WantedGroup,
    forces_tls, is_ours,
};
use crate::subject::Target;

/// What cannot be seen is looked at again.
const AGAIN: Duration = Duration::from_secs(10);
/// A server is given what needs no restart within a minute.
const SOON: Duration = Duration::from_secs(30);
/// A restart begins while so many minutes of the window are left.
const LEAST_LEFT: u16 = 5;

/// The group that an instance of this version is to have; `None` where it stays in the one that it has.
pub(crate) fn wanted(target: &Target, world: &World, version: EngineVersion) -> Option<WantedGroup> {
    let desired = &target.desired;
    let have = match &world.instance {
        Seen::Absent => None,
        Seen::Known(instance) => Some(instance.running.parameter_group.as_deref().unwrap_or_default()),
        Seen::Unknown(_) => return None,
    };
    if have.is_some_and(|have| !is_ours(have)) && desired.parameters.is_empty() {
        return None;
    }
    let mut values = target.parameters();
    let tls = have.is_none_or(forces_tls);
    if tls {
        let (name, value) = world.offer.forces_tls(desired.engine);
        values.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }
    Some(WantedGroup::of(&world.cluster, &world.offer.family(desired.engine, version), tls, values))
}

/// The groups that are to be looked at: those of the version that runs and of the one that is declared, unless the instance has them.
pub(crate) fn looked_for(target: &Target, world: &World) -> Vec<WantedGroup> {
    let declared = target.desired.version;
    let running = world.instance.known().and_then(|instance| running(target, instance));
    let other = running.filter(|running| running.major() != declared.major());
    let versions = if other.is_some() { [running, Some(declared)] } else { [running.or(Some(declared)), None] };
    let wanted = versions.into_iter().flatten().filter_map(|version| wanted(target, world, version));
    wanted.filter(|wanted| !has(world, wanted)).collect()
}

/// The name of the group for an instance of this version, where it is whole and the instance may have it; `None` where nothing is to be said of
/// one. It may be of another family than that which runs: an upgrade brings its own.
///
/// # Errors
/// What comes first: the group is made, filled or waited for, or what is asked for cannot be had.
pub(crate) fn group(target: &Target, world: &World, version: EngineVersion) -> Result<Option<String>, Outcome> {
    let Some(wanted) = wanted(target, world, version) else { return Ok(None) };
    whole(target, world, &wanted)?;
    Ok(Some(wanted.name))
}

fn running(target: &Target, instance: &Instance) -> Option<EngineVersion> {
    EngineVersion::read(target.desired.engine, instance.running.engine_version.as_deref()?)
}

/// The instance has it: what it holds was read back before that.
fn has(world: &World, wanted: &WantedGroup) -> bool {
    let instance = world.instance.known();
    instance.is_some_and(|instance| instance.running.parameter_group.as_deref() == Some(&wanted.name))
}

fn whole(target: &Target, world: &World, wanted: &WantedGroup) -> Result<(), Outcome> {
    if has(world, wanted) {
        return Ok(());
    }
    offered(target, world, wanted)?;
    let name = &wanted.name;
    let unseen = |why: &str| {
        let message = format!("the parameter group {name} cannot be looked at: {why}");
        Err(Outcome::Wait { reason: Reason::CloudUnavailable, message, until: Some(AGAIN) })
    };
    let group = match world.groups.get(name) {
        None => return unseen("that comes next"),
        Some(Seen::Unknown(why)) => return unseen(why),
        Some(Seen::Absent) => {
            let (name, family, cluster) = (name.clone(), wanted.family.clone(), world.cluster.clone());
            let request = Request::CreateGroup(CreateGroup { name, family, cluster });
            return Err(Outcome::act(Reason::PreparingParameters, request.to_string(), Step::Cloud(request)));
        }
        Some(Seen::Known(group)) => group,
    };
    if let Some(why) = foreign(world, wanted, group) {
        let message = format!("the parameter group {name} {why}: delete it, or mend it");
        return Err(Outcome::Blocked { reason: Reason::ParameterGroupNotOurs, message, until: Some(AGAIN * 6) });
    }
    let missing = wanted.values.iter().filter(|(name, _)| !group.values.contains_key(*name));
    let values: Values = missing.take(FillGroup::AT_ONCE).map(|(name, value)| (name.clone(), value.clone())).collect();
    if values.is_empty() {
        return Ok(());
    }
    let request = Request::FillGroup(FillGroup { name: name.clone(), values });
    Err(Outcome::act(Reason::PreparingParameters, request.to_string(), Step::Cloud(request)))
}

/// What tells a group from one of ours that is whole, or on its way there: nothing of ours sets anything else.
fn foreign(world: &World, wanted: &WantedGroup, group: &Group) -> Option<String> {
    if group.cluster.as_ref() != Some(&world.cluster) {
        return Some("is not marked as this cluster's".to_owned());
    }
    if group.family != wanted.family {
        return Some(format!("is for {} and not for {}", group.family, wanted.family));
    }
    let (name, value) = group.values.iter().find(|(name, value)| wanted.values.get(*name) != Some(value))?;
    Some(match wanted.values.get(name) {
        Some(right) => format!("was changed by somebody: it says {value} for {name}, and {right} is right"),
        None => format!("was changed by somebody: it says {value} for {name}, and nothing is right"),
    })
}

/// Whether the provider lets one set all that is asked for.
fn offered(target: &Target, world: &World, wanted: &WantedGroup) -> Result<(), Outcome> {
    let asked = target.parameters();
    if asked.is_empty() {
        return Ok(());
    }
    let family = &wanted.family;
    let unseen = |why: &str| {
        let message = format!("which parameters there are for {family} cannot be asked: {why}");
        Err(Outcome::Wait { reason: Reason::CloudUnavailable, message, until: Some(AGAIN) })
    };
    let offered = match world.offered.get(family) {
        None | Some(Seen::Absent) => return unseen("that comes next"),
        Some(Seen::Unknown(why)) => return unseen(why),
        Some(Seen::Known(offered)) => offered,
    };
    for (name, value) in &asked {
        let field = match target.desired.parameters.contains_key(name) {
            true => format!("spec.parameters[{name}]"),
            false => format!("parameters[{name}] of the class"),
        };
        let why = match offered.get(name) {
            None => format!("{field}: {family} has no parameter of this name: correct it, or leave it out"),
            Some(parameter) if !parameter.modifiable => {
                format!("{field}: {} lets nobody set it: leave it out", world.offer.service())
            }
            Some(parameter) if !parameter.allowed.takes(value) => {
                format!("{field}: {value} is not offered: write {}", parameter.allowed)
            }
            Some(_) => continue,
        };
        return Err(Outcome::blocked(Reason::NotOffered, why));
    }
    Ok(())
}

pub(crate) fn plan(target: &Target, world: &World, now: Moment) -> Outcome {
    let Some(instance) = usable(world) else {
        return Outcome::wait(Reason::WaitingForInstance, NOT_YET);
    };
    let wanted = running(target, instance).and_then(|version| wanted(target, world, version));
    let Some(wanted) = wanted else {
        let group = instance.running.parameter_group.as_deref().unwrap_or("that it was given");
        return Outcome::done(format!("no parameters are asked for: the group stays {group}"));
    };
    if !has(world, &wanted) {
        return attach(target, world, instance, &wanted).unwrap_or_else(|first| first);
    }
    let group = wanted.name;
    match instance.parameters {
        Applied::Whole => Outcome::done(format!("the server runs with the parameter group {group}")),
        Applied::UnderWay => Outcome::Wait {
            reason: Reason::ParametersUnderWay,
            message: format!("the server is being given what the parameter group {group} says"),
            until: Some(SOON),
        },
        Applied::Failed => Outcome::blocked(
            Reason::ParametersNotApplied,
            format!(
                "{} could not apply the parameter group {group}: its events say which of spec.parameters",
                world.offer.service()
            ),
        ),
        Applied::AtRestart => restart(target, world, instance, group, now),
    }
}

/// Another group is given to the instance at once, and nobody notices: its server takes it up when it is restarted.
fn attach(target: &Target, world: &World, instance: &Instance, wanted: &WantedGroup) -> Result<Outcome, Outcome> {
    target.fence.parameters(&target.desired)?;
    whole(target, world, wanted)?;
    let change = Settings { parameter_group: Some(wanted.name.clone()), ..Settings::default() };
    let what = change.from(&instance.running);
    if !instance.status.modifiable() {
        let message = format!("{} reports {}; then: {what}", world.offer.service(), instance.status);
        return Ok(Outcome::wait(Reason::InstanceBusy, message));
    }
    let request = Modify { identifier: instance.identifier.clone(), change, at_once: false, major: false };
    Ok(Outcome::act(Reason::Modifying, what, Step::Cloud(Request::Modify(request))))
}

/// No window of the provider's restarts a server for its parameters: that is asked for, once, within it.
fn restart(target: &Target, world: &World, instance: &Instance, group: String, now: Moment) -> Outcome {
    let window = instance.running.maintenance_window.as_deref();
    let window = window.and_then(|text| WeeklyWindow::parse(text).ok());
    let open = window.is_some_and(|window| window.left(world.minute).is_some_and(|left| left >= LEAST_LEFT));
    let what = format!("the server takes up the parameter group {group} with a restart, an outage");
    if !target.desired.apply_immediately && !open {
        let when = window.map_or_else(
            || "the maintenance window".to_owned(),
            |window| format!("the maintenance window {window} UTC"),
        );
        let message = format!("{what}, which waits for {when}; spec.applyImmediately: true makes it at once");
        let until = window.map(|window| Duration::from_secs(60 * u64::from(window.opens_in(world.minute))));
        return Outcome::Wait { reason: Reason::WaitingForWindow, message, until };
    }
    if !instance.status.modifiable() {
        let message = format!("{} reports {}; then: {what}", world.offer.service(), instance.status);
        return Outcome::wait(Reason::InstanceBusy, message);
    }
    // Another process may have asked for it, and what is seen may be older than that.
    if let Some(left) = Ledger::restart_may_appear(world.acting_since, now) {
        return Outcome::Wait { reason: Reason::Restarting, message: what, until: Some(left) };
    }
    let request = Reboot { identifier: instance.identifier.clone(), group };
    Outcome::act(Reason::Restarting, what, Step::Cloud(Request::Reboot(request)))
}
