//! The largest objects: what is admitted is stored with its status, and what was stored before the limits were has one, too.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use kube::{
    Error,
    api::{Patch, PatchParams, PostParams},
};
use libtest_mimic::Trial;
use serde_json::{Map, Value, json};
use sqlx::{Executor as _, Row as _};
use testbed::{
    eventually::{eventually, eventually_within},
    resource::databases,
};

use crate::{
    crds_alone::crds_alone,
    scene::Scene,
    webhook_away::unregistered,
    world::{World, long_trial, trial},
};

/// Bytes of the users of all databases, each with its quotes and a comma.
const LISTED: usize = 192 * 1024;

/// To give each user its databases takes minutes.
const ALL_MADE: Duration = Duration::from_mins(8);

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        long_trial(world, "limits::i13_the_largest_that_is_admitted_works", ALL_MADE, the_largest_works),
        trial(world, "limits::i7_what_is_too_large_by_now_has_a_status_and_can_be_edited", too_large_by_now),
        trial(world, "limits::kubernetes_tells_that_an_object_is_too_large", kubernetes_tells),
    ]
}

/// So many users, of whom only the first can log in, listed over databases that are filled one after the other.
fn crowd(length: usize, listed: usize) -> Value {
    let name = |kind: &str, number: usize| format!("{kind}{number:03}{}", "x".repeat(length - 4));
    let users: Vec<String> = (0..500).map(|number| name("u", number)).collect();
    let databases: Map<_, _> = (0..listed.div_ceil(500))
        .map(|number| (name("d", number), json!(users[..(listed - number * 500).min(500)])))
        .collect();
    let users: Map<_, _> = users
        .iter()
        .enumerate()
        .map(|(at, user)| (user.clone(), json!(if at == 0 { &[][..] } else { &["nologin"] })))
        .collect();
    json!({"version": "18", "size": "20Gi", "users": users, "databases": databases})
}

/// By client-side apply, which keeps a copy in an annotation, and by server-side apply.
async fn the_largest_works(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "largest").await?;
    let most = LISTED / (63 + 3);
    let largest = crowd(63, most).to_string();
    scene.apply("crowd", &largest).await?;
    scene.wait_for("crowd", "InstanceReady", "True").await?;
    // They get the endpoint now.
    let known = scene.wait_for("crowd", "SecretsReady", "True").await?;
    ensure!(known.condition("StatusShortened").is_none(), "{:?}", known.conditions());
    let count = |pointer: &str| known.at(pointer).as_object().map(Map::len);
    ensure!(count("/status/users") == Some(500), "{:?} users", count("/status/users"));
    ensure!(count("/status/databases") == Some(6), "{:?} databases", count("/status/databases"));
    let secrets = scene.names("secrets").await?.len();
    ensure!(secrets == 501, "{secrets} Secrets");
    eventually_within(ALL_MADE, "the users", async || {
        let mut master = scene.connect_to("crowd", "master", "postgres").await?;
        let users = master.fetch_one("SELECT count(*) FROM pg_roles WHERE rolname ~ '^u[0-9]{3}x'").await?;
        let users: i64 = users.try_get(0)?;
        ensure!(users == 500, "{users} of them");
        Ok(())
    })
    .await?;

    let manifest = scene.manifest("crowd", &largest);
    let args = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
    let applied = scene.kubectl().run_with_input(&args, &manifest).await?;
    ensure!(applied.success, "{}", applied.stderr);

    let said = format!("lists {} users over all databases, which take 196614 bytes: at most 196608 fit", most + 1);
    for args in [&args[..], &["apply", "-f", "-"]] {
        let refused =
            scene.kubectl().run_with_input(args, &scene.manifest("crowd", &crowd(63, most + 1).to_string())).await?;
        ensure!(!refused.success && refused.stderr.contains(&said), "{args:?}: {}", refused.stderr);
    }
    scene.delete("crowd").await
}

const CRD: &str = "rdsdatabases.matrixmind.cloud";
/// The rules of `spec.databases`.
const RULES: &str =
    "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/databases/x-kubernetes-validations";

