//! Parameters reach the real servers, by groups that equal wishes share and that go when nobody uses them.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use sqlx::{Connection as _, PgConnection};
use testbed::{eventually::eventually, stack::LocalRds};

use crate::{
    cloud,
    scene::Scene,
    world::{World, trial},
};

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "parameters::a_new_server_lets_nobody_in_without_tls", a_new_server),
        trial(world, "parameters::what_is_asked_for_reaches_the_server_with_a_restart", what_is_asked_for),
        trial(world, "parameters::equal_wishes_share_a_group_that_goes_with_the_last", equal_wishes),
        trial(world, "parameters::what_is_not_offered_is_told_and_mended", what_is_not_offered),
    ]
}

/// The group of an instance, by its name.
async fn group_of(rds: &LocalRds, identifier: &str) -> Result<String> {
    let instance = cloud::existing(rds, identifier).await?;
    let group = instance.db_parameter_groups().first().and_then(|group| group.db_parameter_group_name());
    Ok(group.context("an instance without a group")?.to_owned())
}

async fn shown(session: &mut PgConnection, parameter: &str) -> Result<String> {
    let (value,): (String,) = sqlx::query_as("SELECT current_setting($1)").bind(parameter).fetch_one(session).await?;
    Ok(value)
}

async fn a_new_server(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "forced").await?;
    scene.apply("vault", "{users: {app: []}, databases: {gold: [app]}}").await?;
    let vault = scene.ready("vault").await?;
    let told = vault.expect("ParametersApplied", "True")?;
    let group = group_of(stack.rds(), vault.text("/status/instance/identifier")).await?;
    ensure!(group.starts_with("matrixmind-postgres12-tls-") && told.message.contains(&group), "{group}: {told:?}");
    let app = scene.login("vault", "app").await?;
    app.connect(&stack.rds().ca()).await?.close().await?;
    let refused = app.connect_without_tls().await.err().context("it was let in without TLS")?;
    ensure!(format!("{refused:#}").contains("no pg_hba.conf entry"), "{refused:#}");

    // Whoever wants it otherwise says so.
    scene.apply("market", "{parameters: {rds.force_ssl: 0}, users: {app: []}, databases: {stalls: [app]}}").await?;
    scene.ready("market").await?;
    scene.login("market", "app").await?.connect_without_tls().await?.close().await?;
    Ok(())
}

async fn what_is_asked_for(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "tuned").await?;
    let people = "users: {app: []}, databases: {one: [app]}";
    // A window that does not open while this runs.
    let far = k8s_openapi::jiff::Timestamp::now() + k8s_openapi::jiff::SignedDuration::from_hours(72);
    let day = far.strftime("%a").to_string().to_lowercase();
    let window = format!("maintenanceWindow: \"{day}:04:00-{day}:05:00\"");
    scene.apply("engine", &format!("{{{window}, {people}}}")).await?;
    let identifier = scene.ready("engine").await?.text("/status/instance/identifier").to_owned();
    let before = group_of(stack.rds(), &identifier).await?;

    let wish = format!("parameters: {{work_mem: 65536, log_statement: ddl}}, {window}, {people}");
    let applied = scene.apply("engine", &format!("{{{wish}}}")).await?;
    let said = format!("spec.parameters: brief outage, in the maintenance window {day}:04:00");
    ensure!(applied.stderr.contains(&said), "{}", applied.stderr);
    eventually("the restart to wait", async || {
        let waiting = scene.database("engine").await?;
        waiting.expect("Ready", "True")?;
        let told = waiting.expect("ParametersApplied", "False")?;
        ensure!(told.reason == "WaitingForWindow" && told.message.contains("an outage"), "{told:?}");
        ensure!(group_of(stack.rds(), &identifier).await? != before, "it has the group of before");
        Ok(())
    })
    .await?;
    let mut session = scene.connect("engine", "app").await?;
    ensure!(shown(&mut session, "work_mem").await? == "4MB", "it took it up without a restart");
    session.close().await?;

    scene.apply("engine", &format!("{{applyImmediately: true, {wish}}}")).await?;
    scene.wait_for("engine", "ParametersApplied", "True").await?;
    scene.ready("engine").await?;
    let mut session = scene.connect("engine", "app").await?;
    for (parameter, value) in [("work_mem", "64MB"), ("log_statement", "ddl")] {
        let found = shown(&mut session, parameter).await?;
        ensure!(found == value, "{parameter} is {found}");
    }
    session.close().await?;
    let refused = scene.login("engine", "app").await?.connect_without_tls().await.err();
    ensure!(refused.is_some(), "what was forced at its birth is so no more");
    scene.event("RebootInstance").await
}

async fn equal_wishes(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let rds = stack.rds();
    let scene = Scene::new(&stack, "sharing").await?;
    let wish = "{parameters: {work_mem: 12345}, deletionPolicy: Delete}";
    for name in ["left", "right"] {
        scene.apply(name, wish).await?;
    }
    let mut groups = Vec::new();
    for name in ["left", "right"] {
        let identifier = scene.ready(name).await?.text("/status/instance/identifier").to_owned();
        groups.push(group_of(rds, &identifier).await?);
    }
    let [group, other] = &groups[..] else { unreachable!("there are two") };
    ensure!(group == other, "{group} and {other}");
    scene.delete("left").await?;
    scene.delete("right").await?;
    eventually("the group to go", async || {
        let named = rds.client().describe_db_parameter_groups().db_parameter_group_name(group);
        match named.send().await {
            Err(error) if format!("{error:?}").contains("DBParameterGroupNotFound") => Ok(()),
            Err(error) => Err(error).context("asking for the group"),
            Ok(_) => anyhow::bail!("{group} is there"),
        }
    })
    .await
}

async fn what_is_not_offered(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "misled").await?;
    let malformed = scene.refused("typo", "{parameters: {work mem: 65536}}").await?;
    ensure!(malformed.contains("cannot be the name of a parameter"), "{malformed}");
    for (parameters, said) in [
        ("{work_memory: 65536}", "spec.parameters[work_memory]: postgres12 has no parameter of this name"),
        ("{work_mem: 64MB}", "spec.parameters[work_mem]: 64MB is not offered: write 64 to 2147483647"),
        ("{fsync: false}", "spec.parameters[fsync]: RDS lets nobody set it"),
    ] {
        scene.apply("typo", &format!("{{parameters: {parameters}}}")).await?;
        eventually(said, async || {
            let blocked = scene.database("typo").await?.expect("Stalled", "True")?;
            ensure!(blocked.reason == "NotOffered" && blocked.message.contains(said), "{blocked:?}");
            Ok(())
        })
        .await?;
    }
    ensure!(scene.instances().await?.is_empty(), "it was made all the same");
    scene.apply("typo", "{parameters: {work_mem: 65536}}").await?;
    scene.ready("typo").await.map(drop)
}
