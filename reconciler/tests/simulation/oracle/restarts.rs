//! I11: a server is restarted for its parameters in its maintenance window, or by its object's word; and an upgrade that the provider is going to
//! make by itself is not brought forward by a change that nobody would notice.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reconciler::plan::ACCEPT_ANNOTATION;
use reconciler::providers::Instance;
use shared::api::labels::UID_TAG;
use shared::rules::{WeeklyWindow, minute_of_week};

use super::Violation;
use crate::cloud::history::{By, CloudEvent, Record};
use crate::history::{Event, Happened};

/// A restart is decided on what was seen, and a call takes its time, or comes late.
const GRACE: Duration = Duration::from_secs(300);

/// What is known of maintenance is kept for so long, and a decision takes its time.
const KEPT: SignedDuration = SignedDuration::from_secs(900);

/// What permits a restart, and when it did last.
#[derive(Default)]
struct Permits<'a> {
    /// The instances that are there, by resource id.
    instances: BTreeMap<&'a str, &'a Instance>,
    /// Whose they are by now, by their tags.
    owners: BTreeMap<&'a str, &'a str>,
    /// The windows that an instance has had, and until when; by resource id.
    windows: BTreeMap<&'a str, Vec<(WeeklyWindow, Option<Duration>)>>,
    /// Until when the word of an object holds, by its UID; `None` while it stands.
    words: BTreeMap<&'a str, Option<Duration>>,
    /// The UIDs of those that accept an instance, by its resource id.
    accepted: BTreeMap<&'a str, &'a str>,
    /// When it was told that an instance is going to be upgraded, by resource id.
    upgrades: BTreeMap<&'a str, Timestamp>,
    /// Until when the storage of an instance is full, by resource id.
    full: BTreeMap<&'a str, Option<Duration>>,
    /// By how many seconds the clocks of processes are off, and until when: nobody knows the time but by a clock.
    clocks: Vec<(i64, Option<Duration>)>,
}

/// The state of an instance whose storage is full.
const FULL: &str = "storage-full";

/// It holds, or did until a moment ago.
fn lately(until: Option<&Duration>, now: Duration) -> bool {
    until.is_none_or(|until| now <= *until + GRACE)
}

/// Each restart that the operator asked for, whatever came of it.
pub(super) fn permitted(events: &[Happened]) -> Result<(), Violation> {
    let mut permits = Permits::default();
    for Happened { at, what } in events {
        match what {
            Event::Declared { object } => {
                let uid = object["metadata"]["uid"].as_str().unwrap_or_default();
                if let Some(resource) = object["metadata"]["annotations"][ACCEPT_ANNOTATION].as_str() {
                    permits.accepted.insert(resource, uid);
                }
                if object["spec"]["applyImmediately"] == true {
                    permits.words.insert(uid, None);
                } else if let Some(until) = permits.words.get_mut(uid) {
                    until.get_or_insert(*at);
                }
            }
            Event::Cloud { record, .. } => {
                if let Some(what) = permits.follow(record, *at) {
                    return Err(Violation { invariant: "I11", what, when: *at });
                }
            }
            Event::Begun => permits.clocks.push((0, None)),
            Event::ClockSet { seconds } => permits.set_clocks(*seconds, *at),
            Event::Cluster(_) | Event::Server(_) => {}
        }
    }
    Ok(())
}

impl<'a> Permits<'a> {
    fn follow(&mut self, record: &'a Record, now: Duration) -> Option<String> {
        match &record.event {
            CloudEvent::Created { instance } => {
                let resource = instance.resource_id.as_deref().unwrap_or_default();
                self.instances.insert(resource, instance);
                self.owners.insert(resource, instance.marks.uid.as_deref().unwrap_or_default());
                self.window(resource, instance.running.maintenance_window.as_deref(), now);
            }
            CloudEvent::Marked { resource_id, after, .. } => {
                self.owners.insert(resource_id, after.get(UID_TAG).map(String::as_str).unwrap_or_default());
            }
            CloudEvent::Modified { resource_id, after, .. } => {
                self.window(resource_id, after.running.maintenance_window.as_deref(), now);
            }
            CloudEvent::InstanceGone { before } => {
                self.instances.remove(before.resource_id.as_deref().unwrap_or_default());
            }
            CloudEvent::Called { action: "RebootDBInstance", about, .. } if record.by == By::Operator => {
                let named = |instance: &&&Instance| {
                    let mut words = about.split([' ', ',']);
                    words.any(|word| word.eq_ignore_ascii_case(&instance.identifier))
                };
                let instance = self.instances.values().find(named)?;
                let resource = instance.resource_id.as_deref().unwrap_or_default();
                let off =
                    self.clocks.iter().filter(|(_, until)| lately(until.as_ref(), now)).map(|(seconds, _)| *seconds);
                let times = off.chain([0]).map(|seconds| record.at + SignedDuration::from_secs(seconds));
                let minutes: Vec<_> = times.map(minute_of_week).collect();
                let mut windows = self.windows.get(resource).into_iter().flatten();
                let shows = |window: &WeeklyWindow| minutes.iter().any(|minute| window.left(*minute).is_some());
                let open = windows.any(|(window, until)| lately(until.as_ref(), now) && shows(window));
                return (!open && !self.asked(resource, now))
                    .then(|| format!("{} was restarted, unasked: {about}", instance.identifier));
            }
            CloudEvent::UpgradeRequired { resource_id } => {
                self.upgrades.entry(resource_id).or_insert(record.at);
            }
            CloudEvent::State { resource_id, before, after } => {
                if after == FULL {
                    self.full.insert(resource_id, None);
                } else if before == FULL
                    && let Some(until) = self.full.get_mut(resource_id.as_str())
                {
                    until.get_or_insert(now);
                }
            }
            CloudEvent::UpgradeBroughtForward { resource_id } => {
                let told = self.upgrades.remove(resource_id.as_str())?;
                let full = self.full.get(resource_id.as_str()).is_some_and(|until| lately(until.as_ref(), now));
                let known = record.sent.unwrap_or(record.at).duration_since(told) > KEPT;
                let unasked = record.by == By::Operator && known && !full && !self.asked(resource_id, now);
                return unasked.then(|| format!("the upgrade of {resource_id} was brought forward, unasked"));
            }
            _ => {}
        }
        None
    }

    /// The object of an instance says that nothing is to wait, or did lately.
    fn asked(&self, resource: &str, now: Duration) -> bool {
        let uid = self.owners.get(resource).copied().unwrap_or_default();
        let mut owners = [Some(uid), self.accepted.get(resource).copied()].into_iter().flatten();
        owners.any(|uid| self.words.get(uid).is_some_and(|until| lately(until.as_ref(), now)))
    }

    /// All that go on are off by so much more.
    fn set_clocks(&mut self, seconds: i64, now: Duration) {
        let set: Vec<_> =
            self.clocks.iter().filter(|(_, until)| until.is_none()).map(|(off, _)| off + seconds).collect();
        for (_, until) in &mut self.clocks {
            until.get_or_insert(now);
        }
        self.clocks.extend(set.into_iter().map(|off| (off, None)));
    }

    fn window(&mut self, resource: &'a str, text: Option<&str>, now: Duration) {
        let Some(window) = text.and_then(|text| WeeklyWindow::parse(text).ok()) else { return };
        let all = self.windows.entry(resource).or_default();
        if all.last().is_some_and(|(last, _)| *last == window) {
            return;
        }
        if let Some((_, until)) = all.last_mut() {
            until.get_or_insert(now);
        }
        all.push((window, None));
    }
}
