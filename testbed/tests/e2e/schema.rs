//! The schema and the CEL rules on their own: what the API server keeps out while the webhook is away.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use kube::{
    Api, Client, Error,
    api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, PostParams},
    core::GroupVersionKind,
};
use libtest_mimic::Trial;
use serde_json::{Value, json};
use testbed::eventually::eventually;

use self::specs::Change;
use crate::{
    crds_alone::crds_alone,
    world::{World, trial},
};

/// The specifications the rules are held to in their own crate.
#[path = "../../../shared/tests/specs/mod.rs"]
mod specs;

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![trial(world, "schema::agrees_with_the_rules", agrees_with_the_rules)]
}

async fn agrees_with_the_rules(world: &World) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let plane = crds_alone(world, dir.path()).await?;
    let objects = Objects::new(plane.client());
    eventually("the resource", async || objects.create(&json!({})).await).await?;

    for spec in specs::admitted() {
        objects.create(&spec).await.with_context(|| format!("{spec} is admitted by the rules"))?;
    }
    objects
        .create(&specs::crowded(specs::MOST_MEMBERS))
        .await
        .context("as many users of databases as the rules admit")?;
    ensure!(refused(objects.create(&specs::crowded(specs::MOST_MEMBERS + 1)).await)?, "one more was admitted");
    for case in specs::refused() {
        let outcome = objects.create(&case.spec).await;
        let told = format!("{} ({}: {} {})", case.spec, case.field, case.reason, case.said);
        ensure!(refused(outcome)? == case.by_schema, "whether the schema refuses {told} should be {}", case.by_schema);
    }
    for change in specs::admitted_changes() {
        let told = || format!("{} to {} with {} is admitted by the rules", change.old, change.new, change.status);
        objects.change(&change).await.with_context(told)?;
    }
    for case in specs::refused_changes() {
        let outcome = objects.change(&case.change).await;
        let told = format!("{} to {} ({}: {})", case.change.old, case.change.new, case.field, case.said);
        ensure!(refused(outcome)? == case.by_schema, "whether the schema refuses {told} should be {}", case.by_schema);
    }
    plane.stop().await
}

/// Whether the API server found the object invalid; any other failure is one of the test.
fn refused(outcome: Result<()>) -> Result<bool> {
    let Err(error) = outcome else { return Ok(false) };
    match error.downcast_ref::<Error>() {
        Some(Error::Api(status)) if status.code == 422 => Ok(true),
        _ => Err(error),
    }
}

struct Objects(Api<DynamicObject>);

impl Objects {
    fn new(client: Client) -> Self {
        let kind = GroupVersionKind::gvk("matrixmind.cloud", "v1", "RDSDatabase");
        Self(Api::default_namespaced_with(client, &ApiResource::from_gvk_with_plural(&kind, "rdsdatabases")))
    }

    /// Creates an object, but for the last step.
    async fn create(&self, spec: &Value) -> Result<()> {
        self.0.create(&params(true), &object(spec)?).await?;
        Ok(())
    }

    /// Creates an object with its status, changes it, but for the last step, and removes it.
    async fn change(&self, Change { old, status, new }: &Change) -> Result<()> {
        self.0.create(&params(false), &object(old)?).await.context("the old specification")?;
        let status = Patch::Merge(json!({"status": status}));
        let seen = self.0.patch_status(NAME, &PatchParams::default(), &status).await.context("the status")?;
        let mut changed = object(new)?;
        changed.metadata.resource_version = seen.metadata.resource_version;
        let outcome = self.0.replace(NAME, &params(true), &changed).await;
        self.0.delete(NAME, &DeleteParams::default()).await?;
        outcome?;
        Ok(())
    }
}

const NAME: &str = "orders";

fn params(dry_run: bool) -> PostParams {
    PostParams { dry_run, ..PostParams::default() }
}

fn object(spec: &Value) -> Result<DynamicObject> {
    let object = json!({
        "apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabase", "metadata": {"name": NAME}, "spec": spec,
    });
    Ok(serde_json::from_value(object)?)
}
