//! What GitOps tools make of the objects, seen with the code that Argo CD and Flux are made of: Synced and Healthy, and it stays so.

mod agent;
mod operator;
mod removals;
mod repository;
mod tools;

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context, Result, bail, ensure};
use libtest_mimic::Trial;
use serde_json::Value;
use testbed::{eventually::eventually, go_programs};

use self::{
    repository::Repository,
    tools::{Argo, Flux, Health, Way},
};
use crate::{
    cloud,
    scene::Scene,
    world::{World, trial},
};

/// The ways in which people leave out, and write, the same things; `nulls` is held to less, because a null means another thing to each way
/// of applying.
const WAYS: &str = "
apiVersion: matrixmind.cloud/v1
kind: RDSDatabase
metadata: {name: absent, namespace: NAMESPACE}
---
apiVersion: matrixmind.cloud/v1
kind: RDSDatabase
metadata: {name: null-spec, namespace: NAMESPACE}
spec:
---
apiVersion: matrixmind.cloud/v1
kind: RDSDatabase
metadata: {name: numbers, namespace: NAMESPACE}
spec: {type: postgresql, version: 12, size: 1e1GB, users: {app: [CREATEDB, nologin]}, databases: {}, backup: {retention: 7d}}
---
apiVersion: matrixmind.cloud/v1
kind: RDSDatabase
metadata: {name: nulls, namespace: NAMESPACE}
spec: {type: null, size: null, users: {report: []}, databases: {orders: [report], scratch: null}, backup: null, paused: null}
";
const NAMES: [&str; 6] = ["absent", "minimal", "null-spec", "nulls", "numbers", "orders"];

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "gitops::every_state_has_the_verdict_it_should", every_state_has_the_verdict_it_should),
        trial(world, "gitops::argo_cd_shows_synced_and_healthy", async |world: &World| {
            argo_cd_is_content(world, "argo-client", Way::ClientSide).await
        }),
        trial(world, "gitops::argo_cd_shows_synced_and_healthy_with_server_side_apply", async |world: &World| {
            argo_cd_is_content(world, "argo-server", Way::ServerSide).await
        }),
        trial(world, "gitops::i3_argo_cd_prunes_what_may_be_pruned", i3_argo_cd_prunes_what_may_be_pruned),
        trial(world, "gitops::flux_finds_nothing_to_change", flux_finds_nothing_to_change),
        trial(world, "gitops::kubectl_finds_no_difference", kubectl_finds_no_difference),
        trial(world, "gitops::a_class_needs_no_health", a_class_needs_no_health),
        trial(world, "gitops::the_agent_synchronizes_and_prunes", agent::synchronizes_and_prunes),
        trial(world, "gitops::what_is_emptied_or_removed_ends_alike_however_it_is_applied", removals::end_alike),
        trial(world, "gitops::the_operator_stays_synced", operator::stays_synced),
        trial(world, "gitops::the_examples_fit_the_tools", the_examples_fit_the_tools),
    ]
}

/// The states are the ones that the reconciler's own tests render.
async fn every_state_has_the_verdict_it_should(_: &World) -> Result<()> {
    Health::find().await?.test("matrixmind.cloud/RDSDatabase").await
}

/// A class has no status: whether an object may use it is said at the object. Nothing may wait for it.
async fn a_class_needs_no_health(_: &World) -> Result<()> {
    let class = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests/examples/class.yaml");
    let seen = Health::find().await?.judge(class).await?;
    let [seen] = seen.as_slice() else { bail!("one object was expected: {seen:?}") };
    ensure!(seen["kind"] == "RDSDatabaseClass" && seen["kstatus"] == "Current", "{seen}");
    ensure!(seen["health"].is_null() && seen["actions"].is_null(), "{seen}");
    Ok(())
}

/// By the CRDs of the tools, as their own releases have them; an unknown field is an error.
async fn the_examples_fit_the_tools(world: &World) -> Result<()> {
    let kubectl = world.controlplane().await?.kubectl();
    let crds = go_programs::build("gitops").await?;
    for folder in ["argo-cd-crds/application-crd.yaml", "kustomize-controller-crds", "source-controller-crds"] {
        let path = crds.join(folder).display().to_string();
        kubectl.ok(&["apply", "--server-side", "-f", &path]).await?;
    }
    for namespace in ["argocd", "flux-system"] {
        kubectl.ok(&["create", "namespace", namespace]).await?;
    }
    for (example, objects) in [("argocd-application.yaml", 3), ("flux-kustomization.yaml", 4)] {
        let path = format!("{}/../manifests/examples/gitops/{example}", env!("CARGO_MANIFEST_DIR"));
        let args = ["create", "--dry-run=server", "--validate=strict", "-o", "name", "-f", &path];
        eventually(&format!("{example} to be valid"), async || {
            let created = kubectl.ok(&args).await?;
            ensure!(created.lines().count() == objects, "{created}");
            Ok(())
        })
        .await?;
    }
    let patch = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests/argocd/argocd-cm.yaml");
    kubectl
        .ok(&["create", "configmap", "argocd-cm", "-n", "argocd", "--from-literal=url=https://argocd.example.com"])
        .await?;
    kubectl.ok(&["patch", "configmap", "argocd-cm", "-n", "argocd", "--patch-file", patch]).await?;
    let keys = kubectl.ok(&["get", "configmap", "argocd-cm", "-n", "argocd", "-o", "jsonpath={.data}"]).await?;
    let keys: Value = serde_json::from_str(&keys)?;
    ensure!(keys.as_object().is_some_and(|keys| keys.len() == 3), "the patch left {keys}");
    Ok(())
}

