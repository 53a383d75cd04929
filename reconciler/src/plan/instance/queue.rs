//! When a change of an instance is asked for: at once, or to wait for the maintenance window.
//!
//! What nobody notices goes by itself, while nothing waits. What is an outage waits for its window, unless the object says that it is to be made
//! at once. A provider applies all that waits when anything is applied at once: while a change waits, others queue with it, and a wish that is
//! withdrawn is taken back only when nothing else would be applied by that.

use std::time::Duration;

use shared::rules::{Engine, EngineVersion};

use crate::clock::Moment;
use crate::plan::outcome::Outcome;
use crate::plan::reason::Reason;
use crate::plan::step::Step;
use crate::plan::world::{Seen, World};
use crate::providers::{Instance, Modify, Offer, Request, Settings};
use crate::subject::Target;

/// What is told while there is no instance to be worked with.
pub(super) const NOT_YET: &str = "waiting for the instance";

/// What a change of an instance meets.
pub(super) struct Standing<'a> {
    offer: &'static dyn Offer,
    instance: &'a Instance,
    engine: Engine,
    /// What waits besides that no specification speaks of, in words.
    besides: Vec<String>,
    /// The object says that nothing is to wait.
    at_once: bool,
    /// A change was asked to be applied at once a moment ago: for so long what is pending counts as on its way, and does not wait.
    applying: Option<Duration>,
    /// The provider takes such a change now.
    free: bool,
}

/// What comes of a wish.
pub(super) enum Ask {
    /// All is as it should be.
    Nothing,
    /// It is being changed; when to look again, where no event tells.
    UnderWay(Box<Settings>, Option<Duration>),
    /// This is to be told, or done.
    Say(Outcome),
}

impl<'a> Standing<'a> {
    pub(super) fn of(target: &Target, world: &World, instance: &'a Instance, now: Moment, free: bool) -> Self {
        Self {
            offer: world.offer,
            instance,
            engine: target.desired.engine,
            besides: instance.pending_else.iter().cloned().chain(maintenance(world)).collect(),
            at_once: target.desired.apply_immediately,
            applying: world.ledger.applying(now),
            free,
        }
    }

    /// The same where the provider takes nothing of it now.
    pub(super) fn later(self) -> Self {
        Self { free: false, ..self }
    }

    /// The storage is full: the server stands still until it has grown.
    pub(super) fn full(&self) -> bool {
        self.instance.status.storage_modifiable() && !self.instance.status.modifiable()
    }

    /// The engine goes to a later major version with this change.
    fn major(&self, change: &Settings) -> bool {
        let read = |version: &Option<String>| EngineVersion::read(self.engine, version.as_deref()?);
        let (wanted, runs) = (read(&change.engine_version), read(&self.instance.running.engine_version));
        wanted.zip(runs).is_some_and(|(wanted, runs)| wanted.major() > runs.major())
    }

    fn window(&self) -> String {
        let window = self.instance.running.maintenance_window.as_ref();
        window.map_or_else(
            || "the maintenance window".to_owned(),
            |window| format!("the maintenance window {window} UTC"),
        )
    }
}

