//! What Secrets say to applications, and that what others do moves none of them.

use std::{collections::BTreeMap, fs, sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, Patch, PatchParams};
use libtest_mimic::Trial;
use serde_json::json;
use sqlx::Connection as _;
use testbed::eventually::eventually;

use crate::{
    scene::Scene,
    world::{World, trial},
};

/// Users whose passwords are changed while databases are added.
const USERS: [&str; 4] = ["app", "audit", "batch", "report"];

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "bindings::what_sorts_first_moves_no_application", what_sorts_first_moves_no_application),
        trial(world, "bindings::i4_a_password_changed_by_hand_is_never_taken_back", i4_a_password_changed_by_hand),
    ]
}

async fn what_sorts_first_moves_no_application(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "bindings").await?;
    scene.apply("shop", "{users: {app: [], chief: [createdb], idle: []}, databases: {orders: [app, chief]}}").await?;
    let database = scene.ready("shop").await?;
    database.expect("SecretsReady", "True")?;
    ensure!(database.text("/status/binding/name") == "shop.rds.app", "{:?}", database.at("/status/binding"));
    let secrets = ["shop.rds.app", "shop.rds.chief", "shop.rds.master"];
    let mut before = BTreeMap::new();
    for secret in secrets {
        before.insert(secret, scene.keys(secret).await?);
    }
    let app = &before["shop.rds.app"];
    ensure!(app["database"] == "orders" && app["uri"] == app["uri-orders"], "{:?}", app.keys());
    ensure!(before["shop.rds.master"]["database"] == "postgres", "the master is led to a database of the users");
    let idle = scene.keys("shop.rds.idle").await?;
    for key in ["database", "uri", "jdbc-url"] {
        ensure!(!idle.contains_key(key), "idle may connect nowhere and has a {key}");
    }

    // What the Secret says is enough to verify the server: whom to trust is the very authority that signed for it.
    let ca = fs::read_to_string(stack.rds().ca())?;
    ensure!(app["root.crt"].trim() == ca.trim(), "root.crt is not the authority of the region");
    ensure!(app["sslmode"] == "verify-full" && app["sslrootcert"] == "root.crt", "{:?}", app.keys());
    ensure!(app["jdbc-url"].contains("&sslfactoryarg=-----BEGIN%20CERTIFICATE-----"), "{}", app["jdbc-url"]);
    ensure!(!app["jdbc-url"].contains(&app["password"]), "the jdbc-url has the password in it");
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("root.crt");
    fs::write(&file, &app["root.crt"])?;
    for user in ["app", "chief", "master"] {
        scene.login("shop", user).await?.connect(&file).await?.close().await?;
    }

    let more = "{users: {aaa: [], app: [], chief: [createdb], idle: []}, \
                databases: {archive: [aaa, app, chief], orders: [app, chief]}}";
    scene.apply("shop", more).await?;
    let database = scene.ready("shop").await?;
    ensure!(database.text("/status/binding/name") == "shop.rds.app", "{:?}", database.at("/status/binding"));
    for secret in secrets {
        let after = scene.keys(secret).await?;
        let moved = before[secret].iter().find(|(key, value)| after.get(*key) != Some(*value));
        ensure!(moved.is_none(), "{secret} changed its {:?}", moved.map(|(key, _)| key));
        ensure!(after.contains_key("uri-archive"), "{secret} has {:?}", after.keys());
    }
    scene.connect_to("shop", "app", "archive").await?.close().await?;

    // What is not the user's any more leads nowhere.
    scene.apply("shop", "{users: {app: [], chief: [createdb], idle: []}, databases: {archive: [app, chief]}}").await?;
    scene.ready("shop").await?;
    let after = scene.keys("shop.rds.app").await?;
    ensure!(after["database"] == "archive" && !after.contains_key("uri-orders"), "{:?}", after.keys());
    scene.connect("shop", "app").await?.close().await?;
    Ok(())
}

/// Each new database is a new key in each Secret, so that the operator writes them while they are changed here.
async fn i4_a_password_changed_by_hand(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "by-hand").await?;
    let spec = |databases: usize| {
        let users: Vec<_> = USERS.map(|user| format!("{user}: []")).into();
        let databases: Vec<_> = (0..databases).map(|number| format!("d{number}: [{}]", USERS.join(", "))).collect();
        format!("{{users: {{{}}}, databases: {{{}}}}}", users.join(", "), databases.join(", "))
    };
    scene.apply("keys", &spec(1)).await?;
    scene.ready("keys").await?;
    let secrets: Api<Secret> = Api::namespaced(stack.controlplane().client(), &scene.namespace);
    let mut given: BTreeMap<&str, String> = BTreeMap::new();
    for databases in 2..=8 {
        scene.apply("keys", &spec(databases)).await?;
        for number in 0..8 {
            for user in USERS {
                let secret = format!("keys.rds.{user}");
                let found = scene.keys(&secret).await?.remove("password");
                let taken_back = given.get(user).is_some_and(|given| found.as_ref() != Some(given));
                ensure!(!taken_back, "the password that {user} was given is not in its Secret any more");
                let password = format!("by-hand-{user}-{databases}-{number}");
                let patch = json!({"stringData": {"password": password}});
                secrets.patch(&secret, &PatchParams::default(), &Patch::Merge(patch)).await?;
                given.insert(user, password);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    eventually("every user to log in with the password that it was given", async || {
        for user in USERS {
            let login = scene.login("keys", user).await?;
            ensure!(Some(login.password()) == given.get(user).map(String::as_str), "the Secret of {user} has another");
            login.connect_to("d7", &stack.rds().ca()).await?.close().await?;
        }
        Ok(())
    })
    .await?;
    scene.ready("keys").await.map(drop)
}
