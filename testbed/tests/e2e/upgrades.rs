//! Upgrades to another major version, on real servers.

use std::sync::Arc;

use anyhow::{Result, ensure};
use aws_sdk_rds::types::DbInstance;
use libtest_mimic::Trial;
use sqlx::{Connection as _, Executor as _};
use testbed::eventually::eventually;

use crate::{
    cloud,
    scene::Scene,
    windows,
    world::{World, trial},
};

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "upgrades::i3_twelve_becomes_seventeen_with_all_that_is_inside", twelve_becomes_seventeen),
        trial(world, "upgrades::what_is_in_the_way_is_told_and_the_old_version_serves", what_is_in_the_way),
        trial(world, "upgrades::what_waits_for_its_window_can_be_taken_back", what_waits_for_its_window),
    ]
}

const INSIDE: &str = "users: {app: [], report: []}, databases: {orders: [app, report]}";
const WORDS: &str = "allowMajorVersionUpgrade: true, applyImmediately: true";

async fn twelve_becomes_seventeen(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "upgrades").await?;
    scene.apply("books", &format!("{{version: \"12\", {INSIDE}}}")).await?;
    let identifier = scene.ready("books").await?.text("/status/instance/identifier").to_owned();
    cloud::until(stack.rds(), &identifier, "available").await?;
    let mut session = scene.connect("books", "app").await?;
    for statement in [
        // Nobody gathers its statistics but who is asked to.
        "CREATE TABLE entry (id serial PRIMARY KEY, words text NOT NULL) WITH (autovacuum_enabled = false)",
        "INSERT INTO entry (words) SELECT 'number ' || n FROM generate_series(1, 500) n",
    ] {
        session.execute(statement).await?;
    }
    session.close().await?;
    let refused = scene.refused("books", &format!("{{version: \"17\", {INSIDE}}}")).await?;
    ensure!(refused.contains("spec.allowMajorVersionUpgrade: true"), "{refused}");

    let applied = scene.apply("books", &format!("{{version: \"17\", {WORDS}, {INSIDE}}}")).await?;
    ensure!(applied.stderr.contains("cannot take back the upgrade"), "{}", applied.stderr);
    let upgraded = eventually("17 to run and all to be Ready", async || {
        let database = scene.database("books").await?;
        database.expect("Ready", "True")?;
        let runs = database.text("/status/engineVersion").to_owned();
        ensure!(runs.starts_with("17."), "{runs} runs: {}", database.at("/status/conditions"));
        Ok(database)
    })
    .await?;
    // The same login, the same rows, the same rights, and what is new is shared as before.
    let mut session = scene.connect("books", "app").await?;
    let (version, rows): (String, i64) =
        sqlx::query_as("SELECT current_setting('server_version'), count(*) FROM entry").fetch_one(&mut session).await?;
    ensure!(version.starts_with("17") && rows == 500, "{version} has {rows} rows");
    let (known,): (i64,) =
        sqlx::query_as("SELECT count(*) FROM pg_stats WHERE tablename = 'entry'").fetch_one(&mut session).await?;
    ensure!(known == 2, "the planner knows {known} of 2 columns");
    session.execute("INSERT INTO entry (words) VALUES ('after')").await?;
    session.execute("CREATE TABLE later (words text)").await?;
    session.close().await?;
    let mut session = scene.connect("books", "report").await?;
    session.execute("INSERT INTO later SELECT words FROM entry").await?;
    session.close().await?;

    // What was before is there to come back to.
    let (snapshot, from) = (upgraded.text("/status/upgrade/snapshot"), upgraded.text("/status/upgrade/from"));
    ensure!(from.starts_with("12.") && snapshot.starts_with(&identifier), "{}", upgraded.at("/status/upgrade"));
    let back = format!("{{version: \"12\", {INSIDE}, restoreFrom: {{snapshot: {snapshot}}}}}");
    scene.apply("books-before", &back).await?;
    let restored = scene.wait_for("books-before", "InstanceReady", "True").await?;
    ensure!(restored.text("/status/engineVersion").starts_with("12."), "{}", restored.at("/status"));
    let first = scene.login("books", "app").await?;
    let endpoint = cloud::existing(stack.rds(), restored.text("/status/instance/identifier")).await?;
    let endpoint = endpoint.endpoint().cloned().unwrap_or_else(|| unreachable!("it serves"));
    let port = u16::try_from(endpoint.port().unwrap_or_default())?;
    // The upgrade has left that Secret's password as it was.
    let mut session = first.at(endpoint.address().unwrap_or_default(), port).connect(&stack.rds().ca()).await?;
    let (rows,): (i64,) = sqlx::query_as("SELECT count(*) FROM entry").fetch_one(&mut session).await?;
    ensure!(rows == 500, "the snapshot before holds {rows} rows");
    session.close().await?;
    Ok(())
}

