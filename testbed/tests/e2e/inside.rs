//! Inside the server: applications that do not wait, and databases that somebody drops.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use libtest_mimic::Trial;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use testbed::eventually::{eventually, eventually_within};
use tokio::time::{Instant, sleep};

use crate::{
    scene::{SETTLED, Scene},
    world::{World, long_trial, trial},
};

/// Objects that are made at once.
const OBJECTS: usize = 20;

/// Until the last of them is there: twenty servers are made one beside the other, and beside those of other tests.
const ALL_MADE: Duration = Duration::from_mins(8);

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        long_trial(world, "inside::applications_that_start_first_keep_their_rows_and_share_them", ALL_MADE, impatient),
        trial(world, "inside::i2_a_database_that_somebody_dropped_is_not_replaced", lost),
    ]
}

async fn impatient(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "impatient").await?;
    let names: Vec<String> = (0..OBJECTS).map(|number| format!("early{number}")).collect();
    let spec = "{users: {app: [], report: []}, databases: {orders: [app, report]}}";
    let manifests: Vec<_> = names.iter().map(|name| scene.manifest(name, spec)).collect();
    scene.kubectl().apply(&manifests.join("---\n")).await?;
    try_join_all(names.iter().map(|name| starts_first(&scene, name))).await?;
    for name in &names {
        let database = scene.ready(name).await?;
        ensure!(database.at("/status/databases/orders/oid").is_i64(), "{:?}", database.at("/status/databases"));
        let mut report = scene.connect(name, "report").await?;
        let shared = "INSERT INTO early (what) VALUES ('later'); ALTER TABLE early ADD COLUMN more int";
        report.execute(AssertSqlSafe(shared)).await.with_context(|| format!("report in {name}"))?;
        let (rows,): (i64,) = sqlx::query_as("SELECT count(*) FROM early").fetch_one(&mut report).await?;
        ensure!(rows == 2, "{name} has {rows} rows");
        report.close().await?;
    }
    // One kind of change is one Event, however many statements it took.
    let events = scene.ok(&["get", "events", "--field-selector=reason=AccessGiven", "-o", "name"]).await?;
    ensure!(events.lines().count() == OBJECTS, "{events}");
    Ok(())
}

/// Tries to log in every 20 ms from the moment there is a server, and makes its table the moment it gets in.
async fn starts_first(scene: &Scene<'_>, name: &str) -> Result<()> {
    let ca = scene.stack.rds().ca();
    let login = eventually_within(ALL_MADE, &format!("the Secret of app in {name} to name a server"), async || {
        let login = scene.login(name, "app").await;
        match login {
            Ok(login) => Ok(login),
            Err(error) => Err(error.context(format!("{:?}", scene.database(name).await?.conditions()))),
        }
    })
    .await?;
    let end = Instant::now() + SETTLED;
    loop {
        let attempt = async {
            let mut app = login.connect_to("orders", &ca).await?;
            app.execute("CREATE TABLE early (id serial PRIMARY KEY, what text)").await?;
            app.execute("INSERT INTO early (what) VALUES ('first')").await?;
            anyhow::Ok(app.close().await?)
        };
        match attempt.await {
            Ok(()) => return Ok(()),
            Err(error) if Instant::now() > end => return Err(error.context(format!("app never got in to {name}"))),
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn lost(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "lost-inside").await?;
    let spec = "{users: {app: []}, databases: {orders: [app], other: [app]}}";
    scene.apply("store", spec).await?;
    let database = scene.ready("store").await?;
    let oid = database.at("/status/databases/orders/oid").as_i64().context("no oid is recorded")?;

    let mut master = scene.connect_to("store", "master", "postgres").await?;
    master.execute("DROP DATABASE orders").await?;
    scene.ok(&["annotate", "rds", "store", "example.org/look=again"]).await?;
    // Another user makes the operator look now and not within ten minutes.
    scene.apply("store", "{users: {app: [], late: []}, databases: {orders: [app], other: [app]}}").await?;
    let told = scene.wait_for("store", "Stalled", "True").await?.expect("DatabasesReady", "False")?;
    let word = format!("matrixmind.cloud/recreate-lost-database=orders.{oid}");
    ensure!(told.reason == "DatabaseLost" && told.message.contains(&word), "{told:?}");
    // Nothing else is held up by it.
    eventually("the new user to have come", async || {
        let database = scene.database("store").await?;
        ensure!(database.at("/status/users/late/ready") == true, "{:?}", database.at("/status/users"));
        Ok(())
    })
    .await?;
    let (there,): (i64,) =
        sqlx::query_as("SELECT count(*) FROM pg_database WHERE datname = 'orders'").fetch_one(&mut master).await?;
    ensure!(there == 0, "it was replaced");
    master.close().await?;

    scene.ok(&["annotate", "rds", "store", &word]).await?;
    let database = scene.ready("store").await?;
    let fresh = database.at("/status/databases/orders/oid").as_i64();
    ensure!(fresh.is_some_and(|fresh| fresh != oid), "{fresh:?} and {oid}");
    scene.connect_to("store", "app", "orders").await?.close().await?;
    Ok(())
}
