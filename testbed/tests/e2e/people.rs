//! Who may do what inside a database, tried by logging in.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};

use crate::{
    scene::Scene,
    world::{World, trial},
};

/// All who work in the database `ledger`: without flags, with a flag that keeps them from acting as the owner, and with RDS's highest.
const COLLEAGUES: [&str; 4] = ["writer", "reader", "builder", "chief"];

const SPEC: &str = "\
  users: {writer: [], reader: [], builder: [createdb], chief: [superuser], stranger: [], idle: []}, \
  databases: {ledger: [writer, reader, builder, chief], diary: [stranger]}";

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "people::colleagues_share_and_strangers_stay_out_of_postgresql_12", async |world: &World| {
            everybody(world, "people-oldest", "12").await
        }),
        trial(world, "people::colleagues_share_and_strangers_stay_out_of_postgresql_18", async |world: &World| {
            everybody(world, "people-newest", "18").await
        }),
    ]
}

async fn everybody(world: &World, namespace: &str, version: &str) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, namespace).await?;
    let applied = scene.apply("team", &format!("{{version: \"{version}\", {SPEC}}}")).await?;
    ensure!(
        applied.stderr.contains("spec.users[chief]: as rds_superuser it is the master's equal"),
        "{}",
        applied.stderr
    );
    let database = scene.ready("team").await?;
    let access = database.expect("AccessVerified", "True")?;
    ensure!(access.message.contains("5 logins"), "{access:?}");

    colleagues_share(&scene).await?;
    strangers_stay_out(&scene).await?;
    flags_are_what_rds_has(&scene).await?;
    // What they did is theirs to do: the operator finds nothing to mend in it.
    scene.ok(&["annotate", "rds", "team", "example.org/look=again"]).await?;
    scene.ready("team").await.map(drop)
}

/// Each makes a table, and each other one reads, writes and changes it; also one that was there before the other logged in.
async fn colleagues_share(scene: &Scene<'_>) -> Result<()> {
    for maker in COLLEAGUES {
        let mut session = scene.connect("team", maker).await?;
        let table = format!("CREATE TABLE of_{maker} (id serial PRIMARY KEY, author text NOT NULL)");
        session.execute(AssertSqlSafe(table)).await.with_context(|| format!("{maker} makes a table"))?;
        write(&mut session, maker, maker).await?;
        session.close().await?;
    }
    for user in COLLEAGUES {
        let mut session = scene.connect("team", user).await?;
        let (place,): (String,) = sqlx::query_as("SELECT current_database()::text").fetch_one(&mut session).await?;
        ensure!(place == "ledger", "{user} is in {place}");
        for maker in COLLEAGUES.into_iter().filter(|maker| *maker != user) {
            write(&mut session, maker, user).await?;
            let read = format!("SELECT count(*) FROM of_{maker} WHERE author IN ('{maker}', '{user}')");
            let row =
                session.fetch_one(AssertSqlSafe(read)).await.with_context(|| format!("{user} reads of {maker}"))?;
            ensure!(row.try_get::<i64, _>(0)? == 2, "{user} does not see what {maker} and it wrote");
            let change = format!("UPDATE of_{maker} SET author = author WHERE author = '{maker}'");
            session.execute(AssertSqlSafe(change)).await.with_context(|| format!("{user} changes a row of {maker}"))?;
        }
        session.close().await?;
    }
    Ok(())
}

/// The key comes from the sequence: both are needed to write.
async fn write(session: &mut PgConnection, maker: &str, user: &str) -> Result<()> {
    let insert = format!("INSERT INTO of_{maker} (author) VALUES ('{user}')");
    session.execute(AssertSqlSafe(insert)).await.with_context(|| format!("{user} writes to the table of {maker}"))?;
    Ok(())
}

async fn strangers_stay_out(scene: &Scene<'_>) -> Result<()> {
    scene.connect_to("team", "stranger", "diary").await?.close().await?;
    let closed = [
        ("stranger", "ledger"),
        ("writer", "diary"),
        ("builder", "diary"),
        // Everybody may enter these on a server as it comes.
        ("writer", "postgres"),
        ("stranger", "template1"),
        ("idle", "ledger"),
        ("idle", "diary"),
        ("idle", "postgres"),
    ];
    for (user, database) in closed {
        let Err(refused) = scene.connect_to("team", user, database).await else {
            anyhow::bail!("{user} can log in to {database}");
        };
        let text = format!("{refused:#}");
        ensure!(text.contains("permission denied for database"), "{user} at {database}: {text}");
    }
    Ok(())
}

async fn flags_are_what_rds_has(scene: &Scene<'_>) -> Result<()> {
    let mut chief = scene.connect("team", "chief").await?;
    let roles = "SELECT pg_has_role(session_user, 'rds_superuser', 'member'), rolsuper \
                 FROM pg_roles WHERE rolname = session_user";
    let (granted, superuser): (bool, bool) = sqlx::query_as(roles).fetch_one(&mut chief).await?;
    ensure!(granted && !superuser, "chief: rds_superuser {granted}, superuser {superuser}");
    chief.close().await?;

    let mut builder = scene.connect("team", "builder").await?;
    builder.execute("CREATE DATABASE workshop").await.context("builder has createdb")?;
    builder.close().await?;
    scene.connect_to("team", "builder", "workshop").await?.close().await?;

    let mut writer = scene.connect("team", "writer").await?;
    let refused = writer.execute("CREATE DATABASE stall").await;
    ensure!(refused.is_err_and(|error| error.to_string().contains("permission denied")), "writer has createdb");
    let granted: bool =
        writer.fetch_one("SELECT pg_has_role(session_user, 'rds_superuser', 'member')").await?.try_get(0)?;
    ensure!(!granted, "writer is in rds_superuser");
    writer.close().await?;
    Ok(())
}
