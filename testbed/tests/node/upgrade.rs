//! From v0.1.0 to this version, the webhook alone back, then the reconciler too, and forward again, while the API server asks all the time.

use std::{fs, path::Path, sync::Arc};

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::Value;
use testbed::{
    eventually::eventually,
    load::Load,
    node::{Node, Released, SELF_MANAGED},
    resource::Database,
};

use crate::{
    operator::{self, apply, ask, ask_with, workspace},
    world::{World, trial},
};

/// The name of the trial.
pub(crate) const NAME: &str = "node::upgrade::loses_nothing_on_the_way_from_v0_1_0_and_back";

/// Where in a checkout the kustomization for v0.1.0 is, and what it needs beside it.
const KUSTOMIZATION: &str = "testbed/node/v0.1.0";
const BESIDE: &str = "testbed/node/local-rds";

/// The tags of both versions' images: that of v0.1.0 is in its kustomization.
const BEFORE: &str = "0.1.0-released";
const NOW: &str = env!("CARGO_PKG_VERSION");

/// Whoever owns the databases of this version, and that of the example in v0.1.0.
const KEEPER: &str = "databases-keeper";
const OWNER: &str = "orders-owner";

const WHOSE: &str = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()";
const ROWS: &str = "SELECT string_agg(what, ',' ORDER BY what) FROM kept";

pub(crate) fn released() -> Result<Released> {
    Released::of("0.1.0")
}

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![trial(world, NAME.trim_start_matches("node::"), forth_and_back)]
}

async fn forth_and_back(world: &World) -> Result<()> {
    // Where v0.1.0 cannot be had, the run outside has said why.
    if !released()?.is_there() {
        return Ok(());
    }
    let node = world.without_operator().await?;
    let kubectl = node.kubectl();
    install_released(node).await?;
    operator::an_application_runs(kubectl).await?;
    ask_with(kubectl, "require", "CREATE TABLE kept (what text); INSERT INTO kept VALUES ('before')").await?;
    let whose = ask_with(kubectl, "require", WHOSE).await?;
    ensure!(whose == OWNER, "under v0.1.0 the database belongs to {whose}");
    let before = Kept::read(node).await?;

    let load = load(node);
    upgrade(node).await?;
    world.has(SELF_MANAGED).await;
    eventually("the database inside to be handed over", async || {
        let whose = ask_with(kubectl, "require", WHOSE).await?;
        ensure!(whose == KEEPER, "it belongs to {whose}");
        Database::existing(node.plane().client(), "shop", "orders").await?.expect("Ready", "True")?;
        Ok(())
    })
    .await?;
    load.stop().await?.without_failure("v0.1.0 was replaced by this version")?;
    before.is_still_there(node).await?;
    // kubelet looks at a Pod that is changed at once, and at others about once a minute.
    kubectl.ok(&["annotate", "pods", "-n", "shop", "--all", "testbed/upgraded=true"]).await?;
    eventually("the Secret of this version at the application", async || {
        ask(kubectl, "INSERT INTO kept VALUES ('upgraded')").await
    })
    .await?;

    let under_load = self::load(node);
    run(node, "webhook", BEFORE).await?;
    add_user(node, "audit").await?;
    under_load.stop().await?.without_failure("the webhook went back to v0.1.0")?;
    before.is_still_there(node).await?;

    // What docs/install.md says of the reconciler: it takes nothing back, and takes nothing away.
    run(node, "reconciler", BEFORE).await?;
    eventually("v0.1.0 to say whose the database is", async || {
        let database = Database::existing(node.plane().client(), "shop", "orders").await?;
        let told = database.conditions().into_iter().find(|one| one.message.contains(KEEPER));
        told.map(drop).with_context(|| format!("{:?}", database.conditions()))
    })
    .await?;
    let whose = ask(kubectl, WHOSE).await?;
    ensure!(whose == KEEPER, "v0.1.0 has given the database to {whose}");

    let under_load = self::load(node);
    run(node, "webhook", NOW).await?;
    run(node, "reconciler", NOW).await?;
    under_load.stop().await?.without_failure("both came forward again")?;
    // Nothing of the way back stands against it.
    apply(kubectl, &workspace(SELF_MANAGED)).await?;
    node.works().await?;
    eventually("a database that is Ready again", async || {
        Database::existing(node.plane().client(), "shop", "orders").await?.expect("Ready", "True").map(drop)
    })
    .await?;
    before.is_still_there(node).await?;
    let (rows, whose) = (ask(kubectl, ROWS).await?, ask(kubectl, WHOSE).await?);
    ensure!(rows == "before,upgraded" && whose == KEEPER, "there are {rows}, of {whose}");
    Ok(())
}

