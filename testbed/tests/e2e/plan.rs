//! The plan in view: `status.plan` before anything is done, while it waits, and when it is done.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use aws_sdk_rds::types::DbInstance;
use libtest_mimic::Trial;
use serde_json::Value;
use testbed::eventually::eventually;

use crate::{
    cloud,
    scene::Scene,
    windows,
    world::{World, trial},
};

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "plan::a_pause_shows_what_every_change_means_and_sends_nothing", a_pause_shows),
        trial(world, "plan::what_waits_is_listed_with_its_time_until_it_is_done", what_waits_is_listed),
        trial(world, "plan::an_upgrade_is_listed_whole_before_it_begins", an_upgrade_is_listed),
    ]
}

const INSIDE: &str = "users: {app: []}, databases: {one: [app]}";

/// The step that begins so: its impact, and when it is made.
fn step(plan: &Value, beginning: &str) -> Result<(String, String)> {
    let steps = plan.as_array().into_iter().flatten();
    let says = |step: &&Value| step["step"].as_str().is_some_and(|text| text.contains(beginning));
    let found = steps.clone().find(says).with_context(|| format!("{beginning} is not in {plan}"))?;
    let impact: Vec<_> = found["impact"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    Ok((impact.join(", "), found["when"].as_str().unwrap_or_default().to_owned()))
}

async fn a_pause_shows(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "rehearsed").await?;
    scene.apply("stage", &format!("{{size: 20Gi, instanceClass: db.t4g.micro, {INSIDE}}}")).await?;
    let ready = scene.ready("stage").await?;
    let identifier = ready.text("/status/instance/identifier").to_owned();
    eventually("what is as it should be to have no plan", async || {
        let database = scene.database("stage").await?;
        ensure!(database.at("/status/plan").is_null(), "{}", database.at("/status/plan"));
        Ok(())
    })
    .await?;
    let before = cloud::until(stack.rds(), &identifier, "available").await?;

    let window = windows::away();
    let wish = format!(
        "size: 40Gi, instanceClass: db.t4g.small, multiAZ: true, maintenanceWindow: \"{window}\", users: {{app: [], new: []}}, databases: {{one: [app]}}"
    );
    scene.apply("stage", &format!("{{paused: true, {wish}}}")).await?;
    let unpaused = "once spec.paused is false";
    let wanted = [
        ("create Secret stage.rds.new", "none", unpaused.to_owned()),
        ("storage 40 GiB", "irreversible, cost", unpaused.to_owned()),
        ("standby in another zone on", "cost", unpaused.to_owned()),
        (
            "instance class db.t4g.small",
            "outage, cost",
            format!("in the maintenance window {window} UTC, once the step before it is done"),
        ),
    ];
    eventually("the paused object to show its plan", async || {
        let database = scene.database("stage").await?;
        ensure!(database.expect("Accepted", "False")?.reason == "Paused", "it is not paused yet");
        let plan = database.at("/status/plan");
        for (beginning, impact, when) in &wanted {
            let listed = step(plan, beginning)?;
            ensure!(listed == ((*impact).to_owned(), when.clone()), "{beginning}: {plan}");
        }
        Ok(())
    })
    .await?;
    let described = scene.ok(&["describe", "rds", "stage"]).await?;
    ensure!(described.contains("instance class db.t4g.small") && described.contains("irreversible"), "{described}");
    // Nothing of that was sent.
    let after = cloud::existing(stack.rds(), &identifier).await?;
    // Its backups reach further by themselves.
    let still = |mut of: DbInstance| {
        of.latest_restorable_time = None;
        of
    };
    ensure!(still(after.clone()) == still(before), "{after:?}");
    ensure!(!scene.names("secrets").await?.contains("stage.rds.new"), "a Secret was made under a pause");

    scene.apply("stage", &format!("{{paused: false, applyImmediately: true, {wish}}}")).await?;
    eventually("all of it to be made, and nothing to be left", async || {
        let database = scene.database("stage").await?;
        let instance = cloud::existing(stack.rds(), &identifier).await?;
        ensure!(
            instance.db_instance_class() == Some("db.t4g.small") && instance.allocated_storage() == Some(40),
            "{instance:?}"
        );
        database.expect("Ready", "True")?;
        ensure!(database.at("/status/plan").is_null(), "{}", database.at("/status/plan"));
        Ok(())
    })
    .await
}

async fn what_waits_is_listed(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "planned-windows").await?;
    let window = windows::away();
    let spec = |class: &str, besides: &str| {
        format!("{{{besides}instanceClass: {class}, maintenanceWindow: \"{window}\", {INSIDE}}}")
    };
    scene.apply("patient", &spec("db.t4g.micro", "")).await?;
    let identifier = scene.ready("patient").await?.text("/status/instance/identifier").to_owned();
    cloud::until(stack.rds(), &identifier, "available").await?;
    scene.apply("patient", &spec("db.t4g.small", "")).await?;
    eventually("the outage to wait, and to be listed with its time", async || {
        let database = scene.database("patient").await?;
        ensure!(database.expect("SettingsApplied", "False")?.reason == "WaitingForWindow", "it does not wait yet");
        let listed = step(database.at("/status/plan"), "instance class db.t4g.small")?;
        let wanted = ("outage, cost".to_owned(), format!("in the maintenance window {window} UTC"));
        ensure!(listed == wanted, "{listed:?}");
        database.expect("Ready", "True").map(drop)
    })
    .await?;
    scene.apply("patient", &spec("db.t4g.small", "applyImmediately: true, ")).await?;
    eventually("the outage to come, and the plan to be done", async || {
        let database = scene.database("patient").await?;
        database.expect("SettingsApplied", "True")?;
        ensure!(database.at("/status/plan").is_null(), "{}", database.at("/status/plan"));
        Ok(())
    })
    .await
}

async fn an_upgrade_is_listed(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "planned-upgrades").await?;
    let window = windows::away();
    let before = format!("version: \"16\", maintenanceWindow: \"{window}\", {INSIDE}");
    scene.apply("books", &format!("{{{before}}}")).await?;
    let identifier = scene.ready("books").await?.text("/status/instance/identifier").to_owned();
    cloud::until(stack.rds(), &identifier, "available").await?;
    let later = before.replace("\"16\"", "\"17\", paused: true, allowMajorVersionUpgrade: true");
    scene.apply("books", &format!("{{{later}}}")).await?;
    let plan = eventually("the whole way to be listed", async || {
        let database = scene.database("books").await?;
        let plan = database.at("/status/plan").clone();
        step(&plan, "upgrade the instance")?;
        Ok(plan)
    })
    .await?;
    let snapshot = step(&plan, &format!("make the snapshot {identifier}-before-17-1"))?;
    ensure!(snapshot == ("cost".into(), "once spec.paused is false".into()), "{plan}");
    let upgrade = step(&plan, "engine version 17.")?;
    let when = format!("in the maintenance window {window} UTC, once the step before it is done");
    ensure!(upgrade == ("outage, irreversible".into(), when), "{plan}");
    let instance = cloud::existing(stack.rds(), &identifier).await?;
    ensure!(instance.pending_modified_values().is_none_or(|waits| waits.engine_version().is_none()), "{instance:?}");
    ensure!(cloud::snapshots(stack.rds(), &identifier).await?.is_empty(), "a snapshot was made under a pause");
    Ok(())
}