async fn argo_cd_is_content(world: &World, namespace: &str, way: Way) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, namespace).await?;
    let repository = Repository::with_examples(namespace).await?;
    repository.write("ways.yaml", &WAYS.replace("NAMESPACE", namespace)).await?;
    let argo = Argo::find(scene.kubectl(), namespace, way).await?;

    let first = argo.sync(&repository, &[]).await?;
    first.all_applied()?;
    let mut before = BTreeMap::new();
    for name in NAMES {
        let database = scene.ready(name).await?;
        before.insert(name, (database.at("/metadata/generation").clone(), database.at("/spec").clone()));
    }

    // What an action writes is not in git, and stays.
    let annotation = "matrixmind.cloud/accept-instance";
    scene.ok(&["annotate", "rds", "orders", &format!("{annotation}=db-OF-AN-ACTION")]).await?;

    // The instances' own words for their state may change for some seconds more.
    eventually("all to be Synced and Healthy", async || {
        let second = argo.sync(&repository, &[]).await?;
        second.all_applied()?;
        ensure!(second.strays.is_empty(), "Argo CD would prune {:?}", second.strays);
        for name in NAMES {
            let seen = second.database(name)?;
            seen.healthy()?;
            let differs = seen.differences.iter().filter(|(means, _)| name != "nulls" || way.is_compared_by(means));
            let differs: Vec<_> = differs.collect();
            ensure!(differs.is_empty(), "{name} is OutOfSync: {differs:?}");
        }
        Ok(())
    })
    .await?;
    let annotated = scene.database("orders").await?;
    ensure!(annotated.at("/metadata/annotations")[annotation] == "db-OF-AN-ACTION", "the action was undone");
    for (name, (generation, spec)) in before {
        let now = scene.database(name).await?;
        ensure!(*now.at("/metadata/generation") == generation, "{name} was changed: {spec} is {}", now.at("/spec"));
    }
    i10_children_are_nobody_elses(&scene, &["argocd.argoproj.io", "app.kubernetes.io/instance"]).await
}

/// An application's marks stay on what it declared: a child that carried one would be pruned as a stray.
async fn i10_children_are_nobody_elses(scene: &Scene<'_>, marks: &[&str]) -> Result<()> {
    let marked = |object: &Value| -> Vec<String> {
        let metadata = ["labels", "annotations"].iter().filter_map(|part| object["metadata"][*part].as_object());
        metadata
            .flat_map(|map| map.keys())
            .filter(|key| marks.iter().any(|mark| key.starts_with(mark)))
            .cloned()
            .collect()
    };
    for parent in scene.objects("rdsdatabases").await? {
        ensure!(!marked(&parent).is_empty(), "the tool has not marked {}", parent["metadata"]);
    }
    let mut children = scene.objects("secrets,services").await?;
    ensure!(children.len() >= 2 * NAMES.len(), "{} children", children.len());
    let aliases = scene.kubectl().ok(&["get", "services", "-n", "rds", "-o", "json"]).await?;
    children.extend(items(&aliases)?);
    for child in children {
        ensure!(marked(&child).is_empty(), "{} carries {:?}", child["metadata"]["name"], marked(&child));
    }
    Ok(())
}