/// v0.1.0 as it was shipped: its manifests and its images.
async fn install_released(node: &Node) -> Result<()> {
    let released = released()?;
    node.import(&released, BEFORE).await?;
    for folder in [KUSTOMIZATION, BESIDE] {
        copy(Path::new(&workspace(folder)), &released.source().join(folder))?;
    }
    let folder = released.source().join(KUSTOMIZATION);
    apply(node.kubectl(), folder.to_str().context("the folder's path is not UTF-8")?).await?;
    node.trust_local_rds().await?;
    node.works().await
}

/// As docs/install.md has it: the same way, CRDs first.
async fn upgrade(node: &Node) -> Result<()> {
    let kubectl = node.kubectl();
    apply(kubectl, &workspace("manifests/crd")).await?;
    kubectl.ok(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]).await?;
    apply(kubectl, &workspace(SELF_MANAGED)).await?;
    node.works().await
}

/// Has a service run another version, and waits until no other one is left.
async fn run(node: &Node, service: &str, tag: &str) -> Result<()> {
    let kubectl = node.kubectl();
    let (name, deployment) = (format!("rds-{service}:{tag}"), format!("deployment/rds-{service}"));
    kubectl.ok(&["set", "image", "-n", "rds-system", &deployment, &format!("{service}={name}")]).await?;
    node.works().await?;
    let (label, path) =
        (format!("app.kubernetes.io/name=rds-{service}"), "jsonpath={.items[*].spec.containers[*].image}");
    eventually("the last Pod of the other version to be gone", async || {
        let images = kubectl.ok(&["get", "pods", "-n", "rds-system", "-l", &label, "-o", path]).await?;
        let other = images.split_whitespace().find(|image| !image.ends_with(&name));
        ensure!(other.is_none() && !images.is_empty(), "{images}");
        Ok(())
    })
    .await
}

/// A change that the webhook of v0.1.0 admits, and the reconciler of this version carries out.
async fn add_user(node: &Node, name: &str) -> Result<()> {
    let patch = format!(r#"{{"spec": {{"users": {{"{name}": []}}}}}}"#);
    node.kubectl().ok(&["patch", "rds", "-n", "shop", "orders", "--type=merge", "-p", &patch]).await?;
    eventually("a user that v0.1.0 has admitted", async || {
        let database = Database::existing(node.plane().client(), "shop", "orders").await?;
        database.expect("Ready", "True")?;
        let secret = format!("orders.rds.{name}");
        node.kubectl().ok(&["get", "secret", "-n", "shop", &secret]).await.map(drop)
    })
    .await
}

fn load(node: &Node) -> Load {
    Load::start(&node.plane().client(), "shop")
}

/// What no change of version may change.
struct Kept {
    spec: Value,
    instance: String,
    password: String,
}

impl Kept {
    async fn read(node: &Node) -> Result<Self> {
        let database = Database::existing(node.plane().client(), "shop", "orders").await?;
        let mut spec = database.at("/spec").clone();
        if let Some(users) = spec["users"].as_object_mut() {
            // Who comes on the way is not of before.
            users.retain(|name, _| ["app", "report"].contains(&name.as_str()));
        }
        let instance = database.text("/status/instance/resourceId").to_owned();
        let path = "jsonpath={.data.password}";
        let password = node.kubectl().ok(&["get", "secret", "-n", "shop", "orders.rds.app", "-o", path]).await?;
        ensure!(
            !instance.is_empty() && !password.is_empty(),
            "no instance, or no password: {:?}",
            database.at("/status")
        );
        Ok(Self { spec, instance, password })
    }

    async fn is_still_there(&self, node: &Node) -> Result<()> {
        let now = Self::read(node).await?;
        ensure!(self.spec == now.spec, "the spec was {}, and is {}", self.spec, now.spec);
        ensure!(self.instance == now.instance, "the instance was {}, and is {}", self.instance, now.instance);
        ensure!(self.password == now.password, "the password of app is another one");
        Ok(())
    }
}

/// Copies the files of a folder.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("reading {}", from.display()))? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}
