//! I4: a password is never lost, and nobody sees it who should not.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Violation;
use crate::cluster::{ClusterEvent, text};
use crate::history::{Event, Happened};
use crate::server::postgres::Event as Inside;

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

/// The Secret of a user goes after the user, on every server that has one of this name.
pub(super) fn outlive_users(events: &[Happened]) -> Result<(), Violation> {
    let mut roles: BTreeSet<(&str, &str)> = BTreeSet::new();
    for Happened { at, what } in events {
        match what {
            Event::Server(record) => match &record.event {
                Inside::RoleCreated { role, .. } => drop(roles.insert((&record.resource, role))),
                Inside::RoleDropped { role, .. } => drop(roles.remove(&(record.resource.as_str(), role.as_str()))),
                Inside::Gone => roles.retain(|(resource, _)| *resource != record.resource),
                _ => {}
            },
            Event::Cluster(ClusterEvent::Secret { of, before: Some(before), after: None }) => {
                let user = text(before, "username").unwrap_or_default();
                if roles.iter().any(|(_, role)| *role == user) {
                    let what = format!("{of} went, and its user {user} is there");
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
