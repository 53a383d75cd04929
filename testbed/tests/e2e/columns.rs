//! What people look at first: `kubectl get rds` says why a database is not Ready, in a word that docs/reasons.md explains.

use std::{io::Write as _, sync::Arc};

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::json;
use testbed::eventually::eventually;

use crate::{
    scene::Scene,
    webhook_away::unregistered,
    world::{World, trial},
};

/// Ways not to be Ready: the object's name, its spec, and the word in the column. Nobody has judged the specs: the webhook is away.
const WAYS: [(&str, &str, &str); 5] = [
    ("classless", "{className: nowhere}", "ClassNotFound"),
    ("mysql", "{type: MySQL}", "EngineNotSupported"),
    ("paused", "{paused: true}", "Paused"),
    ("refused", "{version: \"17\", instanceClass: db.z9.large}", "RefusedByCloud"),
    ("invalid", "{users: {select: []}}", "InvalidSpec"),
];

pub(crate) const COLUMNS: &str = "NAME ENGINE VERSION VOLUME STATUS READY REASON AGE";
const WIDE: &str =
    "NAME ENGINE VERSION VOLUME STATUS READY REASON MESSAGE ENDPOINT INSTANCE CLASS CLASS DELETION POLICY AGE";

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "columns::i7_each_way_not_to_be_ready_has_a_word", each_way_has_a_word),
        trial(world, "columns::events_come_in_the_order_of_their_names", events_come_in_order),
    ]
}

async fn each_way_has_a_word(world: &World) -> Result<()> {
    let stack = world.unattended().await?;
    let scene = unregistered(stack, "columns").await?;
    for (name, spec, _) in WAYS {
        scene.apply(name, spec).await?;
    }
    scene.apply("waiting", "{type: Postgresql, version: \"17\"}").await?;
    let instance = eventually("the instance to be asked for", async || {
        let instance = scene.database("waiting").await?.text("/status/instance/identifier").to_owned();
        stack.rds().order(&json!({"instance": instance, "status": "creating"})).await?;
        Ok(instance)
    })
    .await?;
    let waits = "waits for the instance: creating";
    eventually("the database to be created", async || {
        let table = scene.ok(&["get", "rds", "-o", "wide"]).await?;
        ensure!(cell(&table, "waiting", "STATUS")? == "creating", "{table}");
        ensure!(cell(&table, "waiting", "REASON")? == "InstanceNotReady" && table.contains(waits), "{table}");
        Ok(())
    })
    .await?;
    eventually("each way to have its word", async || {
        let table = scene.ok(&["get", "rds"]).await?;
        for (name, _, reason) in WAYS {
            ensure!(cell(&table, name, "REASON")? == reason && cell(&table, name, "READY")? == "False", "{table}");
        }
        Ok(())
    })
    .await?;

    stack.rds().order(&json!({"instance": instance, "status": null})).await?;
    scene.ready("waiting").await?;
    let (table, wide) = (scene.ok(&["get", "rds"]).await?, scene.ok(&["get", "rds", "-o", "wide"]).await?);
    ensure!(words(&table) == COLUMNS && words(&wide) == WIDE, "{table}\n{wide}");
    for (column, wanted) in [("ENGINE", "Postgresql"), ("VOLUME", "20Gi"), ("READY", "True"), ("REASON", "Ready")] {
        ensure!(cell(&table, "waiting", column)? == wanted, "{column}: {table}");
    }
    // For whoever runs this to see what people see.
    writeln!(std::io::stderr(), "$ kubectl get rds\n{table}")?;
    for name in WAYS.iter().map(|(name, ..)| *name).chain(["waiting"]) {
        scene.delete(name).await?;
    }
    Ok(())
}

async fn events_come_in_order(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "order-of-events").await?;
    scene.apply("orders", "{users: {app: []}, databases: {orders: [app]}}").await?;
    scene.ready("orders").await?;
    // The API server lists by name.
    let format = "jsonpath={range .items[*]}{.metadata.name} {.eventTime} {.reason} {.note}{\"\\n\"}{end}";
    let listed = scene.ok(&["get", "events.events.k8s.io", "-o", format]).await?;
    let events: Vec<Vec<&str>> = listed.lines().map(|line| line.splitn(4, ' ').collect()).collect();
    let times: Vec<&str> = events.iter().filter_map(|event| event.get(1).copied()).collect();
    ensure!(times.len() > 5 && times.is_sorted(), "{listed}");
    let reasons: Vec<&str> = events.iter().filter_map(|event| event.get(2).copied()).collect();
    let place = |reason: &str| reasons.iter().position(|found| *found == reason).with_context(|| listed.clone());
    ensure!(place("SecretCreated")? < place("CreateInstance")?, "{listed}");
    ensure!(place("CreateInstance")? < place("ServiceCreated")?, "{listed}");
    let mut told: Vec<&[&str]> = events.iter().filter_map(|event| event.get(2..)).collect();
    told.sort_unstable();
    let all = told.len();
    told.dedup();
    ensure!(told.len() == all, "something was told twice: {listed}");
    scene.delete("orders").await
}

/// The names of the columns.
pub(crate) fn words(table: &str) -> String {
    table.lines().next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What stands in a column of an object's line. A column begins where its name does.
fn cell<'a>(table: &'a str, name: &str, column: &str) -> Result<&'a str> {
    let mut lines = table.lines();
    let head = lines.next().unwrap_or_default();
    let begin = head.find(&format!(" {column} ")).with_context(|| format!("no column {column}: {table}"))? + 1;
    let line = lines.find(|line| line.split_whitespace().next() == Some(name));
    let line = line.with_context(|| format!("no object {name}: {table}"))?;
    Ok(line.get(begin..).unwrap_or_default().split("  ").next().unwrap_or_default().trim())
}
