//! What comes next, and after that: the same decisions, made once more on the world as it would be after each step. So what is told is what will
//! be done, by the same code, as long as the world goes along.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::mem::{Discriminant, discriminant};

use jiff::Timestamp;
use shared::api::PlannedStep;
use shared::rules::{Engine, EngineVersion, Impact, WeeklyWindow, When};

use super::imagine;
use super::outcome::{Concern, Outcome};
use super::reason::Reason;
use super::step::{ClusterStep, Part, Step};
use super::world::World;
use crate::clock::Moment;
use crate::providers::{Modify, Request, Settings};

/// Steps that are told.
pub(super) const MOST: usize = 16;
/// Looks ahead: a step to the cloud takes one, and so does a wait.
const ROUNDS: usize = 32;

/// What a step comes after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    Pause,
    StepBefore,
    Wait(Concern, Reason),
    /// Nothing of this operator's: a date of the provider's.
    Date(Timestamp),
}

impl fmt::Display for After {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pause => f.write_str("once spec.paused is false"),
            Self::StepBefore => f.write_str("once the step before it is done"),
            Self::Date(date) => write!(f, "on {date}"),
            Self::Wait(concern, reason) => write!(f, "once {} has what it waits for ({reason})", concern.condition()),
        }
    }
}

/// Steps that are told as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Cluster(Discriminant<ClusterStep>),
    FillGroup,
}

#[derive(Debug)]
struct Entry {
    step: String,
    kind: Option<Kind>,
    more: usize,
    impact: BTreeSet<Impact>,
    when: When,
    after: Option<After>,
}

/// What is looked ahead of.
pub(super) struct Outlook<'a> {
    /// What is so.
    pub(super) world: &'a World,
    /// What the concerns say of it.
    pub(super) first: &'a [(Concern, Outcome)],
    /// Nothing is done while the spec says so.
    pub(super) paused: bool,
    /// What runs in the instance.
    pub(super) engine: Option<Engine>,
    pub(super) now: Moment,
}

impl Outlook<'_> {
    /// The steps to come, in their order. `concerns` decides on an imagined world, of which it settles the pin; it may leave out those that ask for
    /// nothing of the cloud.
    pub(super) fn steps(&self, concerns: impl Fn(&mut World) -> Vec<(Concern, Outcome)>) -> Vec<PlannedStep> {
        let mut entries: Vec<Entry> = Vec::new();
        let (mut imagined, mut outcomes) = (Cow::Borrowed(self.world), Cow::Borrowed(self.first));
        let mut past: Vec<Step> = Vec::new();
        let mut asked = self.asked();
        for nth in 0..ROUNDS {
            if !goes_on(&outcomes) {
                break;
            }
            if !self.round(nth, &outcomes, imagined.to_mut(), &mut past, &mut entries, &mut asked) {
                if waits_for_window(&outcomes) {
                    entries.extend(self.waiting(&imagined, std::mem::take(&mut asked)));
                }
                if !imagine::time_passed(imagined.to_mut(), &outcomes, self.now) {
                    break;
                }
            }
            outcomes = Cow::Owned(concerns(imagined.to_mut()));
        }
        entries.extend(self.users_and_databases());
        entries.extend(self.maintenance());
        told(entries)
    }

    /// All that is done before anything is waited for, and of the cloud one change; gives whether there was anything.
    fn round(
        &self,
        nth: usize,
        outcomes: &[(Concern, Outcome)],
        imagined: &mut World,
        past: &mut Vec<Step>,
        entries: &mut Vec<Entry>,
        asked: &mut Settings,
    ) -> bool {
        let (mut moved, mut cloud) = (false, false);
        for (concern, outcome) in outcomes {
            let Outcome::Act { steps, .. } = outcome else { continue };
            for step in steps {
                // Those to the cloud and inside are few.
                let few = !matches!(step, Step::Cluster(_));
                if step.moves_finalizer() || few && past.contains(step) {
                    continue;
                }
                let held = self.world.ledger.hold(step, self.now);
                let reason = held.as_ref().and_then(Outcome::reason);
                if reason == Some(Reason::ChangeHasNoEffect) {
                    continue;
                }
                if reason.is_none() && few {
                    if cloud {
                        continue;
                    }
                    cloud = !step.is_inside();
                }
                // What was accepted a moment ago is no step to come.
                if reason != Some(Reason::ChangeAccepted) {
                    let after = match reason {
                        Some(reason) => Some(After::Wait(*concern, reason)),
                        None if nth == 0 => None,
                        None => self.after(*concern, step),
                    };
                    entries.push(self.entry(imagined, step, after));
                }
                if let Step::Cloud(Request::Modify(Modify { change, at_once, .. })) = step {
                    *asked = if *at_once { Settings::default() } else { asked.clone().without(change) };
                }
                imagine::done(imagined, step, self.now);
                if few {
                    past.push(step.clone());
                }
                moved = true;
            }
        }
        moved
    }

    fn entry(&self, imagined: &World, step: &Step, after: Option<After>) -> Entry {
        let nothing = Settings::default();
        let running = imagined.instance.known().map_or(&nothing, |instance| &instance.running);
        let kind = match step {
            Step::Cluster(step) => Some(Kind::Cluster(discriminant(step))),
            Step::Cloud(Request::FillGroup(_)) => Some(Kind::FillGroup),
            Step::Cloud(_) | Step::Inside(..) => None,
        };
        let impact = step.impact(imagined.offer, running);
        let after = after.or(self.paused.then_some(After::Pause));
        Entry { step: format!("{step:#}"), kind, more: 0, impact, when: self.when(imagined, step, running), after }
    }

    /// What a step comes after that is not done at once.
    fn after(&self, concern: Concern, step: &Step) -> Option<After> {
        let mut at_first = self.first.iter();
        let acts = |outcome: &Outcome| matches!(outcome, Outcome::Act { steps, .. } if steps.contains(step));
        if at_first.clone().any(|(_, outcome)| acts(outcome)) {
            return None;
        }
        let was = at_first.find(|(found, _)| *found == concern).map(|(_, outcome)| outcome);
        Some(match was {
            Some(Outcome::Wait { reason: Reason::WaitingForWindow, .. }) => return None,
            Some(Outcome::Wait { reason, .. }) if *reason != Reason::Pinning => After::Wait(concern, *reason),
            _ => After::StepBefore,
        })
    }

    fn when(&self, imagined: &World, step: &Step, running: &Settings) -> When {
        let waits = match step {
            Step::Cloud(Request::Modify(Modify { change, at_once: false, .. })) => {
                let parts = imagined.offer.impact(change, running);
                !parts.quiet.is_empty() || !parts.outage.is_empty()
            }
            // It was looked ahead to the window.
            Step::Cloud(Request::Reboot(_)) => imagined.minute != self.world.minute,
            Step::Cloud(_) | Step::Cluster(_) | Step::Inside(..) => false,
        };
        let window = running.maintenance_window.as_deref().and_then(|text| WeeklyWindow::parse(text).ok());
        if waits { When::Window(window) } else { When::Now }
    }

    /// What was asked for and is not made yet.
    fn asked(&self) -> Settings {
        self.world.instance.known().map(|instance| instance.pending.clone()).unwrap_or_default()
    }

    /// What was asked for before, and comes when its window opens: a pause holds nothing of that.
    fn waiting(&self, imagined: &World, change: Settings) -> Option<Entry> {
        let instance = imagined.instance.known().filter(|_| !change.is_empty())?;
        let read = |version: &Option<String>| EngineVersion::read(self.engine?, version.as_deref()?);
        let (to, from) = (read(&change.engine_version), read(&instance.running.engine_version));
        let major = to.zip(from).is_some_and(|(to, from)| to.major() > from.major());
        let request = Modify { identifier: instance.identifier.clone(), change, at_once: false, major };
        Some(Entry { after: None, ..self.entry(imagined, &Step::Cloud(Request::Modify(request)), None) })
    }

    /// What the provider does by itself, a pause or not. What waits until somebody opts in is no step to come.
    fn maintenance(&self) -> impl Iterator<Item = Entry> {
        let service = self.world.offer.service();
        let pending = self.world.maintenance.known().into_iter().flatten();
        pending.filter_map(move |pending| {
            let step = format!("maintenance by {service}: {}", pending.what);
            let (impact, after) = (BTreeSet::from([Impact::Outage]), Some(After::Date(pending.at?)));
            Some(Entry { step, kind: None, more: 0, impact, when: When::Now, after })
        })
    }

    /// A visit is made with passwords that are minted first.
    fn users_and_databases(&self) -> Option<Entry> {
        let waits = |outcome: &Outcome| outcome.reason() == Some(Reason::WaitingForSecrets);
        let follow = self.first.iter().any(|(concern, outcome)| *concern == Concern::Databases && waits(outcome));
        follow.then(|| Entry {
            step: Part::Work.to_string(),
            kind: None,
            more: 0,
            impact: BTreeSet::new(),
            when: When::Now,
            after: Some(After::Wait(Concern::Databases, Reason::WaitingForSecrets)),
        })
    }
}

