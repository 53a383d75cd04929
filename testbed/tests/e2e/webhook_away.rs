//! While the webhook is away: what still works, what is still refused, and what the reconciler makes of objects that nobody judged.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;
use sqlx::Connection as _;
use testbed::{eventually::eventually, kubectl::Output, stack::Stack};

use crate::{
    scene::Scene,
    world::{UNREGISTERED, World, trial},
};

/// What the schema and CEL refuse by themselves: the spec, the field that must be named and a piece of what must be said.
const MISTAKES: &[(&str, &str, &str)] = &[
    ("{type: oracle}", "spec.type", "should match"),
    ("{type: true}", "spec.type", "must be of type string"),
    ("{version: 11}", "spec.version", "12 to 18 for PostgreSQL"),
    ("{version: latest}", "spec.version", "should match"),
    ("{version: 12.22}", "spec.version", "must be of type"),
    ("{type: MySQL, version: \"12\"}", "spec.version", "\"8.0\" or \"8.4\" for MySQL"),
    ("{size: ten}", "spec.size", "should match"),
    ("{size: 10}", "spec.size", "must be of type string"),
    ("{masteruser: Sys-Admin}", "spec.masteruser", "should match"),
    ("{masteruser: admin}", "spec.masteruser", "admin (on PostgreSQL)"),
    ("{users: [app]}", "spec.users", "must be of type object"),
    ("{users: {App: []}}", "spec.users", "lower-case letters"),
    ("{users: {master: []}}", "spec.users", "are not master"),
    ("{users: {sysadmin: []}}", "spec.users", "the master user is not one of the users"),
    ("{users: {pg_app: []}}", "spec.users", "do not begin with pg_"),
    ("{users: {app: [creatdb]}}", "spec.users.app[0]", "should match"),
    ("{databases: {Orders: []}}", "spec.databases", "lower-case letters"),
    ("{databases: {postgres: []}}", "spec.databases", "are not postgres"),
    ("{databases: {orders: [app]}}", "spec.databases", "every user of a database is in spec.users"),
    ("{backup: {every: 5m}}", "spec.backup", "30m to 365d"),
    ("{backup: {retention: 36h}}", "spec.backup", "whole number of days"),
    ("{instanceClass: t4g.micro}", "spec.instanceClass", "should match"),
    ("{deletionPolicy: delete}", "spec.deletionPolicy", "should match"),
    ("{deletionProtection: \"yes\"}", "spec.deletionProtection", "must be of type boolean"),
];

/// What CEL keeps of the old object: the change as a merge patch, the field and a piece of what must be said.
const TRANSITIONS: &[(&str, &str, &str)] = &[
    (r#"{"spec":{"type":"MySQL","version":"8.4"}}"#, "spec.type", "the engine never changes"),
    (r#"{"spec":{"masteruser":"root_of_all"}}"#, "spec.masteruser", "RDS cannot rename the master user"),
    // A field that is taken away counts as its default.
    (r#"{"spec":{"masteruser":null}}"#, "spec.masteruser", "RDS cannot rename the master user"),
    (r#"{"spec":{"version":"14"}}"#, "spec.version", "the major version rises with spec.allowMajorVersionUpgrade"),
    (r#"{"spec":null}"#, "spec.version", "the major version rises with spec.allowMajorVersionUpgrade"),
];

/// Admitted by the schema and CEL, and wrong in four ways that only the rules know.
const UNJUDGED: &str = "{size: 65537Gi, users: {app: [login, nologin], select: []}, databases: {sysadmin: [app]}}";

const UNJUDGED_ERRORS: [(&str, &str); 4] = [
    ("spec.size", "larger than RDS's largest volume"),
    ("spec.users[app][1]", "contradicts"),
    ("spec.users[select]", "key word of SQL"),
    ("spec.databases[sysadmin]", "name of the master user"),
];

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "webhook_away::the_schema_refuses_what_it_can", the_schema_refuses_what_it_can),
        trial(world, "webhook_away::only_specs_wait_for_it", only_specs_wait_for_it),
        trial(world, "webhook_away::i6_an_object_nobody_judged_is_made_and_not_rewritten", made_and_not_rewritten),
        trial(world, "webhook_away::i7_an_invalid_object_is_stalled_until_it_is_mended", stalled_until_mended),
    ]
}

/// A namespace that the webhook, had it been there, would not have been asked about.
pub(crate) async fn unregistered<'a>(stack: &'a Stack, namespace: &str) -> Result<Scene<'a>> {
    let scene = Scene::new(stack, namespace).await?;
    scene.kubectl().ok(&["label", "namespace", namespace, UNREGISTERED]).await?;
    // The API server learns of labels and registrations by watching them.
    eventually("admission without the webhook", async || {
        let tried = scene.kubectl().run_with_input(&CREATE_DRY, &scene.manifest("probe", "{}")).await?;
        ensure!(tried.success, "{}", tried.stderr);
        Ok(())
    })
    .await?;
    Ok(scene)
}

