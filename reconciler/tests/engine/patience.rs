//! Applications that do not wait, and users that change.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::server::execute;
use crate::world::World;

/// Tries to log in every 20 ms from before there is anything to log in to, and makes its table the moment it gets in.
async fn impatient(world: &World, user: &str, database: &str, stop: &AtomicBool) {
    loop {
        if let Ok(mut session) = world.connect(user, database).await {
            let made =
                execute(&mut session, "CREATE TABLE IF NOT EXISTS early (id serial PRIMARY KEY, what text)").await;
            if made.is_ok() && execute(&mut session, "INSERT INTO early (what) VALUES ('first')").await.is_ok() {
                return;
            }
        }
        assert!(!stop.load(Ordering::Relaxed), "{user} never got in to {database}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn kept_and_shared(world: &World, database: &str) {
    for user in ["app", "report"] {
        world
            .run(
                user,
                database,
                "INSERT INTO early (what) VALUES ('later'); ALTER TABLE early ADD COLUMN IF NOT EXISTS more int",
            )
            .await;
    }
}

pub(crate) async fn an_application_that_starts_first_keeps_its_rows_and_shares_them(world: &mut World) {
    let names: Vec<String> = (0..20).map(|number| format!("shop{number}")).collect();
    let databases: Value = names.iter().map(|name| (name.clone(), json!(["app", "report"]))).collect();
    let desired = world.desired(&json!({"app": [], "report": []}), &databases);
    let stop = AtomicBool::new(false);
    let work = async {
        world.converge(&desired).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        stop.store(true, Ordering::Relaxed);
    };
    let clients = futures::future::join_all(names.iter().map(|name| impatient(world, "app", name, &stop)));
    tokio::join!(work, clients);
    for name in &names {
        kept_and_shared(world, name).await;
    }
}

/// The same with an operator that dies after each statement, and with a stranger that tries to get in meanwhile.
pub(crate) async fn i11_a_birth_that_is_interrupted_lets_nobody_in_early(world: &mut World) {
    let users = json!({"app": [], "report": [], "stranger": []});
    let alone = world.desired(&users, &json!({"other": ["stranger"]}));
    world.converge(&alone).await;
    let desired = world.desired(&users, &json!({"shop": ["app", "report"], "other": ["stranger"]}));
    let stop = AtomicBool::new(false);
    let work = async {
        crate::crash::kill_after_each_statement(world, &desired).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        stop.store(true, Ordering::Relaxed);
    };
    let stranger = async {
        while !stop.load(Ordering::Relaxed) {
            assert!(world.connect("stranger", "shop").await.is_err(), "a stranger got in");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::join!(work, impatient(world, "app", "shop", &stop), stranger);
    world.converge(&desired).await;
    kept_and_shared(world, "shop").await;
}

/// What v0.1.0 let happen, and what each user can do by SET ROLE NONE: it is locked out of what it made itself.
pub(crate) async fn what_a_plain_user_owns_itself_becomes_everybodys(world: &mut World) {
    let desired = world.desired(&json!({"app": [], "report": []}), &json!({"shop": ["app", "report"]}));
    world.converge(&desired).await;
    let own = "SET ROLE NONE; CREATE SCHEMA own; CREATE TABLE own.t (id serial PRIMARY KEY); CREATE TABLE early (id serial PRIMARY KEY, what text);
        CREATE FUNCTION own.f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE TYPE own.pair AS (a int, b int); CREATE DOMAIN own.d AS int;
        CREATE VIEW own.v AS SELECT 1 AS one; CREATE MATERIALIZED VIEW own.m AS SELECT 1 AS one; SELECT lo_create(4711)";
    world.run("app", "shop", own).await;
    world.converge(&desired).await;
    kept_and_shared(world, "shop").await;
    let worked = "ALTER TABLE own.t ADD COLUMN more int; REFRESH MATERIALIZED VIEW own.m; DROP VIEW own.v; DROP FUNCTION own.f();
        ALTER TYPE own.pair ADD ATTRIBUTE c int; ALTER DOMAIN own.d SET NOT NULL; SELECT lo_unlink(4711)";
    world.run("report", "shop", worked).await;
}

/// README's own example: one user with a flag, one without.
pub(crate) async fn what_a_user_with_flags_makes_is_handed_over(world: &mut World) {
    let users = json!({"chief": ["createdb"], "app": []});
    let desired = world.desired(&users, &json!({"shop": ["chief", "app"]}));
    world.converge(&desired).await;
    let made =
        "CREATE TABLE early (id serial PRIMARY KEY, what text); CREATE SCHEMA part; CREATE TABLE part.t (id int);
        CREATE MATERIALIZED VIEW part.m AS SELECT 1 AS one; SELECT lo_from_bytea(4712, 'x')";
    world.run("chief", "shop", made).await;
    // Until the next look the others read and write.
    world.run("app", "shop", "INSERT INTO early (what) VALUES ('x'); SELECT * FROM part.t").await;
    world.run("chief", "postgres", "CREATE DATABASE scratch").await;
    // Up to 12 only a superuser makes extensions.
    let extensions = world.catalog(&desired).await.version >= 130_000;
    if extensions {
        world.run("chief", "shop", "CREATE EXTENSION hstore").await;
    }
    world.converge(&desired).await;
    if extensions {
        world.run("app", "shop", "SELECT 'a=>1'::hstore; DROP EXTENSION hstore").await;
    }
    world.run("app", "shop", "ALTER TABLE early ADD COLUMN more int; CREATE INDEX ON part.t (id); REFRESH MATERIALIZED VIEW part.m; SELECT lo_get(4712)").await;
    world.run("chief", "shop", "ALTER TABLE early ADD COLUMN also int; INSERT INTO early (what) VALUES ('y')").await;
    let owner = "SELECT datdba::regrole::text FROM pg_database WHERE datname = 'scratch'";
    assert_eq!(world.ask("postgres", owner).await.unwrap(), "chief", "its own database went along");

    // It loses its flag, and nothing else.
    world.run("chief", "shop", "CREATE TABLE last_one (id int); CREATE INDEX last_index ON last_one (id)").await;
    let plain = world.desired(&json!({"chief": [], "app": []}), &json!({"shop": ["chief", "app"]}));
    world.converge(&plain).await;
    let works = "ALTER TABLE last_one ADD COLUMN more int; DROP INDEX last_index; ALTER TABLE early DROP COLUMN also; REFRESH MATERIALIZED VIEW part.m";
    world.run("chief", "shop", works).await;
    let left = "SELECT count(*)::text FROM pg_default_acl WHERE defaclrole = 'chief'::regrole";
    assert_eq!(
        world.ask("shop", left).await.unwrap(),
        "0",
        "default privileges would stop it from restoring its own dump"
    );
}

/// A busy table is left for the next look, and stops no other.
pub(crate) async fn a_busy_table_is_left_and_stops_no_other(world: &mut World) {
    let desired = world.desired(&json!({"app": [], "report": []}), &json!({"shop": ["app", "report"]}));
    world.converge(&desired).await;
    world.run("app", "shop", "SET ROLE NONE; CREATE TABLE a (id int); CREATE TABLE b (id int); CREATE TABLE c (id int); GRANT ALL ON b TO \"shop-owner\"").await;
    let mut busy = world.connect("report", "shop").await.unwrap();
    for statement in ["BEGIN", "SELECT * FROM b"] {
        execute(&mut busy, statement).await.unwrap();
    }
    let plan = world.plan(&desired).await;
    world.work(&plan.steps).await;
    let owners = "SELECT string_agg(concat(relname, ' ', relowner::regrole), ', ' ORDER BY relname) FROM pg_class WHERE relname IN ('a', 'b', 'c')";
    assert_eq!(world.ask("shop", owners).await.unwrap(), r#"a "shop-owner", b app, c "shop-owner""#);
    drop(busy);
    world.converge(&desired).await;
    assert_eq!(world.ask("shop", owners).await.unwrap(), r#"a "shop-owner", b "shop-owner", c "shop-owner""#);
}