/// Whether there is anything to come: what is as it should be is not imagined otherwise.
fn goes_on(outcomes: &[(Concern, Outcome)]) -> bool {
    outcomes.iter().any(|(_, outcome)| match outcome {
        Outcome::Act { .. } => true,
        Outcome::Wait { reason, .. } => imagine::ends(*reason),
        Outcome::Done { .. } | Outcome::Blocked { .. } => false,
    })
}

fn waits_for_window(outcomes: &[(Concern, Outcome)]) -> bool {
    outcomes.iter().any(|(_, outcome)| outcome.reason() == Some(Reason::WaitingForWindow))
}

/// The entries as a status has them: those of a kind together, and no more than [`MOST`].
fn told(entries: Vec<Entry>) -> Vec<PlannedStep> {
    let mut folded: Vec<Entry> = Vec::new();
    for entry in entries {
        match folded.last_mut() {
            Some(last)
                if entry.kind.is_some()
                    && (last.kind, &last.impact, last.when, last.after)
                        == (entry.kind, &entry.impact, entry.when, entry.after) =>
            {
                last.more += 1;
            }
            _ => folded.push(entry),
        }
    }
    let beyond = if folded.len() > MOST { folded.split_off(MOST - 1) } else { Vec::new() };
    let mut steps: Vec<_> = folded.into_iter().map(PlannedStep::from).collect();
    if !beyond.is_empty() {
        let impact = beyond.iter().flat_map(|entry| entry.impact.iter().copied()).collect();
        let (step, when) = (format!("{} more steps", beyond.len()), After::StepBefore.to_string());
        steps.push(PlannedStep { step, impact: words(impact), when });
    }
    steps
}

fn words(impact: BTreeSet<Impact>) -> Vec<Impact> {
    if impact.is_empty() { vec![Impact::None] } else { impact.into_iter().collect() }
}

impl From<Entry> for PlannedStep {
    fn from(Entry { step, kind: _, more, impact, when, after }: Entry) -> Self {
        let step = if more == 0 { step } else { format!("{step}, and {more} more like it") };
        let when = match (when, after) {
            (when, None) => when.to_string(),
            (When::Now, Some(after)) => after.to_string(),
            (when, Some(after)) => format!("{when}, {after}"),
        };
        Self { step, impact: words(impact), when }
    }
}
