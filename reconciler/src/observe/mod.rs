//! Reads the world of one object: everything [`crate::plan`] decides on.

mod copies;
mod crowded;
mod kubernetes;
mod maintenance;
mod parameters;
mod passage;
mod recall;
mod snapshots;
mod visit;

#[cfg(test)]
pub(crate) use kubernetes::secret_fact;
#[cfg(test)]
pub(crate) use visit::visit_inputs;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt;
use shared::api::labels::FINALIZER;
use shared::api::{InstanceRef, RDSDatabase};
use shared::names::InstanceIdentifier;
use shared::rules::{RestoreFrom, minute_of_week};

use crowded::unknown;
use snapshots::{snapshots, snapshots_before_birth};

pub(crate) use crowded::Crowded;

use crate::cluster::NamespaceFacts;
use crate::context::Context;
use crate::engine::RECREATE_DATABASE_ANNOTATION;
use crate::errand::Errand;
use crate::memory::Recollection;
use crate::plan::{
    ACCEPT_ANNOTATION, AccountFacts, Moment, ObjectFacts, RECREATE_ANNOTATION, Seen, World, estranged, needs_renewal,
};
use crate::providers::accounts::Account;
use crate::providers::sweep::SweepError;
use crate::providers::{Backup, ConnectError, Instance, Source, offer};
use crate::subject::{Adoption, Subject, Target};

/// A sweep that a pass waits for: longer than a slow page, shorter than a person's patience.
const PATIENCE: Duration = Duration::from_secs(30);

/// The world, and the account it was seen in.
pub(crate) struct Observation {
    /// What the plan decides on.
    pub(crate) world: World,
    /// Where effects on the cloud go, or why no way leads there.
    pub(crate) account: Result<Arc<Account>, String>,
}

/// A way into the cloud that is being tried answers within seconds.
const UNDER_WAY: Duration = Duration::from_secs(2);

/// Looks at everything that concerns an object.
pub(crate) async fn observe(
    context: &Context,
    object: &RDSDatabase,
    namespace: &NamespaceFacts,
    subject: &Subject,
) -> Result<Observation, Crowded> {
    let facts = object_facts(object, namespace);
    let recollection = context.memory.recall(&facts.uid);
    let pinned = object.status.as_ref().and_then(|status| status.instance.clone());
    let adopts = match subject {
        Subject::Living(target) => target.adopts(),
        Subject::Leaving(_) => None,
    };
    let identifier = identifier(context, &facts, pinned.as_ref(), adopts.as_ref());

    let account = match subject.provider() {
        Ok(provider) => match context.accounts.get(provider).await {
            Err(ConnectError::UnderWay) => return Err(Crowded(UNDER_WAY)),
            answer => answer.map_err(|error| error.to_string()),
        },
        Err(refusal) => Err(refusal.to_string()),
    };
    // What is to be deleted is looked at now, not up to a minute ago.
    let freshness = facts.deleting.then(|| context.now());
    let instance = match &account {
        Ok(account) => {
            instance(
                account,
                &identifier,
                pinned.as_ref().and_then(|pinned| pinned.resource_id.as_deref()),
                freshness.max(recollection.last_effect).max(context.acting_since.get().copied()),
                facts.deleting || pinned.as_ref().is_some_and(|pinned| pinned.resource_id.is_some()),
            )
            .await?
        }
        Err(why) => Seen::Unknown(why.clone()),
    };
    remember_seen(context, &facts.uid, &recollection, &instance);
    let moved_to = account.as_ref().ok().and_then(|account| moved(account, &identifier, pinned.as_ref()?));
    let rising = match subject {
        Subject::Living(target) => instance.known().and_then(|instance| passage::rises(target, instance)),
        Subject::Leaving(_) => None,
    };
    let passage = match (&account, &rising) {
        (Ok(account), Some(rising)) => Some(passage::look(account, &identifier, rising, context.clock.wall()).await?),
        _ => None,
    };
    let snapshots = match &account {
        // On the way out they also tell which names for the final one are taken, and before an upgrade which there is to come back to.
        Ok(account) if facts.deleting || rising.is_some() => snapshots(account, &identifier).await?,
        Ok(account) if instance.absent() => {
            snapshots_before_birth(context, account, &identifier, &facts.uid, &recollection).await?
        }
        _ => Seen::Absent,
    };
    let backups = match (&account, subject) {
        (Ok(account), Subject::Living(target)) if instance.absent() => {
            backups(context, account, &facts, target).await?
        }
        _ => Seen::Absent,
    };

    let since_effect = |(at, _): &(Moment, _)| recollection.last_effect.is_none_or(|effect| effect < *at);
    let kept = recollection.copies.clone().filter(since_effect);
    let same = |id: &String| instance.known().is_some_and(|instance| instance.resource_id.as_ref() == Some(id));
    let remembered = recollection.databases.filter(|(id, _)| same(id)).map(|(_, oids)| oids).unwrap_or_default();
    let mut world = World {
        cluster: context.settings.cluster.clone(),
        identifier,
        offer: offer(pinned.as_ref().and_then(|pinned| pinned.provider.as_deref())),
        account: account
            .as_ref()
            .map(|account| AccountFacts { account: account.identity.account.clone(), region: account.region.clone() })
            .map_err(Clone::clone),
        pinned,
        absent_since: absent_since(context, &facts, &instance),
        estranged_at: recollection.estranged_at,
        moved_to,
        instance,
        snapshots,
        backups,
        groups: BTreeMap::new(),
        offered: BTreeMap::new(),
        copies: None,
        at: context.clock.wall(),
        maintenance: Seen::Absent,
        minute: minute_of_week(context.clock.wall()),
        passage,
        adopts,
        secrets: kubernetes::secrets(context, &facts, subject).await,
        service: kubernetes::service(context, &facts).await,
        alias: kubernetes::alias(context, &facts, namespace).await,
        visit: recollection.visit,
        errand: recollection.errand.as_ref().map(Errand::progress),
        logins: recollection.logins,
        known_databases: recall::known_databases(object, &facts, remembered),
        visit_inputs: None,
        ledger: recollection.ledger,
        acting_since: context.acting_since.get().copied().unwrap_or(Moment::LONG_AGO),
        endpoint_suffixes: context.settings.endpoint_suffixes.clone(),
        authorities: context.authorities.clone(),
        renewal: None,
        object: facts,
    };
    if world.instance.known().is_some_and(|instance| estranged(&world, instance).is_some()) {
        context.memory.update(&world.object.uid, |recollection| recollection.estranged_at = Some(context.now()));
    }
    if let (Subject::Living(target), Ok(account)) = (subject, &account) {
        world.maintenance = maintenance::look(context, account, &world).await?;
        parameters::look(context, account, target, &mut world).await?;
        copies::look(context, account, target, &mut world, kept).await?;
    }
    if let Subject::Living(target) = subject {
        queue(context, target, &mut world, recollection.renewal);
        world.visit_inputs = visit::visit_inputs(target, &world).map(Arc::new);
        if let (None, Some(inputs)) = (&world.visit, &world.visit_inputs) {
            world.visit = recall::told_visit(target.dialect(), object, &target.desired, &inputs.digest);
            if world.visit.is_some() {
                world.logins = recall::told_logins(target.dialect(), &target.desired, &world);
            }
        }
    }
    Ok(Observation { world, account })
}

