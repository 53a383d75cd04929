//! The Secrets: where a password lives first.

use std::collections::BTreeSet;
use std::time::Duration;

use shared::names;
use shared::number::{are, counted};
use shared::rules::RoleName;

use super::ground::{other_master, usable};
use super::lead::{databases_of, lead, lead_of_master};
use super::outcome::Outcome;
use super::reason::Reason;
use super::step::{ClusterStep, Step};
use super::world::{SecretFact, Seen, World};
use crate::authorities::region_of;
use crate::binding::{Binding, SecretData, Trust, secret_data};
use crate::clock::Moment;
use crate::engine::Dialect;
use crate::providers::Instance;
use crate::subject::Target;

/// So many Secrets of an object are renewed in its turn.
const RENEWED_AT_ONCE: usize = 20;

/// A Secret that should be there.
struct Wanted<'a> {
    secret: String,
    /// `None` is the master user.
    user: Option<&'a RoleName>,
    username: String,
    databases: Vec<String>,
}

fn wanted<'a>(target: &'a Target, world: &World) -> Vec<Wanted<'a>> {
    let name = &world.object.name;
    let desired = &target.desired;
    let master = Wanted {
        secret: names::master_secret_name(name),
        user: None,
        username: desired.master_user.to_string(),
        databases: desired.databases.keys().map(ToString::to_string).collect(),
    };
    let users = desired.users.keys().map(|user| Wanted {
        secret: names::secret_name(name, user),
        user: Some(user),
        username: user.to_string(),
        databases: databases_of(desired, user.as_str()),
    });
    // Under another master user nothing is wanted of the Secret, which may hold the password that works.
    let other = other_master(desired.master_user.as_str(), world).is_some();
    std::iter::once(master).filter(|_| !other).chain(users).collect()
}

/// What is to be done about the Secrets, and what is in the way.
#[derive(Default)]
struct Changes {
    count: usize,
    steps: Vec<ClusterStep>,
    /// What waits for its turn.
    renewals: Vec<ClusterStep>,
    /// Secrets that are somebody else's.
    taken: Vec<String>,
    /// Secrets that could not be read.
    unknown: Vec<String>,
    /// Why applications are told of nobody to trust.
    lacking: Option<String>,
}

fn changes(target: &Target, world: &World) -> Changes {
    let dialect = target.dialect();
    let wanted = wanted(target, world);
    let mut changes = Changes { count: wanted.len(), ..Changes::default() };
    let instance = usable(world).filter(|instance| instance.endpoint.is_some());
    let endpoint = instance.and_then(|instance| instance.endpoint.as_ref());
    let trust = match instance.map(|instance| trust(world, instance)) {
        Some(Ok(trust)) => Some(trust),
        Some(Err(why)) => {
            changes.lacking = Some(why);
            None
        }
        None => None,
    };
    if let (Some(Trust { signer: None, .. }), Some(instance)) = (&trust, instance) {
        let authority = instance.authority.as_deref().unwrap_or("(not told)");
        changes.lacking = Some(format!("the CA bundle has no authority for {authority}, which signs for the server"));
    }

    for Wanted { secret, user, username, databases } in &wanted {
        match world.secrets.get(secret) {
            None | Some(Seen::Absent) => {
                let (secret, user) = (secret.clone(), username.clone());
                changes.steps.push(ClusterStep::CreateSecret { secret, user, dialect });
            }
            Some(Seen::Unknown(why)) => changes.unknown.push(format!("{secret} ({why})")),
            Some(Seen::Known(SecretFact::Foreign { why })) => changes.taken.push(format!("{secret} ({why})")),
            Some(Seen::Known(SecretFact::Ours { data, .. })) => {
                let before = led_to(dialect, data, databases);
                let database = match user {
                    Some(user) => lead(dialect, &target.desired, user, before),
                    None => Some(lead_of_master(dialect, &target.desired, before)),
                };
                // What is remembered of an earlier life stays without an endpoint too.
                let database = database.filter(|_| endpoint.is_some() || before.is_some());
                let Some(password) = data.password() else {
                    let (secret, user) = (secret.clone(), username.clone());
                    changes.steps.push(ClusterStep::RepairPassword { secret, user, database, dialect });
                    continue;
                };
                if endpoint.is_none() && data.text("host").is_some() {
                    // A former life's endpoint stays until the new one is known.
                    continue;
                }
                let (database, trust) = (database.as_deref(), trust.as_ref());
                let binding = Binding { user: username, endpoint, databases, database, trust };
                let mut wanted = secret_data(dialect, binding, &password);
                data.keep_trust(&mut wanted, dialect);
                if *data != wanted {
                    let renewal = data.works_like(&wanted, dialect);
                    let step = ClusterStep::UpdateSecret { secret: secret.clone(), data: wanted, renewal };
                    if renewal { changes.renewals.push(step) } else { changes.steps.push(step) }
                }
            }
        }
    }
    changes.steps.extend(leftovers(world, &wanted));
    changes
}

