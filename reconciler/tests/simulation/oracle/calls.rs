//! I9: what is refused is not asked for again and again, and what is accepted not before it can be seen.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::Violation;
use crate::cloud::history::{By, CloudEvent, Record};
use crate::history::{Event, Happened};

/// Within this time.
const WINDOW: Duration = Duration::from_secs(600);
/// The same refused so often by one process: a back-off that begins with seconds doubles six times.
const MOST: usize = 20;
/// Each new process begins anew.
const MORE: usize = 7;

/// What was accepted is asked for again only where it was seen to be undone, and a list that is old shows that too, for a minute.
const ACCEPTED: usize = 12;
/// Within this time.
const SOON: Duration = Duration::from_secs(60);

/// The times of the same call, and how it was answered.
type Times<'a> = BTreeMap<(&'a str, &'a str, bool), VecDeque<Duration>>;

/// No call that changes something is refused more often than a back-off lets it be, or repeated as soon as it was accepted.
pub(super) fn backed_off(events: &[Happened]) -> Result<(), Violation> {
    let mut calls = Times::new();
    let mut begun: VecDeque<Duration> = VecDeque::new();
    for Happened { at, what } in events {
        let record = match what {
            Event::Cloud { record, .. } => record,
            // What it forgot the new process may ask for again.
            Event::Begun => {
                calls.retain(|(_, _, refused), _| *refused);
                begun.push_back(*at);
                continue;
            }
            _ => continue,
        };
        let Record { event: CloudEvent::Called { action, about, mutates: true, code }, .. } = &**record else {
            continue;
        };
        begun.retain(|begun| at.saturating_sub(*begun) <= WINDOW);
        let (window, most) = if code.is_some() { (WINDOW, MOST + MORE * begun.len()) } else { (SOON, ACCEPTED) };
        let times = calls.entry((action, about, code.is_some())).or_default();
        times.push_back(*at);
        while times.front().is_some_and(|first| at.saturating_sub(*first) > window) {
            times.pop_front();
        }
        if times.len() > most {
            let what = format!("{} times in {} s: {action} {about}", times.len(), window.as_secs());
            return Err(Violation { invariant: "I9", what, when: *at });
        }
    }
    Ok(())
}

/// What the cloud has accepted may not be seen for so long: other tools give it a minute before they believe what they see. The readings of a
/// process's clock are a little ahead.
const LAG: Duration = Duration::from_millis(59_999);

/// One process does not ask again for what was accepted just now, unless it asks for something else or somebody changes something in between.
pub(super) fn asked_once(events: &[Happened]) -> Result<(), Violation> {
    let mut accepted: BTreeMap<&str, (&str, Duration)> = BTreeMap::new();
    for Happened { at, what } in events {
        let record = match what {
            Event::Cloud { record, .. } => record,
            Event::Begun => {
                accepted.clear();
                continue;
            }
            Event::Cluster(_) | Event::Server(_) | Event::Declared { .. } | Event::ClockSet { .. } => continue,
        };
        match &record.event {
            CloudEvent::Called { action, about, mutates: true, code } => {
                let before = accepted.get(action).filter(|(last, then)| last == about && *at < *then + LAG);
                if before.is_some() {
                    let what = format!("accepted and asked for again: {about}");
                    return Err(Violation { invariant: "I9", what, when: *at });
                }
                if code.is_none() {
                    accepted.insert(action, (about, *at));
                }
            }
            _ if record.by == By::Person => accepted.clear(),
            _ => {}
        }
    }
    Ok(())
}
