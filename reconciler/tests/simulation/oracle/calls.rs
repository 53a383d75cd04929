//! I9: what is refused is not asked for again and again, and what is accepted not before it can be seen.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::Violation;
use crate::cloud::history::{By, CloudEvent, Record};
use crate::history::{Event, Happened};

/// Within this time.
const WINDOW: Duration = Duration::from_secs(600);
/// The same refused so often: a back-off that begins with seconds doubles six times, and each new process begins anew.
const MOST: usize = 24;

/// No call that changes something is refused more often than a back-off lets it be.
pub(super) fn backed_off(events: &[Happened]) -> Result<(), Violation> {
    let mut refused: BTreeMap<(&str, &str), VecDeque<Duration>> = BTreeMap::new();
    for Happened { at, what } in events {
        let Event::Cloud { record, .. } = what else { continue };
        let Record { event: CloudEvent::Called { action, about, mutates: true, code: Some(_) }, .. } = &**record else {
            continue;
        };
        let times = refused.entry((action, about)).or_default();
        times.push_back(*at);
        while times.front().is_some_and(|first| at.saturating_sub(*first) > WINDOW) {
            times.pop_front();
        }
        if times.len() > MOST {
            let what = format!("{} times in ten minutes: {action} {about}", times.len());
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
            Event::Cluster(_) | Event::Server(_) => continue,
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
