//! How a database comes into being: from what is left out of a manifest to the names that lead to it.

use std::{collections::BTreeSet, sync::Arc};

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::json;
use testbed::{eventually::eventually, kubectl::Output};

use crate::{
    cloud, columns,
    scene::Scene,
    world::{World, trial},
};

const CLIENT_SIDE: &[&str] = &["apply", "-f", "-"];
const SERVER_SIDE: &[&str] = &["apply", "--server-side", "-f", "-"];

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "birth::no_spec_at_all_is_a_postgresql_12_of_20_gib", no_spec_at_all_is_a_postgresql_12_of_20_gib),
        trial(world, "birth::i4_secrets_come_before_the_instance_and_services_after_it", i4_secrets_come_first),
        trial(world, "birth::i10_an_alias_belongs_to_who_came_first", i10_an_alias_belongs_to_who_came_first),
    ]
}

/// Three ways to say nothing, two ways to apply it.
async fn no_spec_at_all_is_a_postgresql_12_of_20_gib(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "nothing").await?;
    let bare = |name: &str, spec: &str| {
        format!(
            "apiVersion: matrixmind.cloud/v1\nkind: RDSDatabase\nmetadata: {{name: {name}, namespace: nothing}}\n{spec}"
        )
    };
    let specs = [("braces", "spec: {}\n"), ("absent", ""), ("void", "spec: null\n")];
    for (name, spec) in specs {
        for args in [CLIENT_SIDE, SERVER_SIDE] {
            let args = [args, &["--dry-run=server", "-o", "jsonpath={.spec}"]].concat();
            let output = scene.kubectl().run_with_input(&args, &bare(name, spec)).await?;
            one_warning(&output).with_context(|| format!("{name} by {args:?}"))?;
            let stored: serde_json::Value = serde_json::from_str(&output.stdout)?;
            let expected = json!({
                "type": "Postgresql", "version": "12", "size": "10GB", "masteruser": "sysadmin",
                "backup": {"every": "24h", "retention": "7d"},
            });
            ensure!(stored == expected, "{name} by {args:?} is stored as {stored}");
        }
    }
    ensure!(scene.names("rdsdatabases").await?.is_empty(), "a dry run made an object");

    for ((name, spec), args) in specs.into_iter().zip([SERVER_SIDE, CLIENT_SIDE, SERVER_SIDE]) {
        let output = scene.kubectl().run_with_input(args, &bare(name, spec)).await?;
        one_warning(&output).with_context(|| format!("{name} by {args:?}"))?;
    }
    for (name, _) in specs {
        let database = scene.ready(name).await?;
        let instance = cloud::existing(stack.rds(), database.text("/status/instance/identifier")).await?;
        let version = instance.engine_version().unwrap_or_default();
        ensure!(instance.engine() == Some("postgres") && version.starts_with("12."), "{name}: {instance:?}");
        ensure!(instance.allocated_storage() == Some(20), "{name}: {instance:?}");
        ensure!(instance.master_username() == Some("sysadmin"), "{name}: {instance:?}");
        ensure!(instance.storage_encrypted() == Some(true), "{name}: {instance:?}");
        ensure!(instance.publicly_accessible() == Some(false), "{name}: {instance:?}");

        the_table_follows(&scene, name, version, database.text("/status/instance/identifier")).await?;
    }
    Ok(())
}

/// Waits until `kubectl get` shows what the cloud says: after Ready an instance goes through more states by itself.
async fn the_table_follows(scene: &Scene<'_>, name: &str, version: &str, identifier: &str) -> Result<()> {
    eventually(&format!("kubectl get to show {name} as the cloud does"), async || {
        let instance = cloud::existing(scene.stack.rds(), identifier).await?;
        let status = instance.db_instance_status().unwrap_or_default();
        let table = scene.ok(&["get", "rds", name]).await?;
        let row: Vec<_> = table.lines().nth(1).unwrap_or_default().split_whitespace().collect();
        ensure!(columns::words(&table) == columns::COLUMNS, "{table}");
        ensure!(row.starts_with(&[name, "Postgresql", version, "20Gi", status, "True"]), "wanted {status}: {table}");
        Ok(())
    })
    .await
}

/// Of the version, which is paid for; nobody wrote the size.
fn one_warning(output: &Output) -> Result<()> {
    ensure!(output.success, "{}", output.stderr);
    let warnings: Vec<&str> = output.stderr.lines().filter(|line| line.starts_with("Warning: ")).collect();
    let about = |line: &str| line.contains("spec.version") && line.contains("Extended Support");
    ensure!(matches!(warnings[..], [only] if about(only)), "warnings: {warnings:?}");
    Ok(())
}