/// Keeps the place of Secrets that wait for their renewal, or takes one for them.
fn queue(context: &Context, target: &Target, world: &mut World, place: Option<Moment>) {
    let uid = world.object.uid.clone();
    if needs_renewal(target, world) {
        let place = place.unwrap_or_else(|| context.renewals.place(context.now()));
        context.memory.update(&uid, |recollection| recollection.renewal = Some(place));
        world.renewal = Some(place);
    } else if place.is_some() && in_view(world) {
        context.memory.update(&uid, |recollection| recollection.renewal = None);
    }
}

/// Since when the instance is not there, as far as it is known whether it is.
fn absent_since(context: &Context, facts: &ObjectFacts, instance: &Seen<Instance>) -> Option<Moment> {
    let before = context.memory.part(&facts.uid, |recollection| recollection.absent_since);
    let since = match instance {
        Seen::Absent => before.or_else(|| Some(context.now())),
        Seen::Known(_) => None,
        Seen::Unknown(_) => before,
    };
    if since != before {
        context.memory.update(&facts.uid, |recollection| recollection.absent_since = since);
    }
    since
}

/// Remembers that it is known whether the instance is there: after a restart it is counted for how many objects it is.
fn remember_seen(context: &Context, uid: &str, before: &Recollection, instance: &Seen<Instance>) {
    if !before.observed && !matches!(instance, Seen::Unknown(_)) {
        context.memory.update(uid, |recollection| recollection.observed = true);
    }
    // What they were asked for is over.
    if before.snapshots.is_some() && instance.known().is_some() {
        context.memory.update(uid, |recollection| recollection.snapshots = None);
    }
}

/// What was pinned stays, also under another --cluster-name: its tags tell then that it is another cluster's. The one that is to be taken over is
/// pinned when it is this object's.
fn identifier(
    context: &Context,
    facts: &ObjectFacts,
    pinned: Option<&InstanceRef>,
    adopts: Option<&Adoption>,
) -> InstanceIdentifier {
    let pinned_as = || pinned.and_then(|pinned| pinned.identifier.parse().ok());
    let wanted = adopts.filter(|_| !pinned.is_some_and(|pinned| pinned.created));
    let wanted = wanted.and_then(|adoption| adoption.identifier.parse().ok());
    let derived = || InstanceIdentifier::derive(&context.settings.cluster, &facts.namespace, &facts.name);
    wanted.or_else(pinned_as).unwrap_or_else(derived)
}

