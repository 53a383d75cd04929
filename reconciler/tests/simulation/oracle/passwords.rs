//! I4: a password is never lost, and nobody sees it who should not.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Violation;
use crate::cloud::history::{By, CloudEvent};
use crate::cluster::{ClusterEvent, PEOPLES, text};
use crate::history::{Event, Happened};

/// No password that is there is replaced or taken out by the operator.
pub(super) fn kept(events: &[Happened]) -> Result<(), Violation> {
    for Happened { at, what } in events {
        let Event::Cluster(ClusterEvent::Secret { of, before: Some(before), after: Some(after) }) = what else {
            continue;
        };
        let password = |secret| text(secret, "password").filter(|password| !password.is_empty());
        if password(before).is_some() && password(before) != password(after) {
            let what = format!("the password in {of} was replaced");
            return Err(Violation { invariant: "I4", what, when: *at });
        }
    }
    Ok(())
}

/// A server begins with no password that is not in a Secret.
pub(super) fn first_in_secrets(events: &[Happened]) -> Result<(), Violation> {
    let mut kept: BTreeSet<&str> = BTreeSet::new();
    for Happened { at, what } in events {
        match what {
            // What somebody else has written is seen when the operator writes.
            Event::Cluster(ClusterEvent::Secret { before, after, .. }) => {
                kept.extend(before.iter().chain(after).filter_map(|secret| text(secret, "password")));
            }
            // Somebody who makes an instance has a password of their own.
            Event::Cloud { record, .. } if record.by != By::Person => {
                let CloudEvent::ServerBegan { resource_id, password: Some(password), .. } = &record.event else {
                    continue;
                };
                let password = password.expose();
                if !kept.contains(password) && !PEOPLES.contains(&password) {
                    let what = format!("{resource_id} began with a password that is in no Secret");
                    return Err(Violation { invariant: "I4", what, when: *at });
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// No password that was ever in a Secret is in a status, an Event or the log.
pub(super) fn secret(events: &[Happened], log: &[String]) -> Result<(), Violation> {
    let secrets = events.iter().filter_map(|happened| match &happened.what {
        Event::Cluster(ClusterEvent::Secret { after: Some(after), .. }) => text(after, "password"),
        _ => None,
    });
    let passwords: BTreeSet<&str> = secrets.filter(|password| password.len() >= 8).collect();
    let shows = |text: &str| passwords.iter().any(|password| text.contains(password));
    let told = |happened: &Happened| match &happened.what {
        Event::Cluster(ClusterEvent::Status { status, .. }) => any_text(status, &shows),
        _ => false,
    };
    if log.iter().any(|line| shows(line)) || events.iter().any(told) {
        let when = events.last().map(|happened| happened.at).unwrap_or_default();
        return Err(Violation { invariant: "I4", what: "a password is told".into(), when });
    }
    Ok(())
}

/// Whether any text of a value, keys included, is such.
fn any_text(value: &Value, is: &impl Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => is(text),
        Value::Array(values) => values.iter().any(|inner| any_text(inner, is)),
        Value::Object(fields) => fields.iter().any(|(key, inner)| is(key) || any_text(inner, is)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