/// Whom applications are told to trust: the authorities of the region that the endpoint is in.
fn trust(world: &World, instance: &Instance) -> Result<Trust, String> {
    let host = instance.endpoint.as_ref().map_or("", |endpoint| endpoint.host.as_str());
    let pinned = world.pinned.as_ref().and_then(|pinned| pinned.region.as_deref());
    let class = world.account.as_ref().ok().map(|account| account.region.as_str());
    let region = region_of(host).or(pinned).or(class).ok_or_else(|| format!("the region of {host} is not known"))?;
    let found = world.authorities.of(region);
    let found = found.ok_or_else(|| format!("the CA bundle has no authority of the region {region}"))?;
    let signer = found.signer(instance.authority.as_deref()).map(str::to_owned);
    Ok(Trust { authorities: found.pem(), signer })
}

/// The database that a Secret leads to: what it says, or, where that is none of the user's `databases`, what its `uri` says. A slip in
/// `database` moves nobody.
fn led_to<'a>(dialect: &dyn Dialect, data: &'a SecretData, databases: &[String]) -> Option<&'a str> {
    let known =
        |name: &&str| *name == dialect.maintenance_database() || databases.iter().any(|database| database == name);
    let of_uri = || data.text("uri")?.rsplit_once('/')?.1.split('?').next();
    data.text("database").filter(known).or_else(of_uri).or_else(|| data.text("database"))
}

/// Whether Secrets that work as they are should say more.
pub(crate) fn needs_renewal(target: &Target, world: &World) -> bool {
    !changes(target, world).renewals.is_empty()
}

pub(super) fn plan(target: &Target, world: &World, now: Moment) -> Outcome {
    let Changes { count, mut steps, mut renewals, taken, unknown, lacking } = changes(target, world);
    let reason = if steps.is_empty() { Reason::RenewingSecrets } else { Reason::WritingSecrets };
    let mut refused = None;
    if world.renewal.is_some_and(|turn| turn <= now) {
        // One that Kubernetes refuses waits like the others, and holds none of them up.
        let held_back = |step: &ClusterStep| world.ledger.retry_at(&Step::Cluster(step.clone()), now);
        let (held, mut due): (Vec<_>, Vec<_>) = renewals.into_iter().partition(|step| held_back(step).is_some());
        refused = held.iter().filter_map(held_back).min_by_key(|(retry_at, _)| *retry_at);
        renewals = due.split_off(due.len().min(RENEWED_AT_ONCE));
        renewals.extend(held);
        steps.extend(due);
    }

    if !taken.is_empty() {
        // The others are served all the same.
        let message = format!(
            "left alone, because not this object's: {}; rename the user or the object, or move away what is there: it may hold a password \
             that is in use",
            taken.join(", ")
        );
        return match steps.is_empty() || world.object.namespace_terminating {
            true => Outcome::Blocked { reason: Reason::SecretNotOurs, message, until: Some(Duration::from_secs(30)) },
            false => act(message, Reason::SecretNotOurs, steps),
        };
    }
    if !unknown.is_empty() {
        // One that cannot be read may be there, and stops no other.
        let message = format!("could not be read: {}", unknown.join(", "));
        return match steps.is_empty() || world.object.namespace_terminating {
            true => Outcome::Wait { reason: Reason::ClusterUnavailable, message, until: Some(Duration::from_secs(30)) },
            false => act(message, Reason::ClusterUnavailable, steps),
        };
    }
    if !steps.is_empty() && world.object.namespace_terminating {
        return Outcome::wait(
            Reason::NamespaceTerminating,
            "the namespace is being deleted: no password is minted in it",
        );
    }
    if !steps.is_empty() {
        return act(format!("{} being written", are(steps.len(), "Secret")), reason, steps);
    }
    if !renewals.is_empty() {
        let mut message =
            "the Secrets work and get what applications need by now to verify the server, one object after the other"
                .to_owned();
        if let Some((_, why)) = refused {
            message = format!("{message}; {why}");
        }
        let until = refused.map(|(retry_at, _)| retry_at).or(world.renewal).and_then(|moment| now.until(moment));
        return Outcome::Wait { reason: Reason::RenewingSecrets, message, until };
    }
    if let Some(lacking) = lacking {
        let message = format!(
            "{lacking}: the Secrets lack what applications need to verify the server (root.crt, jdbc-url); give the reconciler a bundle \
             that has it (--rds-ca-bundle)"
        );
        return Outcome::blocked(Reason::AuthoritiesMissing, message);
    }
    Outcome::done(counted(count, "Secret"))
}

fn act(message: String, reason: Reason, steps: Vec<ClusterStep>) -> Outcome {
    Outcome::Act { reason, message, steps: steps.into_iter().map(Step::Cluster).collect() }
}

/// Secrets of users who left the spec: they go once the server has been told, and at once where there is no server.
fn leftovers(world: &World, wanted: &[Wanted<'_>]) -> Vec<ClusterStep> {
    let told = world.instance.absent()
        || world
            .current_visit()
            .is_some_and(|visit| visit.result.as_ref().is_ok_and(|report| report.unfinished.is_empty()));
    if !told {
        return Vec::new();
    }
    let master = names::master_secret_name(&world.object.name);
    let mut wanted: BTreeSet<_> = wanted.iter().map(|wanted| wanted.secret.as_str()).collect();
    wanted.insert(&master);
    let extra = world.secrets.iter().filter(|(name, _)| !wanted.contains(name.as_str()));
    extra
        .filter_map(|(name, seen)| match seen.known()? {
            SecretFact::Ours { version, .. } => {
                Some(ClusterStep::DeleteSecret { secret: name.clone(), version: version.clone() })
            }
            SecretFact::Foreign { .. } => None,
        })
        .collect()
}
