//! Marks that a person changed: what the cloud shows may be older, so for a while the operator cannot know of them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::cloud::history::{By, CloudEvent, Record};

/// What the cloud shows may be as old as this.
const LAG: Duration = Duration::from_mins(1);

/// When a person last gave each instance other marks, by resource ids.
#[derive(Default)]
pub(super) struct Marked(BTreeMap<String, Duration>);

impl Marked {
    pub(super) fn follow(&mut self, at: Duration, Record { by, event, .. }: &Record) {
        if let CloudEvent::Marked { resource_id, .. } = event
            && *by == By::Person
        {
            self.0.insert(resource_id.clone(), at);
        }
    }

    /// A person had a hand in its marks.
    pub(super) fn by_hand(&self, resource_id: &str) -> bool {
        self.0.contains_key(resource_id)
    }

    /// Whether its marks of now can be known by now.
    pub(super) fn known(&self, resource_id: &str, now: Duration) -> bool {
        self.0.get(resource_id).is_none_or(|marked| *marked + LAG < now)
    }
}