const CREATE: [&str; 3] = ["create", "-f", "-"];
const CREATE_DRY: [&str; 4] = ["create", "--dry-run=server", "-f", "-"];

async fn the_schema_refuses_what_it_can(world: &World) -> Result<()> {
    let scene = unregistered(world.unattended().await?, "schema").await?;
    for &(spec, field, said) in MISTAKES {
        let output = scene.kubectl().run_with_input(&["apply", "-f", "-"], &scene.manifest("bad", spec)).await?;
        ensure!(!output.success, "{spec} was admitted");
        ensure!(names_field(&output, field, said), "{spec}: wanted {field} and {said:?}: {}", output.stderr);
    }
    let there = scene.names("rdsdatabases").await?;
    ensure!(there.is_empty(), "admitted: {there:?}");

    let spec = "{paused: true, version: \"15\", masteruser: boss}";
    scene.kubectl().run_with_input(&CREATE, &scene.manifest("fixed", spec)).await?;
    let before = scene.database("fixed").await?;
    for &(patch, field, said) in TRANSITIONS {
        let args = ["patch", "rds", "fixed", "-n", &scene.namespace, "--type=merge", "-p", patch];
        let output = scene.kubectl().run(&args).await?;
        ensure!(!output.success, "{patch} was admitted");
        ensure!(names_field(&output, field, said), "{patch}: wanted {field} and {said:?}: {}", output.stderr);
    }
    let after = scene.database("fixed").await?;
    ensure!(after.at("/spec") == before.at("/spec"), "changed to {}", after.at("/spec"));
    scene.delete("fixed").await
}

/// Specs are held back; labels, finalizers, status and deletion are not, also where there is no spec.
async fn only_specs_wait_for_it(world: &World) -> Result<()> {
    let scene = unregistered(world.unattended().await?, "registered-later").await?;
    let none =
        "apiVersion: matrixmind.cloud/v1\nkind: RDSDatabase\nmetadata: {name: none, namespace: registered-later}\n";
    for manifest in [none, &scene.manifest("some", "{version: 15}")] {
        let created = scene.kubectl().run_with_input(&CREATE, manifest).await?;
        ensure!(created.success, "{}", created.stderr);
    }
    for name in ["none", "some"] {
        scene.ready(name).await?;
    }
    let (key, _) = UNREGISTERED.split_once('=').context("a label without a value")?;
    scene.kubectl().ok(&["label", "namespace", &scene.namespace, &format!("{key}-")]).await?;
    eventually("the webhook to be missed", async || {
        let tried = scene.kubectl().run_with_input(&CREATE_DRY, &scene.manifest("probe", "{}")).await?;
        ensure!(tried.stderr.contains("failed calling webhook"), "{tried:?}");
        Ok(())
    })
    .await?;

    for name in ["none", "some"] {
        let changed = r#"{"spec":{"size":"40GB"}}"#;
        let args = ["patch", "rds", name, "-n", &scene.namespace, "--type=merge", "-p", changed];
        let refused = scene.kubectl().run(&args).await?;
        ensure!(!refused.success && refused.stderr.contains("failed calling webhook"), "{refused:?}");

        scene.ok(&["label", "rds", name, "team=orders"]).await?;
        scene.ok(&["annotate", "rds", name, "note=here"]).await?;
        let finalizer = r#"[{"op": "add", "path": "/metadata/finalizers/-", "value": "example.com/hold"}]"#;
        scene.ok(&["patch", "rds", name, "--type=json", "-p", finalizer]).await?;
        let status = r#"{"status": {"databaseStatus": "seen by a test"}}"#;
        scene.ok(&["patch", "rds", name, "--subresource=status", "--type=merge", "-p", status]).await?;
        let seen = scene.database(name).await?;
        ensure!(seen.text("/metadata/labels/team") == "orders", "{}", seen.at("/metadata"));

        scene.ok(&["delete", "rds", name, "--wait=false"]).await?;
        // The reconciler's own finalizer goes, the other one stays; taking that away ends the object.
        eventually("the reconciler to let go", async || {
            let left = scene.database(name).await?;
            ensure!(
                *left.at("/metadata/finalizers") == serde_json::json!(["example.com/hold"]),
                "{:?}",
                left.conditions()
            );
            Ok(())
        })
        .await?;
        let none = r#"[{"op": "remove", "path": "/metadata/finalizers"}]"#;
        scene.ok(&["patch", "rds", name, "--type=json", "-p", none]).await?;
        scene.gone(name).await?;
    }
    let instances = scene.instances().await?;
    ensure!(instances.is_empty(), "instances stayed: {instances:?}");
    Ok(())
}