/// What the data of a new instance may come from, where it is to come from somewhere. Backups are known by the name of their instance, which
/// follows from that of its object: no name leads out of the namespace.
async fn backups(
    context: &Context,
    account: &Account,
    facts: &ObjectFacts,
    target: &Target,
) -> Result<Seen<Vec<Backup>>, Crowded> {
    let source = match &target.desired.restore_from {
        None => return Ok(Seen::Absent),
        Some(RestoreFrom::Snapshot(name)) => Source::Snapshot(name.clone()),
        Some(RestoreFrom::PointInTime { database, .. }) => {
            let name = database.as_ref().unwrap_or(&facts.name);
            Source::Instance(InstanceIdentifier::derive(&context.settings.cluster, &facts.namespace, name).to_string())
        }
    };
    Ok(match account.cloud.backups(&source).await {
        Ok(backups) if backups.is_empty() => Seen::Absent,
        Ok(backups) => Seen::Known(backups),
        Err(error) => unknown(&error)?,
    })
}

fn object_facts(object: &RDSDatabase, namespace: &NamespaceFacts) -> ObjectFacts {
    let annotation = |key: &str| object.annotations().get(key).cloned();
    ObjectFacts {
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
        uid: object.uid().unwrap_or_default(),
        deleting: object.metadata.deletion_timestamp.is_some(),
        deleted_at: object.metadata.deletion_timestamp.as_ref().map(|time| time.0),
        finalizer: object.finalizers().iter().any(|found| found == FINALIZER),
        namespace_terminating: namespace.terminating,
        recreate_lost: annotation(RECREATE_ANNOTATION),
        recreate_databases: annotation(RECREATE_DATABASE_ANNOTATION),
        accept_instance: annotation(ACCEPT_ANNOTATION),
    }
}

/// The instance, as the shared sweep has it. Where it was seen once, or the object may go for its absence, a sweep that does not hold it is
/// not enough: then it is asked for by name.
async fn instance(
    account: &Account,
    identifier: &InstanceIdentifier,
    resource_id: Option<&str>,
    after: Option<Moment>,
    by_name: bool,
) -> Result<Seen<Instance>, Crowded> {
    Ok(match account.sweeper.after(after, PATIENCE).await {
        Ok(sweep) => match sweep.find(identifier.as_str(), resource_id) {
            Some(instance) => Seen::Known(instance.clone()),
            None if by_name => match account.cloud.look(identifier.as_str()).await {
                Ok(Some(instance)) => Seen::Known(instance),
                Ok(None) => Seen::Absent,
                Err(error) => unknown(&error)?,
            },
            None => Seen::Absent,
        },
        Err(SweepError::Failed(error)) => unknown(&error)?,
        Err(error @ SweepError::Late) => Seen::Unknown(error.to_string()),
        Err(SweepError::Crowded(again)) => return Err(Crowded(again)),
    })
}

/// Where the pinned instance is by now, as the last sweep has it, when another one has its name.
fn moved(account: &Account, identifier: &InstanceIdentifier, pinned: &InstanceRef) -> Option<String> {
    let sweep = account.sweeper.latest()?;
    sweep.moved(identifier.as_str(), pinned.resource_id.as_deref()?).map(str::to_owned)
}

/// Whether nothing that Secrets follow from is hidden for now: a place in the queue is not lost to that.
fn in_view(world: &World) -> bool {
    !matches!(world.instance, Seen::Unknown(_))
        && !world.secrets.values().any(|secret| matches!(secret, Seen::Unknown(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::{RESOURCE, instance as described};
    use crate::providers::Identity;
    use crate::providers::sweep::tests::{Played, sweeper};

    async fn seen(cloud: Played, by_name: bool) -> Seen<Instance> {
        let cloud: Arc<Played> = Arc::new(cloud);
        let identity = Identity { account: "123456789012".into(), principal: "operator".into() };
        let sweeper = sweeper(cloud.clone());
        let account = Account::new(cloud, identity, "eu-central-1".into(), sweeper);
        let identifier = described("available").identifier.parse().expect("the fixture has a name");
        instance(&account, &identifier, Some(RESOURCE), None, by_name).await.expect("nobody else waits")
    }

    #[tokio::test(start_paused = true)]
    async fn i3_a_list_without_an_instance_is_not_enough() {
        let empty = || Played { listed: Some(Vec::new()), ..Played::default() };
        let there = || Played { named: Some(described("available")), ..empty() };
        assert!(seen(there(), true).await.known().is_some(), "asked for by name, it is there");
        assert!(seen(empty(), true).await.absent());
        assert!(
            seen(there(), false).await.absent(),
            "before it was ever seen, the provider itself refuses a second one"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn i1_a_renamed_instance_is_found_by_its_resource_id() {
        let renamed = Instance { identifier: "old-orders".into(), ..described("available") };
        let found = seen(Played { listed: Some(vec![renamed.clone()]), ..Played::default() }, true).await;
        assert_eq!(found, Seen::Known(renamed));
    }
}
