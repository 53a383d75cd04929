//! Who keeps the objects as they are wanted: it tries again for as long as it takes, as Argo CD and Flux do.

use std::{cell::RefCell, convert::Infallible, time::Duration};

use anyhow::{Context, Result, anyhow, bail, ensure};
use aws_sdk_rds::{primitives::DateTime, types::DbSnapshot};
use futures::future::join_all;
use kube::{
    Api,
    api::{DeleteParams, DynamicObject, Patch, PatchParams},
};
use serde_json::json;
use testbed::{
    eventually::eventually_within,
    resource::{Database, databases},
};
use tokio::time::{sleep, timeout};

use super::{census::Census, schedule::name, wanted::Wanted};
use crate::scene::Scene;

/// Between two looks at an object.
const PAUSE: Duration = Duration::from_millis(500);

/// The longest one request may take.
const LIMIT: Duration = Duration::from_secs(15);

/// From the end of all chaos to rest: a volume that grew is locked for two minutes of the local RDS, back-offs have become long.
const SETTLED: Duration = Duration::from_mins(5);

/// On each object: what of it was applied.
const APPLIED: &str = "example.org/applied";

/// What is wanted of each object.
pub(crate) struct Objects<'a> {
    scene: &'a Scene<'a>,
    wanted: RefCell<Vec<Option<Wanted>>>,
    /// Why an object could not be written, the last time.
    trouble: RefCell<Vec<String>>,
}

impl<'a> Objects<'a> {
    pub(crate) fn new(scene: &'a Scene<'a>, count: usize) -> Self {
        let trouble = vec![String::new(); count];
        Self { scene, wanted: RefCell::new(vec![None; count]), trouble: RefCell::new(trouble) }
    }

    pub(crate) fn want(&self, object: usize, wanted: Option<Wanted>) {
        self.wanted.borrow_mut()[object] = wanted;
    }

    /// All that is wanted, by number.
    pub(crate) fn wanted(&self) -> Vec<(usize, Wanted)> {
        let wanted = self.wanted.borrow();
        wanted.iter().enumerate().filter_map(|(object, wanted)| Some((object, wanted.clone()?))).collect()
    }

    /// Pursues what is wanted of an object, for ever.
    pub(crate) async fn pursue(&self, object: usize) -> Infallible {
        loop {
            let step = timeout(LIMIT, self.step(object)).await;
            let step = step.unwrap_or_else(|_| Err(anyhow!("no answer within {} s", LIMIT.as_secs())));
            self.trouble.borrow_mut()[object] = step.err().map_or(String::new(), |error| format!("{error:#}"));
            sleep(PAUSE).await;
        }
    }

