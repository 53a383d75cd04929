//! What the cloud had at any time: every instance that was ever born, and two of one object at once.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    time::Duration,
};

use anyhow::{Context, Result};
use aws_sdk_rds::types::DbInstance;
use testbed::stack::LocalRds;
use tokio::time::sleep;

/// Shorter than any instance lives.
const PAUSE: Duration = Duration::from_millis(700);

/// What was seen so far.
pub(crate) struct Census<'a> {
    rds: &'a LocalRds,
    seen: RefCell<Seen>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// The name of the object of each instance, by the resource id.
    pub(crate) born: BTreeMap<String, String>,
    /// What must never be.
    pub(crate) doubles: BTreeSet<String>,
}

impl<'a> Census<'a> {
    pub(crate) fn new(rds: &'a LocalRds) -> Self {
        Self { rds, seen: RefCell::default() }
    }

    /// Looks for ever.
    pub(crate) async fn keep(&self) -> Infallible {
        loop {
            // The cloud is away now and then.
            let _ = self.look().await;
            sleep(PAUSE).await;
        }
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// The instances that are there now.
    pub(crate) async fn look(&self) -> Result<Vec<DbInstance>> {
        let pages = self.rds.client().describe_db_instances().into_paginator().items().send();
        let all: Vec<DbInstance> = pages.try_collect().await.context("asking for all instances")?;
        let mut names = BTreeMap::new();
        let mut seen = self.seen.borrow_mut();
        for instance in &all {
            let Some(name) = tag(instance, "name") else { continue };
            seen.born.entry(instance.dbi_resource_id().unwrap_or_default().to_owned()).or_insert_with(|| name.clone());
            if let Some(other) = names.insert(name.clone(), instance.db_instance_identifier()) {
                seen.doubles.insert(format!("{name}: {other:?} and {:?}", instance.db_instance_identifier()));
            }
        }
        drop(seen);
        Ok(all)
    }

    /// The instance of an object, as it is now.
    pub(crate) async fn instance(&self, name: &str) -> Result<DbInstance> {
        let found = self.look().await?.into_iter().find(|instance| tag(instance, "name").as_deref() == Some(name));
        found.with_context(|| format!("{name} has no instance"))
    }
}

/// The value of one of the operator's tags.
pub(crate) fn tag(instance: &DbInstance, key: &str) -> Option<String> {
    let key = format!("matrixmind.cloud/{key}");
    let found = instance.tag_list().iter().find(|tag| tag.key() == Some(&key))?;
    found.value().map(str::to_owned)
}
