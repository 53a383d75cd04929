//! Several managers of one object under server-side apply: users and databases are written whole.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::{Value, json};
use testbed::{eventually::eventually, kubectl::Output};

use crate::{
    scene::Scene,
    world::{World, trial},
};

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "managers::who_forces_users_removes_those_of_others_and_is_told", users_are_written_whole),
        trial(world, "managers::who_owned_a_user_of_v0_1_0_owns_all_of_them", what_becomes_of_managed_fields),
    ]
}

async fn users_are_written_whole(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "managers").await?;
    let applied =
        apply(&scene, "team", "{users: {app: [createdb], report: []}, databases: {orders: [app]}}", false).await?;
    ensure!(applied.success, "{}", applied.stderr);
    scene.ready("orders").await?;

    let others = "{users: {batch: []}, databases: {orders: [batch]}}";
    let conflict = apply(&scene, "other", others, false).await?;
    ensure!(!conflict.success && conflict.stderr.contains(".spec.users"), "{conflict:?}");
    let forced = apply(&scene, "other", others, true).await?;
    ensure!(forced.success, "{}", forced.stderr);
    for user in ["app", "report"] {
        let said = format!("spec.users[{user}]: is removed, with its login and its Secret");
        ensure!(forced.stderr.contains(&said), "{said}: {}", forced.stderr);
    }
    let ready = scene.ready("orders").await?;
    ensure!(*ready.at("/spec/users") == json!({"batch": []}), "{}", ready.at("/spec"));

    // What becomes empty stays, and is not absent.
    apply(&scene, "other", "{users: {batch: [createdb]}, databases: {orders: [batch]}}", true).await?;
    for (spec, users, databases) in [
        (others, json!({"batch": []}), json!({"orders": ["batch"]})),
        ("{users: {batch: []}, databases: {orders: []}}", json!({"batch": []}), json!({"orders": []})),
        ("{users: {}, databases: {orders: []}}", json!({}), json!({"orders": []})),
    ] {
        let applied = apply(&scene, "other", spec, false).await?;
        ensure!(applied.success, "{spec}: {}", applied.stderr);
        let now = scene.database("orders").await?;
        ensure!(*now.at("/spec/users") == users && *now.at("/spec/databases") == databases, "{}", now.at("/spec"));
    }
    scene.ready("orders").await?;
    scene.delete("orders").await
}

