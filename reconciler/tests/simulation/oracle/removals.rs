//! I4: the Secret of a user goes after the user.

use std::collections::{BTreeMap, BTreeSet};

use kube::ResourceExt as _;
use reconciler::turns::Key;
use shared::api::labels::DATABASE_LABEL;

use super::Violation;
use crate::cluster::{ClusterEvent, key, text};
use crate::history::{Event, Happened};
use crate::server::Record;
use crate::server::postgres::Event as Inside;

/// The roles that the operator has made, by the resource ids of their servers.
type Roles<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// No Secret goes whose user the operator has made and not dropped.
pub(super) fn after_their_users(events: &[Happened]) -> Result<(), Violation> {
    let mut roles = Roles::new();
    let mut known: BTreeMap<Key, &str> = BTreeMap::new();
    for Happened { at, what } in events {
        match what {
            Event::Cluster(ClusterEvent::Status { object, status }) => {
                let word = |key: &str| object["metadata"][key].as_str().unwrap_or_default();
                let resource = status["instance"]["resourceId"].as_str().unwrap_or_default();
                known.insert(key(word("namespace"), word("name")), resource);
            }
            Event::Server(record) => follow(&mut roles, record),
            Event::Cluster(ClusterEvent::Secret { of, before: Some(secret), after: None }) => {
                let object = secret.labels().get(DATABASE_LABEL).map(|name| key(&of.namespace, name));
                let resource = object.and_then(|object| known.get(&object).copied()).unwrap_or_default();
                let user = text(secret, "username").unwrap_or_default();
                if roles.get(resource).is_some_and(|roles| roles.contains(user)) {
                    let what = format!("the Secret {of} went before its user did");
                    return Err(Violation { invariant: "I4", what, when: *at });
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn follow<'a>(roles: &mut Roles<'a>, Record { resource, event, .. }: &'a Record) {
    match event {
        Inside::RoleCreated { role, by } => {
            // A tenant's own role is none of the operator's.
            let by_tenant = roles.get(resource.as_str()).is_some_and(|roles| roles.contains(by.as_str()));
            if !by_tenant {
                roles.entry(resource).or_default().insert(role);
            }
        }
        Inside::RoleDropped { role, .. } => {
            roles.entry(resource).or_default().remove(role.as_str());
        }
        Inside::CopiedFrom { resource: from } => {
            let copied = roles.get(from.as_str()).cloned().unwrap_or_default();
            roles.insert(resource, copied);
        }
        Inside::Gone => drop(roles.remove(resource.as_str())),
        _ => {}
    }
}
