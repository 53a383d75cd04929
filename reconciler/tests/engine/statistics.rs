//! Statistics that an upgrade leaves behind.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::server::execute;
use crate::world::World;

/// Tables as an upgrade leaves them: with rows, and nobody has analysed them.
const TABLES: &str = r#"
    CREATE TABLE plain (id int, what text) WITH (autovacuum_enabled = false);
    INSERT INTO plain SELECT n, 'x' FROM generate_series(1, 500) n;
    CREATE TABLE "Odd "" name; DROP TABLE plain" (id int) WITH (autovacuum_enabled = false);
    INSERT INTO "Odd "" name; DROP TABLE plain" VALUES (1);
    CREATE TABLE empty (id int) WITH (autovacuum_enabled = false);
    CREATE FUNCTION acting(int) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN CURRENT_USER; END';
    CREATE TABLE indexed (id int) WITH (autovacuum_enabled = false);
    INSERT INTO indexed SELECT n FROM generate_series(1, 100) n;
    CREATE INDEX of_acting ON indexed (acting(id));
    CREATE TABLE busy (id int) WITH (autovacuum_enabled = false);
    INSERT INTO busy VALUES (1)"#;

/// The tables that have statistics.
const KNOWN: &str = "SELECT string_agg(relname, ', ' ORDER BY relname) FROM pg_class c \
    WHERE relkind = 'r' AND oid >= 16384 AND EXISTS (SELECT FROM pg_statistic WHERE starelid = c.oid)";

pub(crate) async fn a_user_gathers_what_its_tables_lack(world: &mut World) {
    let desired = world.desired(&json!({"app": [], "report": []}), &json!({"shop": ["app", "report"]}));
    world.converge(&desired).await;
    world.run("app", "shop", TABLES).await;
    let mut admin = world.server.admin("shop").await;
    let others = "CREATE TABLE others (id int) WITH (autovacuum_enabled = false); INSERT INTO others VALUES (1)";
    execute(&mut admin, others).await.unwrap();
    assert_eq!(world.ask("shop", KNOWN).await, None);

    let mut holder = world.connect("app", "shop").await.unwrap();
    execute(&mut holder, "BEGIN; LOCK TABLE busy IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let began = Instant::now();
    world.gather_statistics("report", "shop").await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(4), "whoever holds a lock is not waited for");
    execute(&mut holder, "ROLLBACK").await.unwrap();
    let known = "Odd \" name; DROP TABLE plain, indexed, plain";
    assert_eq!(world.ask("shop", KNOWN).await.as_deref(), Some(known), "not of an empty one, and of nobody else's");

    // I12: what a user wrote runs as the user.
    let acted = "SELECT most_common_vals::text FROM pg_stats WHERE tablename = 'of_acting'";
    assert_eq!(world.ask("shop", acted).await.as_deref(), Some("{shop-owner}"));

    world.gather_statistics("app", "shop").await.unwrap();
    let known = format!("{}, {known}", "busy");
    let now = world.ask("shop", KNOWN).await.unwrap();
    let mut sorted: Vec<_> = known.split(", ").collect();
    sorted.sort_unstable();
    let mut found: Vec<_> = now.split(", ").collect();
    found.sort_unstable();
    assert_eq!(found, sorted);
}