/// Under v0.1.0 each user had an owner of its own. On a definition that no webhook is registered for, so that what is seen is the API server's.
async fn what_becomes_of_managed_fields(world: &World) -> Result<()> {
    let controlplane = world.controlplane().await?;
    let kubectl = controlplane.kubectl();
    let define = async |users: Users| {
        kubectl.run_with_input(&["apply", "--server-side", "-f", "-"], &definition(users)?.to_string()).await
    };
    let applied = define(Users::OfEach).await?;
    ensure!(applied.success, "{}", applied.stderr);
    kubectl.ok(&["wait", "--for=condition=Established", "--timeout=30s", "crd/rdsdatabases.upgrade.test"]).await?;
    let apply = async |name: &str, manager: &str, users: &str, flags: &[&str]| {
        let manifest = format!(
            "{{apiVersion: upgrade.test/v1, kind: RDSDatabase, metadata: {{name: {name}, namespace: default}}, spec: {{users: {users}}}}}"
        );
        let manager = format!("--field-manager={manager}");
        let args = [&["apply", "--server-side", &manager, "-f", "-"][..], flags].concat();
        kubectl.run_with_input(&args, &manifest).await
    };
    let users = async |name: &str| {
        let args = ["get", "rdsdatabases.upgrade.test", name, "-n", "default", "-o", "json", "--show-managed-fields"];
        let object: Value = serde_json::from_str(&kubectl.ok(&args).await?)?;
        let managers = object["metadata"]["managedFields"].as_array().context("no managed fields")?.iter();
        let of_users = managers.filter_map(|one| {
            Some((one["manager"].as_str()?.to_owned(), one["fieldsV1"].pointer("/f:spec/f:users")?.clone()))
        });
        anyhow::Ok((object["spec"]["users"].clone(), of_users.collect::<BTreeMap<_, _>>()))
    };
    eventually("the definition to be served", async || {
        let applied = apply("shared", "team", "{app: [createdb], report: []}", &[]).await?;
        ensure!(applied.success, "{}", applied.stderr);
        Ok(())
    })
    .await?;
    for (name, manager, users) in [("shared", "other", "{batch: []}"), ("alone", "team", "{app: [createdb]}")] {
        let applied = apply(name, manager, users, &[]).await?;
        ensure!(applied.success, "{}", applied.stderr);
    }
    let (_, before) = users("shared").await?;
    ensure!(before["other"] == json!({"f:batch": {}}), "{before:?}");

    let upgraded = define(Users::Whole).await?;
    ensure!(upgraded.success, "{}", upgraded.stderr);
    eventually("the next apply to conflict", async || {
        let next = apply("shared", "team", "{app: [createdb], report: []}", &[]).await?;
        ensure!(!next.success && next.stderr.contains("conflict with \"other\""), "{next:?}");
        Ok(())
    })
    .await?;
    let (kept, _) = users("shared").await?;
    ensure!(kept == json!({"app": ["createdb"], "report": [], "batch": []}), "a refused apply changed {kept}");
    let forced = apply("shared", "team", "{app: [createdb], report: []}", &["--force-conflicts"]).await?;
    ensure!(forced.success, "{}", forced.stderr);
    let (forced, owners) = users("shared").await?;
    ensure!(forced == json!({"app": ["createdb"], "report": []}), "{forced}");
    ensure!(owners == BTreeMap::from([("team".to_owned(), json!({}))]), "{owners:?}");
    // Who has always been alone notices nothing.
    let alone = apply("alone", "team", "{app: []}", &[]).await?;
    ensure!(alone.success, "{}", alone.stderr);
    let (alone, owners) = users("alone").await?;
    ensure!(
        alone == json!({"app": []}) && owners == BTreeMap::from([("team".to_owned(), json!({}))]),
        "{alone}: {owners:?}"
    );
    kubectl.ok(&["delete", "crd", "rdsdatabases.upgrade.test"]).await.map(drop)
}

/// How users and databases are owned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Users {
    /// As v0.1.0 had them: sets in a map of which each key is owned by itself.
    OfEach,
    /// As they are.
    Whole,
}

/// The definition of the resource in a group of this test's own.
fn definition(users: Users) -> Result<Value> {
    let crd =
        shared::api::crds().into_iter().find(|crd| crd.spec.names.kind == "RDSDatabase").context("no definition")?;
    let mut crd = serde_json::to_value(crd)?;
    crd["metadata"] = json!({"name": "rdsdatabases.upgrade.test"});
    crd["spec"]["group"] = json!("upgrade.test");
    for names in ["shortNames", "categories"] {
        crd["spec"]["names"].as_object_mut().context("no names")?.remove(names);
    }
    if users == Users::OfEach {
        for field in ["users", "databases"] {
            let path = format!("/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/{field}");
            let map = crd.pointer_mut(&path).and_then(Value::as_object_mut).context("no such field")?;
            ensure!(map.remove("x-kubernetes-map-type") == Some(json!("atomic")), "{field} is not atomic");
            map["additionalProperties"]["x-kubernetes-list-type"] = json!("set");
        }
    }
    Ok(crd)
}

async fn apply(scene: &Scene<'_>, manager: &str, spec: &str, force: bool) -> Result<Output> {
    let manager = format!("--field-manager={manager}");
    let mut args = vec!["apply", "--server-side", &manager, "-f", "-"];
    if force {
        args.push("--force-conflicts");
    }
    scene.kubectl().run_with_input(&args, &scene.manifest("orders", spec)).await
}
