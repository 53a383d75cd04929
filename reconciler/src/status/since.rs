//! What the times of the conditions tell of an object's past: pure.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use shared::api::{RDSDatabase, RDSDatabaseStatus};

fn find<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == kind)
}

/// Whether it was never Ready: the condition has not changed since the first ones were written.
pub(crate) fn never_ready(status: &RDSDatabaseStatus) -> bool {
    let Some(ready) = find(&status.conditions, "Ready") else { return true };
    let first = status.conditions.iter().map(|condition| &condition.last_transition_time).min();
    ready.status != "True" && first == Some(&ready.last_transition_time)
}

/// Whether the second of two statuses is the first to say Ready.
pub(crate) fn first_ready(before: Option<&RDSDatabaseStatus>, after: &RDSDatabaseStatus) -> bool {
    before.is_none_or(never_ready) && find(&after.conditions, "Ready").is_some_and(|ready| ready.status == "True")
}

/// What an object that is not Ready is on its way to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Its first Ready.
    Creating,
    /// Ready again.
    Changing,
    /// Its end.
    Deleting,
}

impl Phase {
    pub(crate) const ALL: [Self; 3] = [Self::Creating, Self::Changing, Self::Deleting];

    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Changing => "changing",
            Self::Deleting => "deleting",
        }
    }
}

/// What an object is on its way to, and since when nobody has had to be waited for; `None` for one that is Ready.
pub(crate) fn under_way(object: &RDSDatabase) -> Option<(Phase, Timestamp)> {
    let none = RDSDatabaseStatus::default();
    let status = object.status.as_ref().unwrap_or(&none);
    let changed = |kind: &str| find(&status.conditions, kind).map(|condition| condition.last_transition_time.0);
    let created = object.metadata.creation_timestamp.as_ref().map(|time| time.0);
    let (phase, began) = match &object.metadata.deletion_timestamp {
        Some(deleted) => (Phase::Deleting, Some(deleted.0)),
        None if never_ready(status) => (Phase::Creating, created),
        None if find(&status.conditions, "Ready").is_some_and(|ready| ready.status == "True") => return None,
        None => (Phase::Changing, changed("Ready")),
    };
    // Until somebody had done what only they could do, nothing could go on; nor while it was paused, which is not accepted.
    Some((phase, began.max(changed("Stalled")).max(changed("Accepted"))?))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn object(metadata: &Value, conditions: &[(&str, &str, u8)]) -> RDSDatabase {
        let conditions: Vec<_> = conditions
            .iter()
            .map(|(kind, status, minute)| {
                json!({"type": kind, "status": status, "reason": "Done", "message": "", "lastTransitionTime": at(*minute).to_string()})
            })
            .collect();
        let mut all = json!({"name": "orders", "creationTimestamp": at(0).to_string()});
        for (key, value) in metadata.as_object().into_iter().flatten() {
            all[key] = value.clone();
        }
        serde_json::from_value(json!({
            "apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabase", "metadata": all, "spec": {},
            "status": {"conditions": conditions},
        }))
        .unwrap()
    }

    fn at(minute: u8) -> Timestamp {
        format!("2026-01-01T00:{minute:02}:00Z").parse().unwrap()
    }

    #[test]
    fn the_first_ready_is_told_from_later_ones() {
        let status = |conditions: &[(&str, &str, u8)]| object(&json!({}), conditions).status.unwrap_or_default();
        let new = RDSDatabaseStatus::default();
        let waiting = status(&[("Accepted", "True", 1), ("Ready", "False", 1), ("InstanceReady", "True", 8)]);
        let ready = status(&[("Accepted", "True", 1), ("Ready", "True", 9), ("InstanceReady", "True", 8)]);
        let again = status(&[("Accepted", "True", 1), ("Ready", "False", 20), ("InstanceReady", "False", 20)]);
        assert!(first_ready(None, &ready) && first_ready(Some(&new), &ready) && first_ready(Some(&waiting), &ready));
        for (before, after) in [(&waiting, &waiting), (&ready, &ready), (&again, &ready)] {
            assert!(!first_ready(Some(before), after), "{before:?}");
        }
    }

    #[test]
    fn an_object_is_late_from_when_nobody_else_was_waited_for() {
        let new = object(&json!({}), &[]);
        assert_eq!(under_way(&new), Some((Phase::Creating, at(0))));
        let waiting = [("Accepted", "True", 1), ("Ready", "False", 1), ("Stalled", "False", 1)];
        assert_eq!(under_way(&object(&json!({}), &waiting)), Some((Phase::Creating, at(1))));
        let corrected = [("Accepted", "True", 40), ("Ready", "False", 1), ("Stalled", "False", 40)];
        assert_eq!(under_way(&object(&json!({}), &corrected)), Some((Phase::Creating, at(40))));
        let paused_till_then = [("Accepted", "True", 50), ("Ready", "False", 1), ("Stalled", "False", 1)];
        assert_eq!(under_way(&object(&json!({}), &paused_till_then)), Some((Phase::Creating, at(50))));
        let ready = [("Accepted", "True", 1), ("Ready", "True", 9), ("Stalled", "False", 1)];
        assert_eq!(under_way(&object(&json!({}), &ready)), None);
        let changing = [("Accepted", "True", 1), ("Ready", "False", 30), ("Stalled", "False", 1)];
        assert_eq!(under_way(&object(&json!({}), &changing)), Some((Phase::Changing, at(30))));
        let leaving = json!({"deletionTimestamp": at(50).to_string()});
        assert_eq!(under_way(&object(&leaving, &ready)), Some((Phase::Deleting, at(50))));
    }
}
