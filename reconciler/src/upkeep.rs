//! What is done now and then for all objects together: those that are gone are forgotten, and instances without an object are told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Resource, ResourceExt};

use crate::context::Guarded;
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::providers::Instance;
use crate::providers::accounts::Accounts;
use crate::scope::Scope;
use crate::turns::Key;

const ROUND: Duration = Duration::from_secs(60);

/// What the rounds look at.
pub(crate) struct Upkeep {
    pub(crate) objects: Store<Guarded>,
    pub(crate) memory: Memory,
    pub(crate) accounts: std::sync::Arc<Accounts>,
    pub(crate) metrics: Metrics,
    pub(crate) scope: Scope,
    pub(crate) cluster: String,
}

impl Upkeep {
    /// Goes round for as long as the process lives, once it has seen the objects.
    pub(crate) async fn run(self) {
        if self.objects.wait_until_ready().await.is_err() {
            return;
        }
        let mut before = BTreeSet::new();
        let mut told = BTreeSet::new();
        loop {
            let objects = self.objects.state();
            let there = objects.iter().filter_map(|object| {
                let key = Key { namespace: object.namespace()?, name: object.name_any() };
                Some((key, object.uid()?))
            });
            let there: BTreeMap<Key, String> = there.collect();
            self.memory.retain(&there);
            let found = self.orphans().await;
            // One that is seen in two rounds: objects and instances are not looked at in the same moment.
            let orphans: BTreeSet<String> = found.keys().filter(|name| before.contains(*name)).cloned().collect();
            for identifier in orphans.difference(&told) {
                let object = found.get(identifier).map(String::as_str).unwrap_or_default();
                tracing::warn!(
                    identifier,
                    object,
                    "an instance of this cluster's has no RDSDatabase: it is billed; make the object again, or delete the instance"
                );
            }
            self.metrics.orphans.set(i64::try_from(orphans.len()).unwrap_or(i64::MAX));
            before = found.into_keys().collect();
            told = orphans;
            tokio::time::sleep(ROUND).await;
        }
    }

    /// Instances without an object, with the object that they were made for.
    async fn orphans(&self) -> BTreeMap<String, String> {
        let sweeps = self.accounts.sweeps().await;
        let instances = sweeps.iter().flat_map(|sweep| sweep.instances.values());
        let exists = |namespace: &str, name: &str| {
            self.objects.get(&ObjectRef::new(name).within(namespace)).is_some_and(|object| object.meta().uid.is_some())
        };
        instances.filter_map(|instance| orphan(instance, &self.cluster, &self.scope, &exists)).collect()
    }
}

/// An instance that carries this cluster's tags, is in its scope, was not left on purpose, and has no object.
fn orphan(
    instance: &Instance,
    cluster: &str,
    scope: &Scope,
    exists: &impl Fn(&str, &str) -> bool,
) -> Option<(String, String)> {
    let marks = &instance.marks;
    let (namespace, name) = (marks.namespace.as_deref()?, marks.name.as_deref()?);
    let ours = marks.cluster.as_deref() == Some(cluster) && scope.covers(namespace);
    let left = marks.is_retained() || instance.status.deleting();
    (ours && !left && !exists(namespace, name)).then(|| (instance.identifier.clone(), format!("{namespace}/{name}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::{CLUSTER, NAMESPACE, instance};

    #[test]
    fn an_instance_without_an_object_is_an_orphan() {
        let orphaned = |instance: &Instance, scope: &Scope, exists: bool| {
            orphan(instance, CLUSTER, scope, &|_: &str, _: &str| exists).is_some()
        };
        let (all, made) = (Scope::Cluster, instance("available"));
        assert!(orphaned(&made, &all, false));
        assert!(!orphaned(&made, &all, true));
        assert!(orphaned(&made, &Scope::Namespace(NAMESPACE.into()), false));
        assert!(!orphaned(&made, &Scope::Namespace("elsewhere".into()), false), "its objects are not seen here");
        assert!(!orphaned(&instance("deleting"), &all, false));
        let mut other = instance("available");
        other.marks.cluster = Some("another".into());
        let mut left = instance("available");
        left.marks.retained = Some(true);
        assert!(!orphaned(&other, &all, false) && !orphaned(&left, &all, false));
    }
}