/// Without defaults in its spec it is what the same spec with them would be; the spec stays as it was written.
async fn made_and_not_rewritten(world: &World) -> Result<()> {
    let stack = world.unattended().await?;
    let scene = unregistered(stack, "unjudged").await?;
    let spec =
        "{users: {app: [], gone: null}, databases: {orders: [app], void: null}, size: 1e1GB, backup: {retention: 3d}}";
    let created = scene.kubectl().run_with_input(&CREATE, &scene.manifest("orders", spec)).await?;
    ensure!(created.success, "{}", created.stderr);
    let before = stored_spec(&scene, "orders").await?;
    ensure!(before.get("version").is_none() && before["users"].get("app").is_some(), "not what was written: {before}");

    let ready = scene.ready("orders").await?;
    ensure!(ready.text("/status/engineVersion").starts_with("12."), "{}", ready.at("/status"));
    ensure!(ready.at("/status/backups/retentionDays") == 3, "{}", ready.at("/status/backups"));
    scene.connect("orders", "app").await?.close().await?;

    let after = stored_spec(&scene, "orders").await?;
    ensure!(serde_json::to_string(&after)? == serde_json::to_string(&before)?, "from {before} to {after}");
    ensure!(ready.at("/metadata/generation") == 1, "the spec was written {} times", ready.at("/metadata/generation"));
    let writers: Vec<&str> = ready
        .at("/metadata/managedFields")
        .as_array()
        .into_iter()
        .flatten()
        .filter(|entry| entry.pointer("/fieldsV1/f:spec").is_some())
        .filter_map(|entry| entry["manager"].as_str())
        .collect();
    ensure!(writers == ["kubectl-create"], "the spec was written by {writers:?}");
    scene.delete("orders").await
}

async fn stalled_until_mended(world: &World) -> Result<()> {
    let scene = unregistered(world.unattended().await?, "invalid").await?;
    let created = scene.kubectl().run_with_input(&CREATE, &scene.manifest("orders", UNJUDGED)).await?;
    ensure!(created.success, "the schema refuses this by now, take something else: {}", created.stderr);

    let stalled = scene.wait_for("orders", "Stalled", "True").await?;
    for (condition, status) in [("Stalled", "True"), ("Ready", "False"), ("Reconciling", "False")] {
        let found = stalled.expect(condition, status)?;
        ensure!(found.reason == "InvalidSpec", "{found:?}");
        for (field, said) in UNJUDGED_ERRORS {
            let told = found.message.split("; ").any(|one| one.contains(&format!("{field}: ")) && one.contains(said));
            ensure!(told, "{field} with {said:?} is not in {}", found.message);
        }
    }
    for kind in ["secrets", "services"] {
        let names = scene.names(kind).await?;
        ensure!(names.is_empty(), "{kind} were made: {names:?}");
    }
    let instances = scene.instances().await?;
    ensure!(instances.is_empty(), "instances were made: {instances:?}");
    scene.event("InvalidSpec").await?;

    let mended = r#"{"spec": {"size": "10GB", "users": {"select": null, "app": []}, "databases": {"sysadmin": null}}}"#;
    scene.ok(&["patch", "rds", "orders", "--type=merge", "-p", mended]).await?;
    scene.ready("orders").await?;
    scene.delete("orders").await
}

async fn stored_spec(scene: &Scene<'_>, name: &str) -> Result<Value> {
    let path = format!("/apis/matrixmind.cloud/v1/namespaces/{}/rdsdatabases/{name}", scene.namespace);
    let object: Value = serde_json::from_str(&scene.kubectl().ok(&["get", "--raw", &path]).await?)?;
    Ok(object["spec"].clone())
}

/// Whether one line names the field and says this of it.
fn names_field(output: &Output, field: &str, said: &str) -> bool {
    let field = format!("{field}: ");
    output.stderr.lines().any(|line| line.contains(&field) && line.contains(said))
}
