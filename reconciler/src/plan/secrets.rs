//! The Secrets: where a password lives first.

use std::collections::BTreeSet;

use shared::names;
use shared::rules::Desired;

use super::instance::usable;
use super::{ClusterStep, Outcome, SecretFact, Seen, Step, World};
use crate::binding::{Binding, secret_data};
use crate::target::Target;

/// A Secret that should be there.
struct Wanted {
    secret: String,
    user: String,
    databases: Vec<String>,
}

fn wanted(target: &Target, world: &World) -> Vec<Wanted> {
    let name = &world.object.name;
    let desired = &target.desired;
    let master = Wanted {
        secret: names::master_secret_name(name),
        user: desired.master_user.to_string(),
        databases: desired.databases.keys().map(ToString::to_string).collect(),
    };
    let users = desired.users.keys().map(|user| Wanted {
        secret: names::secret_name(name, user),
        user: user.to_string(),
        databases: databases_of(desired, user.as_str()),
    });
    std::iter::once(master).chain(users).collect()
}

/// The databases that a user works in, sorted by name.
pub(crate) fn databases_of(desired: &Desired, user: &str) -> Vec<String> {
    let databases = desired.databases.iter();
    databases
        .filter(|(_, users)| users.iter().any(|found| found.as_str() == user))
        .map(|(name, _)| name.to_string())
        .collect()
}

pub(super) fn plan(target: &Target, world: &World) -> Outcome {
    let wanted = wanted(target, world);
    let mut steps = Vec::new();
    let mut taken = Vec::new();
    let endpoint = usable(world).and_then(|instance| instance.endpoint.as_ref());

    for Wanted { secret, user, databases } in &wanted {
        match world.secrets.get(secret) {
            None | Some(Seen::Absent) => {
                steps.push(ClusterStep::CreateSecret { secret: secret.clone(), user: user.clone() });
            }
            Some(Seen::Unknown(why)) => {
                return Outcome::wait("ClusterUnavailable", format!("the Secret {secret} could not be read: {why}"));
            }
            Some(Seen::Known(SecretFact::Foreign { why })) => taken.push(format!("{secret} ({why})")),
            Some(Seen::Known(SecretFact::Ours { data, .. })) => {
                let Some(password) = data.password() else {
                    steps.push(ClusterStep::RepairPassword { secret: secret.clone(), user: user.clone() });
                    continue;
                };
                if endpoint.is_none() && data.text("host").is_some() {
                    // A former life's endpoint stays until the new one is known.
                    continue;
                }
                let data_wanted = secret_data(Binding { user, endpoint, databases }, &password);
                if *data != data_wanted {
                    steps.push(ClusterStep::UpdateSecret { secret: secret.clone(), data: data_wanted });
                }
            }
        }
    }
    steps.extend(leftovers(world, &wanted));

    if !taken.is_empty() {
        // The others are served all the same.
        let message = format!(
            "these Secrets exist and are not this object's, so they are left alone: {}; delete them, or rename the user or the object",
            taken.join(", ")
        );
        return match steps.is_empty() || world.object.namespace_terminating {
            true => {
                Outcome::Blocked { reason: "SecretNotOurs", message, until: Some(std::time::Duration::from_secs(30)) }
            }
            false => act(message, "SecretNotOurs", steps),
        };
    }
    if steps.is_empty() {
        return Outcome::done(format!("{} Secrets", wanted.len()));
    }
    if world.object.namespace_terminating {
        return Outcome::wait("NamespaceTerminating", "the namespace is being deleted: no password is minted in it");
    }
    act(format!("{} Secrets are being written", steps.len()), "WritingSecrets", steps)
}

fn act(message: String, reason: &'static str, steps: Vec<ClusterStep>) -> Outcome {
    Outcome::Act { reason, message, steps: steps.into_iter().map(Step::Cluster).collect() }
}

/// Secrets of users who left the spec: they go once the server has been told, and at once where there is no server.
fn leftovers(world: &World, wanted: &[Wanted]) -> Vec<ClusterStep> {
    let told = world.instance.absent()
        || world.visit.as_ref().is_some_and(|visit| {
            visit.result.as_ref().is_ok_and(|report| report.unfinished.is_empty())
                && Some(&visit.inputs) == world.visit_inputs.as_ref()
        });
    if !told {
        return Vec::new();
    }
    let wanted: BTreeSet<_> = wanted.iter().map(|wanted| wanted.secret.as_str()).collect();
    let extra = world.secrets.iter().filter(|(name, _)| !wanted.contains(name.as_str()));
    extra
        .filter_map(|(name, seen)| match seen.known()? {
            SecretFact::Ours { uid, .. } => Some(ClusterStep::DeleteSecret { secret: name.clone(), uid: uid.clone() }),
            SecretFact::Foreign { .. } => None,
        })
        .collect()
}