async fn i3_argo_cd_prunes_what_may_be_pruned(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "argo-prune").await?;
    let argo = Argo::find(scene.kubectl(), &scene.namespace, Way::ClientSide).await?;
    let repository = Repository::empty().await?;
    // What becomes of the parent namespace is not the matter here.
    repository.write("plain.yaml", &scene.manifest("plain", "{}")).await?;
    let vault = scene.manifest("vault", "{deletionProtection: true}");
    repository.write("vault.yaml", &vault).await?;
    let annotations = "annotations: {argocd.argoproj.io/sync-options: 'Prune=confirm,Delete=confirm'}";
    let asked = scene.manifest("asked", "{}").replace("metadata: {", &format!("metadata: {{{annotations}, "));
    repository.write("asked.yaml", &asked).await?;
    argo.sync(&repository, &[]).await?.all_applied()?;
    let mut identifiers = BTreeMap::new();
    for name in ["plain", "vault", "asked"] {
        let database = scene.ready(name).await?;
        identifiers.insert(name, database.text("/status/instance/identifier").to_owned());
    }
    for name in ["plain", "vault", "asked"] {
        repository.remove(&format!("{name}.yaml")).await?;
    }

    // One that asks for a confirmation holds up all of them.
    let unconfirmed = argo.sync(&repository, &["--prune", "--patience=5s"]).await?;
    ensure!(unconfirmed.strays.len() == 3, "{:?}", unconfirmed.strays);
    for name in identifiers.keys() {
        ensure!(
            scene.database(name).await?.at("/metadata/deletionTimestamp").is_null(),
            "{name} was pruned without a confirmation"
        );
    }

    let confirmed = argo.sync(&repository, &["--prune", "--confirmed"]).await?;
    let refused = confirmed.result("vault").context("nothing was said of the vault")?;
    ensure!(refused.status == "SyncFailed", "{refused:?}");
    ensure!(refused.message.contains("spec.deletionProtection is true"), "{refused:?}");
    for name in ["plain", "asked"] {
        // The finalizer lets the object go when the snapshot is there, and not before.
        scene.gone(name).await?;
        cloud::final_snapshot(stack.rds(), &identifiers[name]).await?;
    }
    ensure!(
        scene.database("vault").await?.at("/metadata/deletionTimestamp").is_null(),
        "a protected object is being deleted"
    );
    scene.ready("vault").await?;

    // The way out leads through git.
    repository.write("vault.yaml", &vault.replace("true", "false")).await?;
    argo.sync(&repository, &["--prune"]).await?.all_applied()?;
    repository.remove("vault.yaml").await?;
    argo.sync(&repository, &["--prune", "--patience=5s"]).await?;
    scene.gone("vault").await?;
    cloud::final_snapshot(stack.rds(), &identifiers["vault"]).await.map(drop)
}

async fn flux_finds_nothing_to_change(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "flux").await?;
    let repository = Repository::with_examples(&scene.namespace).await?;
    repository.write("ways.yaml", &WAYS.replace("NAMESPACE", &scene.namespace)).await?;
    let kept = scene
        .manifest("kept", "{}")
        .replace("metadata: {", "metadata: {annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}, ");
    repository.write("kept.yaml", &kept).await?;
    let flux = Flux::find(scene.kubectl(), &scene.namespace).await?;

    // It waits until kstatus calls every object current.
    let first = flux.apply(&repository, &[]).await?;
    for name in NAMES.iter().chain(&["kept"]) {
        ensure!(first.action(name) == Some("created"), "{name}: {first:?}");
        scene.database(name).await?.expect("Ready", "True")?;
    }
    let second = flux.apply(&repository, &[]).await?;
    ensure!(second.all_unchanged(), "{second:?}");
    i10_children_are_nobody_elses(&scene, &["kustomize.toolkit.fluxcd.io"]).await?;

    repository.remove("kept.yaml").await?;
    repository.remove("orders.yaml").await?;
    let third = flux.apply(&repository, &["--prune"]).await?;
    ensure!(third.action("orders") == Some("deleted") && third.action("kept") == Some("skipped"), "{third:?}");
    scene.gone("orders").await?;
    ensure!(
        scene.database("kept").await?.at("/metadata/deletionTimestamp").is_null(),
        "pruned although that was disabled"
    );
    Ok(())
}

async fn kubectl_finds_no_difference(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "kubectl-diff").await?;
    for (name, apply, diff) in [
        ("client", &["apply", "-f", "-"][..], &["diff", "-f", "-"][..]),
        ("server", &["apply", "--server-side", "-f", "-"][..], &["diff", "--server-side", "-f", "-"][..]),
    ] {
        let spec = "{version: 12, users: {app: []}, databases: {orders: [app]}, backup: null, masteruser: null}";
        let manifest = scene.manifest(name, spec);
        let applied = scene.kubectl().run_with_input(apply, &manifest).await?;
        ensure!(applied.success, "{applied:?}");
        let generation = scene.ready(name).await?.at("/metadata/generation").clone();
        eventually(&format!("no difference for {name}"), async || {
            let compared = scene.kubectl().run_with_input(diff, &manifest).await?;
            ensure!(compared.success && compared.stdout.is_empty(), "{compared:?}");
            Ok(())
        })
        .await?;
        let again = scene.kubectl().run_with_input(apply, &manifest).await?;
        ensure!(again.success, "{again:?}");
        ensure!(*scene.database(name).await?.at("/metadata/generation") == generation, "{name} was changed");
    }
    Ok(())
}

/// The items of a list that kubectl printed as JSON.
fn items(list: &str) -> Result<Vec<Value>> {
    let list: Value = serde_json::from_str(list)?;
    Ok(list["items"].as_array().context("not a list")?.clone())
}

impl Scene<'_> {
    /// The objects of some kinds in the namespace.
    async fn objects(&self, kinds: &str) -> Result<Vec<Value>> {
        items(&self.ok(&["get", kinds, "-o", "json"]).await?)
    }
}