async fn what_is_in_the_way(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "blocked-upgrades").await?;
    // Without the parameter nobody prepares a transaction.
    let besides = format!("parameters: {{max_prepared_transactions: 10}}, {INSIDE}");
    scene.apply("books", &format!("{{version: \"15\", {besides}}}")).await?;
    let identifier = scene.ready("books").await?.text("/status/instance/identifier").to_owned();
    cloud::until(stack.rds(), &identifier, "available").await?;
    let mut session = scene.connect("books", "app").await?;
    session.execute("CREATE TABLE routine (which regproc)").await?;
    for statement in ["BEGIN", "INSERT INTO routine VALUES ('version')", "PREPARE TRANSACTION 'half'"] {
        session.execute(statement).await?;
    }
    scene.apply("books", &format!("{{version: \"16\", {WORDS}, {besides}}}")).await?;
    let blocked = eventually("what is in the way to be told", async || {
        let database = scene.database("books").await?;
        let settings = database.expect("SettingsApplied", "False")?;
        ensure!(settings.reason == "UpgradeBlocked", "{settings:?}");
        Ok(settings.message)
    })
    .await?;
    ensure!(blocked.contains("reg*") && blocked.contains("runs on"), "{blocked}");
    ensure!(blocked.contains("Please commit or rollback all prepared transactions"), "{blocked}");
    // The session of before goes on, and so does whoever comes.
    session.execute("INSERT INTO routine VALUES ('now')").await?;
    session.execute("COMMIT PREPARED 'half'").await?;
    session.close().await?;
    scene.connect("books", "report").await?.close().await?;
    ensure!(
        cloud::existing(stack.rds(), &identifier).await?.engine_version().is_some_and(|runs| runs.starts_with("15."))
    );
    // The wish can be taken back.
    let before = format!("{{version: \"15\", {besides}}}");
    scene.apply("books", &before).await?;
    scene.wait_for("books", "SettingsApplied", "True").await?;
    scene.ready("books").await.map(drop)
}

async fn what_waits_for_its_window(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "waiting-upgrades").await?;
    let before = format!("version: \"16\", maintenanceWindow: \"{}\", {INSIDE}", windows::away());
    scene.apply("books", &format!("{{{before}}}")).await?;
    let identifier = scene.ready("books").await?.text("/status/instance/identifier").to_owned();
    cloud::until(stack.rds(), &identifier, "available").await?;
    let later = before.replace("\"16\"", "\"17\", allowMajorVersionUpgrade: true");
    scene.apply("books", &format!("{{{later}}}")).await?;
    eventually("the upgrade to wait for its window", async || {
        let settings = scene.database("books").await?.expect("SettingsApplied", "False")?;
        ensure!(settings.reason == "WaitingForWindow", "{settings:?}");
        Ok(())
    })
    .await?;
    let pending = |instance: &DbInstance| {
        instance.pending_modified_values().and_then(|waits| waits.engine_version().map(str::to_owned))
    };
    let waits = pending(&cloud::existing(stack.rds(), &identifier).await?);
    ensure!(waits.as_deref().is_some_and(|waits| waits.starts_with("17.")), "{waits:?} waits");
    // It is Ready meanwhile, and the old version takes the wish back.
    scene.ready("books").await?;
    scene.apply("books", &format!("{{{before}}}")).await?;
    scene.wait_for("books", "SettingsApplied", "True").await?;
    let instance = cloud::existing(stack.rds(), &identifier).await?;
    let waits = pending(&instance);
    ensure!(
        waits.is_none() && instance.engine_version().is_some_and(|runs| runs.starts_with("16.")),
        "{waits:?} waits"
    );
    Ok(())
}
