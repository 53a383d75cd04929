//! One bad object never stops the others: one that a class forbids, and one that cannot be decoded.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::{Value, json};
use sqlx::Connection as _;
use testbed::{
    eventually::eventually,
    resource::Database,
    stack::{Part, Stack},
};

use crate::{
    scene::Scene,
    world::{World, trial},
};

const CRD: &str = "rdsdatabases.matrixmind.cloud";

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "isolation::i8_what_a_class_forbids_stops_nobody_else", forbidden_by_a_class),
        trial(world, "isolation::i8_an_object_that_cannot_be_decoded_stops_nobody_else", undecodable),
    ]
}

async fn forbidden_by_a_class(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "classes").await?;
    let class = |name: &str, spec: &str| {
        format!("apiVersion: matrixmind.cloud/v1\nkind: RDSDatabaseClass\nmetadata: {{name: {name}}}\nspec: {spec}\n")
    };
    let spec = "{maxSize: 20GB, allowedInstanceClasses: [db.t4g.*], allowedDeletionPolicies: [Snapshot], \
                allowedNamespaces: {matchLabels: {tier: gold}}}";
    scene.kubectl().apply(&class("classes-narrow", spec)).await?;

    for (name, spec) in [
        ("elsewhere", "{className: classes-narrow}"),
        ("unknown", "{className: classes-none}"),
        ("neighbour", "{users: {app: []}}"),
    ] {
        scene.apply(name, spec).await?;
    }
    refused(&scene, "elsewhere", "ClassNotPermitted", &["classes-narrow", "allowedNamespaces", "tier"]).await?;
    refused(&scene, "unknown", "ClassNotFound", &["spec.className", "classes-none"]).await?;
    scene.ready("neighbour").await?;

    // Mended from outside: nobody touches the objects.
    scene.kubectl().ok(&["label", "namespace", "classes", "tier=gold"]).await?;
    scene.kubectl().apply(&class("classes-none", "{tags: {cost-center: shop}}")).await?;
    for name in ["elsewhere", "unknown"] {
        let ready = scene.ready(name).await?;
        ensure!(ready.at("/metadata/generation") == 1, "somebody had to touch {name}");
        ensure!(ready.text("/status/instance/className").starts_with("classes-"), "{}", ready.at("/status/instance"));
    }

    // Forbidden later, it is worked on, and only its instance stays as it is.
    let allowed = |tier: &str| format!(r#"{{"spec":{{"allowedNamespaces":{{"matchLabels":{{"tier":"{tier}"}}}}}}}}"#);
    scene.kubectl().ok(&["patch", "rdsclass", "classes-narrow", "--type=merge", "-p", &allowed("platinum")]).await?;
    scene
        .apply(
            "elsewhere",
            "{className: classes-narrow, backup: {retention: 8d}, users: {late: []}, databases: {one: [late]}}",
        )
        .await?;
    eventually("a new user, and the old backups", async || {
        let database = scene.database("elsewhere").await?;
        database.expect("DatabasesReady", "True")?;
        let backups = database.expect("BackupsReady", "False")?;
        ensure!(backups.reason == "ClassNotPermitted" && backups.message.contains("platinum"), "{backups:?}");
        ensure!(database.at("/status/users/late/ready") == true, "{}", database.at("/status/users"));
        Ok(())
    })
    .await?;
    scene.connect("elsewhere", "late").await?.close().await?;
    scene.kubectl().ok(&["patch", "rdsclass", "classes-narrow", "--type=merge", "-p", &allowed("gold")]).await?;
    scene.ready("elsewhere").await?;

    // What is forbidden beyond the namespace, mended in the class and in the object.
    scene.apply("large", "{className: classes-narrow, size: 100GB}").await?;
    scene.apply("careless", "{className: classes-narrow, deletionPolicy: Delete}").await?;
    scene.apply("mighty", "{className: classes-narrow, instanceClass: db.r6g.16xlarge}").await?;
    refused(&scene, "large", "ClassNotPermitted", &["spec.size", "maxSize of 20GB"]).await?;
    let said = ["spec.instanceClass", "db.r6g.16xlarge is not among db.t4g.*"];
    refused(&scene, "mighty", "ClassNotPermitted", &said).await?;
    refused(&scene, "careless", "ClassNotPermitted", &["spec.deletionPolicy", "Delete is not among Snapshot"]).await?;
    let made: Vec<String> = scene.names("secrets").await?.into_iter().collect();
    let forbidden = made.iter().any(|name| ["large.", "careless.", "mighty."].iter().any(|one| name.starts_with(one)));
    ensure!(!forbidden && scene.instances().await?.len() == 3, "made for what is forbidden: {made:?}");
    scene
        .kubectl()
        .ok(&["patch", "rdsclass", "classes-narrow", "--type=merge", "-p", r#"{"spec":{"maxSize":"200GB"}}"#])
        .await?;
    scene.apply("careless", "{className: classes-narrow, deletionPolicy: Snapshot}").await?;
    for name in ["large", "careless"] {
        scene.wait_for(name, "Accepted", "True").await?;
        scene.delete(name).await?;
    }
    Ok(())
}

/// Such an object exists where an older or newer schema let it in: here the schema is away for a moment.
async fn undecodable(world: &World) -> Result<()> {
    let stack = world.own_stack("undecodable").await?;
    let scene = Scene::new(&stack, "odd").await?;
    let kubectl = scene.kubectl();
    scene.apply("settled", "{users: {app: []}, databases: {orders: [app]}}").await?;
    let settled = scene.ready("settled").await?;
    kubectl.ok(&["delete", "mutatingwebhookconfiguration,validatingwebhookconfiguration", "rds-webhook"]).await?;
    let strict: Value = serde_json::from_str(&kubectl.ok(&["get", "crd", CRD, "-o", "json"]).await?)?;
    replace_schema(&stack, without_spec_schema(&strict)?).await?;
    // The API server takes a moment to serve by another schema.
    eventually("a spec that no schema looks at", async || {
        let manifest = scene.manifest("odd", "{users: app, size: [10]}");
        let created = kubectl.run_with_input(&["create", "-f", "-"], &manifest).await?;
        ensure!(created.success, "{}", created.stderr);
        Ok(())
    })
    .await?;
    scene.ok(&["patch", "rds", "settled", "--type=merge", "-p", r#"{"spec": {"users": "app"}}"#]).await?;
    replace_schema(&stack, strict).await?;
    eventually("the schema to be back", async || {
        let args = ["create", "--dry-run=server", "-f", "-"];
        let tried = kubectl.run_with_input(&args, &scene.manifest("probe", "{users: app}")).await?;
        ensure!(tried.stderr.contains("spec.users"), "{tried:?}");
        Ok(())
    })
    .await?;

    scene.apply("neighbour", "{users: {app: []}}").await?;
    scene.ready("neighbour").await?;
    // Where it is wrong is said, not only that it is.
    refused(&scene, "odd", "Undecodable", &["spec.users: must be a map", "spec.size: must be a text", "correct it"])
        .await?;

    refused(&scene, "settled", "Undecodable", &["spec.users: must be a map"]).await?;
    // A database that was there stays as it is.
    scene.connect("settled", "app").await?.close().await?;

    // A reconciler that starts finds all of them in its first list.
    stack.restart(Part::Reconciler).await?;
    scene.apply("later", "{}").await?;
    scene.ready("later").await?;
    refused(&scene, "odd", "Undecodable", &["correct it"]).await?;
    ensure!(scene.instances().await?.len() == 3, "made for what cannot be read: {:?}", scene.instances().await?);

    scene.apply("odd", "{users: {app: []}, size: 10GB}").await?;
    scene.apply("settled", "{users: {app: []}, databases: {orders: [app]}}").await?;
    for name in ["odd", "settled"] {
        let ready = scene.ready(name).await?;
        ready.expect("Stalled", "False")?;
        ready.expect("Accepted", "True")?;
    }
    let same = scene.database("settled").await?.at("/status/instance") == settled.at("/status/instance");
    ensure!(same, "another instance than before: {}", settled.at("/status/instance"));
    Ok(())
}

/// Puts a schema in place of the present one.
async fn replace_schema(stack: &Stack, mut crd: Value) -> Result<()> {
    if let Some(metadata) = crd["metadata"].as_object_mut() {
        metadata.remove("resourceVersion");
    }
    let args = ["replace", "-f", "-"];
    let replaced = stack.controlplane().kubectl().run_with_input(&args, &crd.to_string()).await?;
    ensure!(replaced.success, "{}", replaced.stderr);
    Ok(())
}

fn without_spec_schema(crd: &Value) -> Result<Value> {
    let mut loose = crd.clone();
    let schema = loose.pointer_mut("/spec/versions/0/schema/openAPIV3Schema").context("a CRD without a schema")?;
    schema["properties"]["spec"] =
        json!({"type": "object", "nullable": true, "x-kubernetes-preserve-unknown-fields": true});
    let schema = schema.as_object_mut().context("a schema that is no object")?;
    // They speak of fields that this schema does not know.
    schema.remove("x-kubernetes-validations").context("a CRD without CEL rules")?;
    Ok(loose)
}

/// Waits until the object stands still for this reason; gives the message, which must hold all of these.
async fn refused(scene: &Scene<'_>, name: &str, reason: &str, said: &[&str]) -> Result<String> {
    eventually(&format!("{}/{name} to say {reason}", scene.namespace), async || {
        let database: Database = scene.database(name).await?;
        let stalled = database.expect("Stalled", "True")?;
        for (condition, status) in [("Ready", "False"), ("Reconciling", "False"), ("Accepted", "False")] {
            let found = database.expect(condition, status)?;
            ensure!(found.reason == reason && found.message == stalled.message, "{found:?}");
        }
        for piece in said {
            ensure!(stalled.message.contains(piece), "{piece:?} is not in {}", stalled.message);
        }
        Ok(stalled.message)
    })
    .await
}
