//! `kubectl rds check` against the API server: both are held to one table of objects.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use http::Request;
use kube::Error;
use libtest_mimic::Trial;
use serde_json::Value;
use testbed::{controlplane::ControlPlane, eventually::eventually};

use crate::{
    crds_alone::crds_alone,
    world::{World, trial},
};

/// The objects that the command is held to in its own crate.
#[path = "../../../kubectl-rds/tests/objects/mod.rs"]
mod objects;

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![trial(world, "check::says_what_the_api_server_says", says_what_the_api_server_says)]
}

async fn says_what_the_api_server_says(world: &World) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let plane = crds_alone(world, dir.path()).await?;
    eventually("what the check admits", async || {
        for object in objects::admitted() {
            created(&plane, &object).await?.with_context(|| format!("{object} is admitted by the check"))?;
        }
        Ok(())
    })
    .await?;
    let mut admitted = Vec::new();
    for object in objects::refused() {
        if created(&plane, &object).await?.is_ok() {
            admitted.push(object.to_string());
        }
    }
    ensure!(admitted.is_empty(), "the API server admits what the check refuses: {}", admitted.join("\n"));
    plane.stop().await
}

/// What the API server says of an object, asked as kubectl asks: unknown fields are refused.
async fn created(plane: &ControlPlane, object: &Value) -> Result<Result<(), Error>> {
    let resource = match object["kind"].as_str() {
        Some("RDSDatabaseClass") => "rdsdatabaseclasses",
        _ => "namespaces/default/rdsdatabases",
    };
    let path = format!("/apis/matrixmind.cloud/v1/{resource}?dryRun=All&fieldValidation=Strict");
    let request =
        Request::post(path).header("Content-Type", "application/json").body(object.to_string().into_bytes())?;
    match plane.client().request::<Value>(request).await {
        Ok(_) => Ok(Ok(())),
        Err(Error::Api(status)) if status.code == 400 || status.code == 422 => Ok(Err(Error::Api(status))),
        Err(error) => Err(error.into()),
    }
}