    async fn step(&self, object: usize) -> Result<()> {
        let (api, name) = (self.api(), name(object));
        let wanted = self.wanted.borrow()[object].clone();
        let found = api.get_opt(&name).await?;
        let applied = found.as_ref().map(applied);
        let leaving = found.as_ref().is_some_and(|found| found.metadata.deletion_timestamp.is_some());
        match wanted {
            // One object of a name after the other.
            _ if leaving => {}
            None if found.is_none() => {}
            None => drop(api.delete(&name, &DeleteParams::default()).await?),
            Some(wanted) => {
                let manifest = manifest(&wanted);
                match applied {
                    Some(applied) if applied == manifest => {}
                    Some(applied) if life(&applied) != wanted.life.to_string() => {
                        api.delete(&name, &DeleteParams::default()).await?;
                    }
                    Some(_) => self.apply(&name, &wanted, &manifest, None).await?,
                    None => {
                        let of = if wanted.returns { self.left(&name, wanted.version()).await? } else { None };
                        self.apply(&name, &wanted, &manifest, of).await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn apply(&self, name: &str, wanted: &Wanted, manifest: &str, of: Option<String>) -> Result<()> {
        let mut spec = wanted.spec();
        if let Some(snapshot) = of {
            spec["restoreFrom"] = json!({"snapshot": snapshot});
        }
        let object = json!({
            "apiVersion": "matrixmind.cloud/v1",
            "kind": "RDSDatabase",
            "metadata": {"name": name, "annotations": {APPLIED: manifest}},
            "spec": spec,
        });
        self.api().patch(name, &PatchParams::apply("chaos").force(), &Patch::Apply(object)).await?;
        Ok(())
    }

    /// The last final snapshot of an object of this name, where this version made it: it is complete, or the object would still be there.
    async fn left(&self, name: &str, version: &str) -> Result<Option<String>> {
        let snapshots = self.scene.stack.rds().client().describe_db_snapshots().snapshot_type("manual");
        let snapshots: Vec<DbSnapshot> = snapshots.into_paginator().items().send().try_collect().await?;
        let of_it = snapshots.iter().filter(|snapshot| {
            let tagged = snapshot
                .tag_list()
                .iter()
                .any(|tag| tag.key() == Some("matrixmind.cloud/name") && tag.value() == Some(name));
            tagged && snapshot.db_snapshot_identifier().is_some_and(|id| id.contains("-final-"))
        });
        let of_it = of_it
            .filter(|snapshot| snapshot.engine_version().is_some_and(|made| made.split('.').next() == Some(version)));
        let last = of_it.max_by_key(|snapshot| snapshot.snapshot_create_time().map(DateTime::secs));
        Ok(last.and_then(|snapshot| snapshot.db_snapshot_identifier().map(str::to_owned)))
    }

    /// Waits until every object is as wanted and Ready, and every other one is gone; and until what was changed by hand is changed back.
    pub(crate) async fn settled(&self, census: &Census<'_>) -> Result<()> {
        let count = self.trouble.borrow().len();
        let client = self.scene.stack.controlplane().client();
        join_all((0..count).map(async |object| {
            let (name, wanted) = (name(object), self.wanted.borrow()[object].clone());
            eventually_within(SETTLED, &format!("{name} to be as wanted"), async || {
                let found = Database::read(client.clone(), &self.scene.namespace, &name).await?;
                let trouble = || self.trouble.borrow()[object].clone();
                match (&wanted, found) {
                    (None, None) => Ok(()),
                    (None, Some(found)) => bail!("it is still there: {:?}", found.conditions()),
                    (Some(_), None) => bail!("it is not there: {}", trouble()),
                    (Some(wanted), Some(found)) => {
                        let annotations = found.at("/metadata/annotations");
                        let applied = annotations[APPLIED].as_str().unwrap_or_default();
                        let conditions = found.conditions();
                        ensure!(applied == manifest(wanted), "it is as {applied}: {} {conditions:?}", trouble());
                        found.expect("Ready", "True")?;
                        let days = census.instance(&name).await?.backup_retention_period();
                        ensure!(days == Some(7), "backups are kept for {days:?} days");
                        Ok(())
                    }
                }
            })
            .await
        }))
        .await
        .into_iter()
        .collect()
    }

    /// The uid and the instance of an object that is there.
    pub(crate) async fn living(&self, object: usize) -> Result<(String, String)> {
        let found = self.scene.database(&name(object)).await?;
        let text = |pointer| Some(found.text(pointer)).filter(|text| !text.is_empty()).map(str::to_owned);
        let uid = text("/metadata/uid").context("an object without a uid")?;
        Ok((uid, text("/status/instance/resourceId").context("an object without an instance")?))
    }

    fn api(&self) -> Api<DynamicObject> {
        databases(self.scene.stack.controlplane().client(), &self.scene.namespace)
    }
}

fn manifest(wanted: &Wanted) -> String {
    format!("{} {}", wanted.life, wanted.spec())
}

fn life(manifest: &str) -> &str {
    manifest.split(' ').next().unwrap_or_default()
}

fn applied(object: &DynamicObject) -> String {
    object.metadata.annotations.as_ref().and_then(|all| all.get(APPLIED)).cloned().unwrap_or_default()
}
