//! Reads the world of one object: everything [`crate::plan`] decides on.

mod kubernetes;
mod recall;

use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt;
use sha2::{Digest, Sha256};
use shared::api::RDSDatabase;
use shared::api::labels::FINALIZER;
use shared::names::{self, InstanceIdentifier};

use crate::cluster::{ClusterError, NamespaceFacts};
use crate::context::Context;
use crate::plan::{ACCEPT_ANNOTATION, AccountFacts, ObjectFacts, RECREATE_ANNOTATION, Seen, World};
use crate::providers::Access;
use crate::providers::accounts::Account;
use crate::providers::sweep::SweepError;
use crate::providers::{Instance, Snapshot};
use crate::target::Target;

/// A sweep that a pass waits for: longer than a slow page, shorter than a person's patience.
const PATIENCE: Duration = Duration::from_secs(30);

/// The world, and the account it was seen in.
pub struct Observation {
    /// What the plan decides on.
    pub world: World,
    /// Where effects on the cloud go.
    pub account: Option<Arc<Account>>,
}

/// Looks at everything that concerns an object. `target` is `None` for an object that is on its way out or cannot be worked on.
pub async fn observe(
    context: &Context,
    object: &RDSDatabase,
    namespace: &NamespaceFacts,
    access: Result<&Access, String>,
    target: Option<&Target>,
) -> Result<Observation, ClusterError> {
    let facts = object_facts(object, namespace);
    let recollection = context.memory.recall(&facts.uid);
    let pinned = object.status.as_ref().and_then(|status| status.instance.clone());
    // What was pinned stays, also under another --cluster-name: its tags tell then that it is another cluster's.
    let identifier = pinned
        .as_ref()
        .and_then(|pinned| pinned.identifier.parse().ok())
        .unwrap_or_else(|| InstanceIdentifier::derive(&context.settings.cluster, &facts.namespace, &facts.name));

    let account = match access {
        Ok(access) => context.accounts.get(access).await.map_err(|error| error.to_string()),
        Err(why) => Err(why),
    };
    // What is to be deleted is looked at now, not up to a minute ago.
    let freshness = facts.deleting.then(tokio::time::Instant::now);
    let instance = match &account {
        Ok(account) => {
            instance(
                account,
                &identifier,
                freshness.max(recollection.last_effect).max(context.acting_since.get().map(|(since, _)| *since)),
            )
            .await
        }
        Err(why) => Seen::Unknown(why.clone()),
    };
    let snapshots = match &account {
        Ok(account) if instance.absent() => snapshots(account, &identifier).await,
        _ => Seen::Absent,
    };

    let mut world = World {
        cluster: context.settings.cluster.clone(),
        identifier,
        account: account
            .as_ref()
            .map(|account| AccountFacts { account: account.identity.account.clone(), region: account.region.clone() })
            .map_err(Clone::clone),
        pinned,
        instance,
        snapshots,
        secrets: kubernetes::secrets(context, &facts, target).await?,
        service: kubernetes::service(context, &facts).await?,
        alias: kubernetes::alias(context, &facts, namespace).await?,
        visit: recollection.visit,
        visit_inputs: None,
        asked: recollection.asked,
        setbacks: recollection.setbacks,
        acting_since: context.acting_since.get().map_or(jiff::Timestamp::MIN, |(_, at)| *at),
        endpoint_suffixes: context.settings.endpoint_suffixes.clone(),
        object: facts,
    };
    world.visit_inputs = target.and_then(|target| visit_inputs(target, &world));
    if let (None, Some(inputs)) = (&world.visit, &world.visit_inputs) {
        world.visit = recall::told_visit(object, inputs);
    }
    Ok(Observation { world, account: account.ok() })
}

fn object_facts(object: &RDSDatabase, namespace: &NamespaceFacts) -> ObjectFacts {
    let annotation = |key: &str| object.annotations().get(key).cloned();
    ObjectFacts {
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
        uid: object.uid().unwrap_or_default(),
        deleting: object.metadata.deletion_timestamp.is_some(),
        finalizer: object.finalizers().iter().any(|found| found == FINALIZER),
        namespace_terminating: namespace.terminating,
        recreate_lost: annotation(RECREATE_ANNOTATION),
        accept_instance: annotation(ACCEPT_ANNOTATION),
    }
}

async fn instance(
    account: &Account,
    identifier: &InstanceIdentifier,
    after: Option<tokio::time::Instant>,
) -> Seen<Instance> {
    match account.sweeper.after(after, PATIENCE).await {
        Ok(sweep) => match sweep.instances.get(identifier.as_str()) {
            Some(instance) => Seen::Known(instance.clone()),
            None => Seen::Absent,
        },
        Err(SweepError::Failed(error)) => Seen::Unknown(format!("{error}; {}", error.remedy())),
        Err(error @ SweepError::Late) => Seen::Unknown(error.to_string()),
    }
}

async fn snapshots(account: &Account, identifier: &InstanceIdentifier) -> Seen<Vec<Snapshot>> {
    match account.cloud.snapshots_of(identifier.as_str()).await {
        Ok(snapshots) if snapshots.is_empty() => Seen::Absent,
        Ok(snapshots) => Seen::Known(snapshots),
        Err(error) => Seen::Unknown(format!("{error}; {}", error.remedy())),
    }
}

/// A digest of all that a visit to the database depends on; `None` while a password or the endpoint is missing.
pub(crate) fn visit_inputs(target: &Target, world: &World) -> Option<String> {
    let instance = world.instance.known()?;
    let endpoint = instance.endpoint.as_ref()?;
    let mut digest = Sha256::new();
    let mut add = |text: &str| {
        digest.update(text.len().to_be_bytes());
        digest.update(text.as_bytes());
    };
    add(instance.resource_id.as_deref().unwrap_or_default());
    add(instance.engine_version.as_deref().unwrap_or_default());
    add(&format!("{}:{}", endpoint.host, endpoint.port));
    add(&format!("{:?} {:?}", target.desired.users, target.desired.databases));
    add(world.password(&names::master_secret_name(&world.object.name))?.expose());
    for secret in target.desired.users.keys().map(|user| names::secret_name(&world.object.name, user)) {
        // A Secret that is somebody else's stops its own user, not the others.
        match world.secrets.get(&secret) {
            Some(Seen::Known(crate::plan::SecretFact::Foreign { .. })) => add("foreign"),
            _ => add(world.password(&secret)?.expose()),
        }
    }
    Some(hex::encode(digest.finalize()))
}