/// What is asked for next of what is declared. `whole` adds what must be said with a part; `refused` tells what of the part that is
/// left the class does not permit, or the provider does not have.
pub(super) fn ask(
    standing: &Standing<'_>,
    declared: &Settings,
    whole: impl Fn(Settings) -> Settings,
    refused: impl Fn(&Settings) -> Option<Outcome>,
) -> Ask {
    let Instance { running, pending, .. } = standing.instance;
    let left = declared.clone().beyond(running, pending);
    // What is neither so nor about to be, and what is so and about to be otherwise.
    let forward = declared.clone().beyond(running, &Settings::default());
    let withdrawn = left.clone().without(&forward);
    let coming = forward.without(&left);
    let waits = standing.applying.is_none() && standing.free;
    if left.is_empty() {
        return match (coming.is_empty(), waits) {
            (true, _) => Ask::Nothing,
            (false, false) => Ask::UnderWay(Box::new(coming), standing.applying),
            (false, true) if standing.at_once => {
                let others = others(standing, &coming);
                Ask::Say(send(standing, whole(coming), true, &others))
            }
            (false, true) if alone(standing, &coming) => Ask::Say(send(standing, whole(coming), true, &[])),
            (false, true) => Ask::Say(in_the_window(standing, &coming)),
        };
    }
    if let Some(outcome) = refused(&left) {
        return Ask::Say(outcome);
    }
    let queued = !pending.is_empty() || !standing.besides.is_empty();
    let impact = standing.offer.impact(&left, running);
    let (change, at_once) = if !withdrawn.is_empty() {
        let others = others(standing, &withdrawn);
        if !others.is_empty() && !standing.at_once {
            let message = format!(
                "{} is taken back only by applying at once what else waits for {}: {}; set spec.applyImmediately: true for that, or wait for the window",
                withdrawn.from(pending),
                standing.window(),
                others.join(", ")
            );
            return Ask::Say(Outcome::blocked(Reason::WithdrawalAppliesOthers, message));
        }
        (if standing.at_once { left } else { withdrawn }, true)
    } else if standing.at_once || standing.full() {
        (left, true)
    } else if queued || impact.quiet.is_empty() {
        (left, false)
    } else {
        (impact.now.or(impact.quiet), true)
    };
    let others = if at_once { others(standing, &change) } else { Vec::new() };
    Ask::Say(send(standing, whole(change), at_once, &others))
}

/// It waited behind something else, which waits no more: nobody notices it, and nothing else would be applied.
fn alone(standing: &Standing<'_>, coming: &Settings) -> bool {
    others(standing, coming).is_empty() && standing.offer.impact(coming, &standing.instance.running).outage.is_empty()
}

/// What waits besides, and would be applied too.
fn others(standing: &Standing<'_>, change: &Settings) -> Vec<String> {
    let Instance { running, pending, .. } = standing.instance;
    if standing.applying.is_some() {
        return Vec::new();
    }
    let waiting = pending.clone().without(change);
    let named = (!waiting.is_empty()).then(|| waiting.from(running));
    named.into_iter().chain(standing.besides.iter().cloned()).collect()
}

/// What the provider is going to do by itself, and does with a change that is applied at once. Of what could not be looked for any may be there.
fn maintenance(world: &World) -> Vec<String> {
    let service = world.offer.service();
    match &world.maintenance {
        Seen::Known(pending) => {
            let with_changes = pending.iter().filter(|pending| pending.with_changes);
            with_changes.map(|pending| format!("maintenance by {service}: {}", pending.what)).collect()
        }
        Seen::Unknown(why) => vec![format!("any maintenance by {service}, which could not be asked for ({why})")],
        Seen::Absent => Vec::new(),
    }
}

fn send(standing: &Standing<'_>, change: Settings, at_once: bool, others: &[String]) -> Outcome {
    let Instance { running, pending, identifier, status, .. } = standing.instance;
    let mut what = change.from(&pending.clone().or(running.clone()));
    // It is asked for once more, to be applied.
    if what.is_empty() {
        what = change.from(running);
    }
    if !standing.offer.impact(&change, running).outage.is_empty() {
        let when = if at_once { "now".to_owned() } else { format!("in {}", standing.window()) };
        what = format!("{what}; an outage, {when}");
    }
    if !others.is_empty() {
        what = format!("{what}; with it goes what waits for {}: {}", standing.window(), others.join(", "));
    }
    if !standing.free {
        let message = format!("{} reports {status}; then: {what}", standing.offer.service());
        return Outcome::wait(Reason::InstanceBusy, message);
    }
    let major = standing.major(&change);
    let request = Request::Modify(Modify { identifier: identifier.clone(), change, at_once, major });
    Outcome::act(Reason::Modifying, what, Step::Cloud(request))
}

fn in_the_window(standing: &Standing<'_>, coming: &Settings) -> Outcome {
    let Instance { running, .. } = standing.instance;
    let outage = !standing.offer.impact(coming, running).outage.is_empty();
    let behind = match others(standing, coming) {
        others if outage || others.is_empty() => String::new(),
        others => format!(", behind what else waits for it: {}", others.join(", ")),
    };
    let outage = if outage { ", an outage," } else { "" };
    let message = format!(
        "{}{outage} waits for {}{behind}; spec.applyImmediately: true makes it at once",
        coming.from(running),
        standing.window()
    );
    Outcome::wait(Reason::WaitingForWindow, message)
}