/// The instance is held in `creating` for as long as the test looks.
async fn i4_secrets_come_first(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "order").await?;
    scene.apply("unhurried", "{users: {app: [], night_shift: []}, databases: {log: [app, night_shift]}}").await?;
    let identifier = eventually("the instance to be asked for", async || {
        let database = scene.database("unhurried").await?;
        let identifier = database.text("/status/instance/identifier").to_owned();
        stack.rds().order(&json!({"instance": identifier, "status": "creating"})).await?;
        Ok(identifier)
    })
    .await?;

    let secrets: BTreeSet<String> =
        ["unhurried.rds.master", "unhurried.rds.app", "unhurried.rds.night-shift"].map(Into::into).into();
    ensure!(scene.names("secrets").await? == secrets, "wanted {secrets:?}, found {:?}", scene.names("secrets").await?);
    for secret in &secrets {
        let keys = "go-template={{range $key, $value := .data}}{{$key}} {{end}}";
        let keys = scene.ok(&["get", "secret", secret, "-o", keys]).await?;
        ensure!(keys == "password provider type username ", "{secret} holds {keys:?} before there is an endpoint");
        let kind = scene.ok(&["get", "secret", secret, "-o", "jsonpath={.type}"]).await?;
        ensure!(kind == "servicebinding.io/postgresql", "{secret} is of type {kind}");
    }
    // Really there by now, but not by what its API says.
    eventually("the status to show the instance in creation", async || {
        let waiting = scene.database("unhurried").await?;
        waiting.expect("InstanceReady", "False")?;
        ensure!(waiting.text("/status/databaseStatus") == "creating", "{:?}", waiting.at("/status"));
        Ok(())
    })
    .await?;
    ensure!(scene.names("services").await?.is_empty(), "a Service leads to an instance that is not available");
    ensure!(alias_target(&scene, "unhurried").await?.is_empty(), "an alias leads to an instance that is not available");

    stack.rds().order(&json!({"instance": identifier, "status": null})).await?;
    let database = scene.ready("unhurried").await?;
    // Ready does not wait for the alias.
    scene.wait_for("unhurried", "AliasReady", "True").await?;
    let host = database.text("/status/endpoint/host");
    ensure!(
        scene.names("services").await? == BTreeSet::from(["unhurried-rds".to_owned()]),
        "wanted the Service unhurried-rds"
    );
    let own =
        scene.ok(&["get", "service", "unhurried-rds", "-o", "jsonpath={.spec.type} {.spec.externalName}"]).await?;
    ensure!(own == format!("ExternalName {host}"), "unhurried-rds is {own}");
    ensure!(alias_target(&scene, "unhurried").await? == host, "unhurried.rds.svc leads elsewhere than {host}");
    ensure!(database.text("/status/binding/name") == "unhurried.rds.app", "{:?}", database.at("/status/binding"));
    Ok(())
}

async fn i10_an_alias_belongs_to_who_came_first(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let first = Scene::new(&stack, "alias-first").await?;
    let second = Scene::new(&stack, "alias-second").await?;
    first.apply("wanted", "{users: {app: []}}").await?;
    first.ready("wanted").await?;
    let leads_to = first.wait_for("wanted", "AliasReady", "True").await?;
    second.apply("wanted", "{users: {app: []}}").await?;
    // Without the alias it is as usable as with it.
    let other = second.ready("wanted").await?;
    let taken = other.expect("AliasReady", "False")?;
    ensure!(taken.reason == "ServiceNotOurs", "{taken:?}");
    ensure!(taken.message.contains("RDSDatabase wanted in namespace alias-first"), "{taken:?}");
    ensure!(second.names("services").await? == BTreeSet::from(["wanted-rds".to_owned()]), "it has no Service");

    // Both live on the same address here: the port tells them apart.
    let alias = || async {
        let port = "jsonpath={.spec.ports[0].port}";
        let port = first.kubectl().ok(&["get", "service", "-n", "rds", "wanted", "-o", port]).await?;
        anyhow::Ok(port.parse::<i64>()?)
    };
    let port = alias().await?;
    ensure!(*leads_to.at("/status/endpoint/port") == port, "wanted.rds.svc leads to the port {port}");

    first.delete("wanted").await?;
    eventually("the alias to go to the second", async || {
        let port = alias().await?;
        ensure!(*other.at("/status/endpoint/port") == port, "it leads to the port {port}");
        Ok(())
    })
    .await?;
    second.wait_for("wanted", "AliasReady", "True").await.map(drop)
}

/// Where `<name>.rds.svc` leads; empty where there is no such Service.
async fn alias_target(scene: &Scene<'_>, name: &str) -> Result<String> {
    let target = "jsonpath={.spec.externalName}";
    scene.kubectl().ok(&["get", "service", "-n", "rds", name, "--ignore-not-found", "-o", target]).await
}
