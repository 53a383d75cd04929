//! What is emptied or removed is so in the end, whichever way it is applied: `[]` and `{}` mean what they say.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use testbed::{eventually::eventually, stack::Stack};

use super::{
    repository::Repository,
    tools::{Argo, Flux, Way},
};
use crate::{scene::Scene, world::World};

/// What a manifest says, step by step, and which users and databases there are then.
fn steps() -> [(&'static str, Value, Value); 6] {
    [
        (
            "users: {app: [createdb, login], report: [], batch: [nologin]}, databases: {orders: [app, report], scratch: [batch]}",
            json!({"app": ["createdb", "login"], "report": [], "batch": ["nologin"]}),
            json!({"orders": ["app", "report"], "scratch": ["batch"]}),
        ),
        // Flags and members that are emptied, a user and a member that go.
        (
            "users: {app: [], report: []}, databases: {orders: [app], scratch: []}",
            json!({"app": [], "report": []}),
            json!({"orders": ["app"], "scratch": []}),
        ),
        ("users: {app: []}, databases: {orders: []}", json!({"app": []}), json!({"orders": []})),
        // What is left out is not emptied.
        ("deletionProtection: false", json!({"app": []}), json!({"orders": []})),
        // Client-side apply removes nothing that its last record does not name.
        ("users: {app: []}, databases: {orders: []}", json!({"app": []}), json!({"orders": []})),
        ("users: {}, databases: {}", json!({}), json!({})),
    ]
}

/// The object, of which each way of applying has one in a namespace of its own.
const NAME: &str = "orders";

pub(super) async fn end_alike(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let mut ways = Vec::new();
    for way in ["client", "server", "argo-client", "argo-server", "flux"] {
        ways.push(Applier::new(&stack, way).await?);
    }
    for (spec, users, databases) in steps() {
        for way in &ways {
            way.declare(spec).await?;
            way.apply(spec).await?;
            let now = way.scene.database(NAME).await?;
            let (now_users, now_databases) = (now.at("/spec/users"), now.at("/spec/databases"));
            ensure!(
                *now_users == users && *now_databases == databases,
                "{}, {spec}: {}",
                way.scene.namespace,
                now.at("/spec")
            );
        }
        // The users are made before some of them go.
        for way in &ways {
            way.scene.ready(NAME).await?;
        }
    }
    let (last, ..) = &steps()[5];
    let master = BTreeSet::from([format!("{NAME}.rds.master")]);
    let mut ends = Vec::new();
    for way in &ways {
        eventually("the Secrets of removed users to go", async || {
            let secrets = way.scene.names("secrets").await?;
            ensure!(secrets == master, "{secrets:?}");
            Ok(())
        })
        .await?;
        // It is at rest: nobody finds anything to change.
        let before = way.scene.database(NAME).await?;
        way.apply(last).await?;
        let after = way.scene.database(NAME).await?;
        let generation = "/metadata/generation";
        ensure!(before.at(generation) == after.at(generation), "{} was changed again", way.scene.namespace);
        ends.push((after.at("/spec").clone(), after.at("/status/users").clone()));
    }
    ensure!(ends.iter().all(|end| *end == ends[0]), "they end as {ends:?}");
    Ok(())
}

/// A way of applying, with what it applies.
struct Applier<'a> {
    scene: Scene<'a>,
    repository: Repository,
    tool: Tool,
}

enum Tool {
    Kubectl(&'static [&'static str]),
    Argo(Argo),
    Flux(Flux),
}

impl<'a> Applier<'a> {
    async fn new(stack: &'a Stack, way: &str) -> Result<Self> {
        let scene = Scene::new(stack, &format!("removals-{way}")).await?;
        let (kubectl, namespace) = (scene.kubectl(), scene.namespace.as_str());
        let tool = match way {
            "client" => Tool::Kubectl(&["apply", "-f", "-"]),
            "server" => Tool::Kubectl(&["apply", "--server-side", "-f", "-"]),
            "argo-client" => Tool::Argo(Argo::find(kubectl, namespace, Way::ClientSide).await?),
            "argo-server" => Tool::Argo(Argo::find(kubectl, namespace, Way::ServerSide).await?),
            _ => Tool::Flux(Flux::find(kubectl, namespace).await?),
        };
        Ok(Self { scene, repository: Repository::empty().await?, tool })
    }

    fn manifest(&self, spec: &str) -> String {
        self.scene.manifest(NAME, &format!("{{size: 20Gi, {spec}}}"))
    }

    async fn declare(&self, spec: &str) -> Result<()> {
        self.repository.write("database.yaml", &self.manifest(spec)).await
    }

    /// Applies what is declared.
    async fn apply(&self, spec: &str) -> Result<()> {
        match &self.tool {
            Tool::Kubectl(args) => {
                let applied = self.scene.kubectl().run_with_input(args, &self.manifest(spec)).await?;
                ensure!(applied.success, "{args:?}, {spec}: {}", applied.stderr);
            }
            Tool::Argo(argo) => argo.sync(&self.repository, &[]).await?.all_applied()?,
            Tool::Flux(flux) => drop(flux.apply(&self.repository, &["--wait=false"]).await?),
        }
        Ok(())
    }
}
