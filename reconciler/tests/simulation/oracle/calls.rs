//! I9: what is refused is not asked for again and again.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::Violation;
use crate::cloud::history::{CloudEvent, Record};
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
