//! Time passing where there are no engines: what the worker of a server does with each instance, with the real work done at once.

use jiff::Timestamp;

use crate::account::Account;
use crate::actions::finish_copy;
use crate::state::{Instance, Snapshot, SnapshotStatus, State};
use crate::timetable::Step;
use crate::{lifecycle, upgrade};

/// Plays everything forward to `now`, in the order of time and, at one moment, of identifiers. To be called before each action at `now` too:
/// what waits for a maintenance window might else begin before it was asked for.
pub fn advance(account: &Account, state: &mut State, now: Timestamp) {
    loop {
        let played = state.played;
        let steps =
            state.instances.values().filter_map(|instance| Some((moment(account, instance, played)?, instance)));
        let step = steps.filter(|(at, _)| *at <= now).min_by_key(|(at, _)| *at);
        let copied = copies(account, state).filter(|(at, _)| *at <= now).min_by_key(|(at, _)| *at);
        match (step, copied) {
            (Some((at, instance)), copied) if copied.is_none_or(|(copied, _)| at <= copied) => {
                let instance = instance.clone();
                state.played = at;
                take(account, state, &instance, at);
            }
            (_, Some((at, snapshot))) => {
                let (at, id) = (at.max(played), snapshot.id.clone());
                state.played = at;
                finish_copy(state, &id, at);
            }
            _ => break,
        }
    }
    state.played = state.played.max(now);
}

/// When something is seen to change next, without a call: a step of an instance, or a status or a refusal that ends with time alone. Not
/// before `now`; what is due already is due now.
pub fn next_moment(account: &Account, state: &State, now: Timestamp) -> Option<Timestamp> {
    let steps = state.instances.values().filter_map(|instance| moment(account, instance, now));
    let seen = state.instances.values().flat_map(|instance| account.times(instance).turns(instance));
    let over = state.retained.values().map(|backup| account.times(&backup.source).end(backup));
    let copied = copies(account, state).map(|(at, _)| at.max(now));
    steps.chain(copied).chain(seen.chain(over).filter(|at| *at > now)).min()
}

/// The copies of snapshots that are under way, and when they are complete.
fn copies<'a>(account: &Account, state: &'a State) -> impl Iterator<Item = (Timestamp, &'a Snapshot)> {
    let under_way = |snapshot: &&Snapshot| snapshot.copy.is_some() && snapshot.status == SnapshotStatus::Creating;
    let times = account.timetable.clone();
    state.snapshots.values().filter(under_way).map(move |snapshot| (times.copied(snapshot), snapshot))
}

/// When the next step of an instance is taken, as seen at `from`.
fn moment(account: &Account, instance: &Instance, from: Timestamp) -> Option<Timestamp> {
    let from = from.max(instance.phase.since);
    match account.times(instance).next(instance, from) {
        Step::Rest => None,
        Step::Wait(until) => Some(until),
        Step::Work
        | Step::ApplyParameters
        | Step::PublishFinalSnapshot
        | Step::Finish
        | Step::BeginPending
        | Step::BackUp => Some(from),
    }
}

fn take(account: &Account, state: &mut State, instance: &Instance, at: Timestamp) {
    let id = &instance.resource_id;
    match account.times(instance).next(instance, at) {
        Step::Rest | Step::Wait(_) => {}
        Step::Work => {
            if instance.major_upgrade().is_some() {
                upgrade::begun(state, id, at);
            }
            lifecycle::worked(state, id, &instance.phase.activity, at);
        }
        Step::PublishFinalSnapshot => lifecycle::publish_final_snapshot(state, id, at),
        Step::ApplyParameters => {
            let values = instance.parameters_applied_at_once(&state.parameter_groups);
            lifecycle::parameters_applied(state, id, values, at);
        }
        Step::BeginPending => lifecycle::begin_pending(state, id, at),
        Step::BackUp => lifecycle::begin_backup(account, state, id, at),
        Step::Finish => lifecycle::finish(state, id, at),
    }
}