/// Written while the API server has no such limit, as one of an older release has none.
async fn too_large_by_now(world: &World) -> Result<()> {
    let scene = unregistered(world.unattended().await?, "too-large").await?;
    let crd: Value = serde_json::from_str(&scene.kubectl().ok(&["get", "crd", CRD, "-o", "json"]).await?)?;
    let rules = crd.pointer(RULES).and_then(Value::as_array).context("databases have no rules")?;
    let limit = |rule: &&Value| rule["rule"].as_str().is_some_and(|rule| rule.contains("sum()"));
    ensure!(rules.iter().any(|rule| limit(&rule)), "the schema has no limit: {rules:?}");
    let without: Vec<_> = rules.iter().filter(|rule| !limit(rule)).collect();
    let set = async |rules: Value| {
        let patch = json!([{"op": "replace", "path": RULES, "value": rules}]).to_string();
        scene.kubectl().ok(&["patch", "crd", CRD, "--type=json", "-p", &patch]).await
    };

    let mut spec = crowd(16, 50_000);
    spec["paused"] = json!(true);
    let manifest = scene.manifest("crowd", &spec.to_string());
    set(json!(without)).await?;
    let created = eventually("the object without a limit", async || {
        let created = scene.kubectl().run_with_input(&["create", "-f", "-"], &manifest).await?;
        ensure!(created.success, "{}", created.stderr);
        Ok(())
    })
    .await;
    set(json!(rules)).await?;
    created?;
    eventually("the limit", async || {
        let args = ["create", "--dry-run=server", "-f", "-"];
        let refused = scene.kubectl().run_with_input(&args, &scene.manifest("another", &spec.to_string())).await?;
        ensure!(!refused.success, "another was admitted");
        ensure!(refused.stderr.contains("take at most 196608 bytes"), "{}", refused.stderr);
        Ok(())
    })
    .await?;

    let short = scene.wait_for("crowd", "StatusShortened", "True").await?;
    let shortened = short.condition("StatusShortened").context("it was there")?;
    ensure!(shortened.reason == "StatusTooLarge", "{shortened:?}");
    ensure!(shortened.message.contains("500 users and 100 databases are not listed"), "{shortened:?}");
    ensure!(short.condition("Ready").is_some_and(|ready| ready.reason == "Paused"), "{:?}", short.conditions());
    scene.event("StatusTooLarge").await?;

    let larger = r#"{"spec": {"size": "40Gi"}}"#;
    scene.ok(&["patch", "rds", "crowd", "--type=merge", "-p", larger]).await?;
    scene.wait_for("crowd", "StatusShortened", "True").await?;
    let events = scene.ok(&["get", "events", "--field-selector=reason=StatusTooLarge", "-o", "name"]).await?;
    ensure!(events.lines().count() == 1, "told more than once: {events}");

    let fewer = json!({"spec": {"databases": crowd(16, 10_000)["databases"]}});
    let fewer = json!([{"op": "replace", "path": "/spec/databases", "value": fewer["spec"]["databases"]}]).to_string();
    let path = scene.stack.controlplane().kubectl().kubeconfig().with_extension("fewer.json");
    std::fs::write(&path, fewer)?;
    let path = path.to_str().context("a path that is no text")?;
    scene.ok(&["patch", "rds", "crowd", "--type=json", "--patch-file", path]).await?;
    eventually("the whole status", async || {
        let whole = scene.database("crowd").await?;
        whole.expect("Ready", "False")?;
        ensure!(whole.condition("StatusShortened").is_none(), "{:?}", whole.conditions());
        ensure!(whole.at("/status/users").as_object().map(Map::len) == Some(500), "{:?}", whole.at("/status/users"));
        Ok(())
    })
    .await?;
    scene.ok(&["patch", "rds", "crowd", "--type=merge", "-p", r#"{"spec": {"paused": false}}"#]).await?;
    scene.delete("crowd").await
}

/// The words that the reconciler knows it by.
async fn kubernetes_tells(world: &World) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let plane = crds_alone(world, dir.path()).await?;
    let objects = databases(plane.client(), "default");
    let object = serde_json::from_value(json!({
        "apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabase", "metadata": {"name": "orders"}, "spec": {},
    }))?;
    eventually("the resource", async || {
        objects.create(&PostParams::default(), &object).await?;
        Ok(())
    })
    .await?;
    for (kilobytes, said) in
        [(1_600, "etcdserver: request is too large"), (2_500, "trying to send message larger than max")]
    {
        let users: Map<_, _> =
            (0..kilobytes).map(|number| (format!("u{number}"), json!({"secret": "x".repeat(1_000)}))).collect();
        let status = Patch::Merge(json!({"status": {"users": users}}));
        match objects.patch_status("orders", &PatchParams::default(), &status).await {
            Err(Error::Api(refused)) => ensure!(refused.message.contains(said), "{kilobytes} kB: {refused:?}"),
            other => bail!("{kilobytes} kB: {}", other.map_or_else(|error| error.to_string(), |_| "stored".to_owned())),
        }
    }
    plane.stop().await
}
