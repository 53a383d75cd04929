//! I4: no password is in any log, Event or status, whatever the log level.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, api::ListParams};
use libtest_mimic::Trial;
use sqlx::{Connection as _, Executor as _};
use testbed::{eventually::eventually, stack::Part};

use crate::{
    replica::Replica,
    scene::Scene,
    world::{World, trial},
};

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![trial(world, "secrecy::i4_no_password_is_logged_or_shown", no_password_is_logged_or_shown)]
}

async fn no_password_is_logged_or_shown(world: &World) -> Result<()> {
    let stack = world.own_stack("secrecy").await?;
    let scene = Scene::new(&stack, "secrecy").await?;
    // Somebody looks for a mistake and has everything logged.
    stack.stop_part(Part::Reconciler).await?;
    let _replica = Replica::start(&stack, "talkative-reconciler", |spec| spec.args(["--log-level=trace"])).await?;
    scene.apply("orders", "{users: {app: [], report: [createdb]}, databases: {orders: [app, report]}}").await?;
    scene.ready("orders").await?;
    let mut passwords = passwords(&scene).await?;
    ensure!(passwords.len() == 3, "wanted the passwords of the master and two users, found {}", passwords.len());

    // New passwords for a user and for the master, an application that works, and one that fails.
    scene.ok(&["delete", "secret", "orders.rds.app", "orders.rds.master"]).await?;
    eventually("new Secrets that work", async || {
        for (user, database) in [("app", "orders"), ("master", "postgres")] {
            let mut connection = scene.connect_to("orders", user, database).await?;
            connection.execute("SELECT 1").await?;
            connection.close().await?;
        }
        Ok(())
    })
    .await?;
    ensure!(scene.connect_to("orders", "app", "nowhere").await.is_err(), "logged in to no database");
    scene.ready("orders").await?;
    passwords.extend(self::passwords(&scene).await?);
    passwords.sort();
    passwords.dedup();
    ensure!(passwords.len() == 5, "wanted two new passwords beside the three, found {} in all", passwords.len());

    let kubectl = stack.controlplane().kubectl();
    let mut places = vec![
        ("the Events".to_owned(), kubectl.ok(&["get", "events", "-A", "-o", "yaml"]).await?),
        ("the objects".to_owned(), kubectl.ok(&["get", "rds", "-A", "-o", "yaml", "--show-managed-fields"]).await?),
        ("the description".to_owned(), scene.ok(&["describe", "rds", "orders"]).await?),
        ("the Services".to_owned(), kubectl.ok(&["get", "services", "-A", "-o", "yaml"]).await?),
    ];
    for log in logs(stack.dir())? {
        let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        places.push((log.display().to_string(), text));
    }
    scene.delete("orders").await?;

    // The search finds what is there: every part has a log, and the servers logged the statements that set the passwords.
    for part in ["talkative-reconciler", "rds-webhook", "local-rds", "kube-apiserver", "audit", "postgresql.log"] {
        let logged = places.iter().any(|(place, text)| place.contains(part) && !text.is_empty());
        ensure!(logged, "no log of {part} among {:?}", places.iter().map(|(place, _)| place).collect::<Vec<_>>());
    }
    let statements =
        places.iter().any(|(place, text)| place.contains("postgresql.log") && text.contains("SCRAM-SHA-256$"));
    ensure!(statements, "no server logged a statement that sets a password");
    let calls = places.iter().any(|(place, text)| place.contains("talkative") && text.contains("\"TRACE\""));
    ensure!(calls, "the reconciler is not talkative");

    for (place, text) in &places {
        for password in &passwords {
            let encoded = BASE64_STANDARD.encode(password);
            let shown = [password.as_str(), encoded.as_str()].iter().any(|form| text.contains(form));
            // The place alone: this message is a log, too.
            ensure!(!shown, "a password is in {place}{}", around(text, password));
        }
    }
    Ok(())
}

/// What surrounds the password where it is shown, without the password.
fn around(text: &str, password: &str) -> String {
    let line = text.lines().find(|line| line.contains(password)).unwrap_or_default();
    let shown: String = line.replace(password, "<the password>").chars().take(600).collect();
    format!(": {shown}")
}

/// The passwords in all Secrets of the namespace.
async fn passwords(scene: &Scene<'_>) -> Result<Vec<String>> {
    let secrets: Api<Secret> = Api::namespaced(scene.stack.controlplane().client(), &scene.namespace);
    let found = secrets.list(&ListParams::default()).await?;
    let password = |secret: Secret| {
        let bytes = secret.data.unwrap_or_default().remove("password").context("a Secret without a password")?;
        Ok(String::from_utf8(bytes.0)?)
    };
    found.items.into_iter().map(password).collect()
}

/// All files below a folder that have "log" in their names.
fn logs(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.extend(logs(&entry.path())?);
        } else if entry.file_name().to_string_lossy().contains("log") {
            found.push(entry.path());
        }
    }
    Ok(found)
}
