//! Who can do what in which database.

use reconciler::engine::Privileges as _;
use reconciler::engine::postgres::SqlStep;
use serde_json::json;

use crate::server::execute;
use crate::world::{World, databases};

/// Uses a table with its sequence as someone who works in the database.
fn work_on(table: &str) -> String {
    format!(
        "INSERT INTO {table} (what) VALUES ('x') RETURNING id; UPDATE {table} SET what = 'y'; DELETE FROM {table} WHERE id < 0; SELECT * FROM {table}"
    )
}

fn make(table: &str) -> String {
    format!("CREATE TABLE {table} (id serial PRIMARY KEY, what text)")
}

pub(crate) async fn users_of_a_database_share_what_they_make(world: &mut World) {
    let early = world.desired(&json!({"app": [], "alone": []}), &json!({"shop": ["app"], "other": ["alone"]}));
    world.converge(&early).await;
    world.run("app", "shop", &make("early")).await;
    world.run("app", "shop", "CREATE SCHEMA inner_part; CREATE TABLE inner_part.early (id serial, what text)").await;
    world
        .run(
            "app",
            "shop",
            "CREATE TYPE colour AS ENUM ('red'); CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        )
        .await;

    let users =
        json!({"app": [], "report": [], "chief": ["createdb"], "boss": ["superuser", "replication"], "alone": []});
    let all = world.desired(&users, &json!({"shop": ["app", "report", "chief", "boss"], "other": ["alone"]}));
    world.converge(&all).await;
    for maker in ["app", "report", "chief", "boss"] {
        world.run(maker, "shop", &make(maker)).await;
        world
            .run(maker, "shop", &format!("CREATE SCHEMA of_{maker}; CREATE TABLE of_{maker}.t (id serial, what text)"))
            .await;
        world.run(maker, "shop", &format!("CREATE FUNCTION by_{maker}() RETURNS int LANGUAGE sql AS 'SELECT 1'")).await;
        world.run(maker, "shop", &format!("CREATE TYPE type_{maker} AS (a int)")).await;
    }
    let tables = [
        "early",
        "inner_part.early",
        "app",
        "report",
        "chief",
        "boss",
        "of_app.t",
        "of_report.t",
        "of_chief.t",
        "of_boss.t",
    ];
    for worker in ["app", "report", "chief", "boss"] {
        let mut session = world.connect(worker, "shop").await.unwrap();
        let own = [
            "SELECT one(), by_app(), by_report(), by_chief(), by_boss(), 'red'::colour".to_owned(),
            "CREATE TEMPORARY TABLE t (a type_app, b type_report, c type_chief, d type_boss)".to_owned(),
            format!("CREATE TABLE of_chief.more_{worker} (id int)"),
            format!("ALTER TABLE early ADD COLUMN {worker} int"),
        ];
        for statements in tables.map(work_on).into_iter().chain(own) {
            if let Err(error) = execute(&mut session, &statements).await {
                panic!("{worker}: {statements}: {error}");
            }
        }
    }
    assert_eq!(world.refused("app", "shop", "CREATE DATABASE nope").await, "42501");
    world.run("chief", "shop", "CREATE DATABASE scratch").await;
    world.run("boss", "shop", "SET ROLE rds_superuser").await;

    for (user, database) in
        [("alone", "shop"), ("app", "other"), ("boss", "other"), ("app", "postgres"), ("app", "template1")]
    {
        assert_eq!(world.connect(user, database).await.unwrap_err(), "42501", "{user} in {database}");
    }
}

pub(crate) async fn a_plain_user_acts_as_the_owner_for_good(world: &mut World) {
    let desired = world.desired(&json!({"app": [], "quiet": ["noinherit"]}), &json!({"shop": ["app", "quiet"]}));
    world.converge(&desired).await;
    for user in ["app", "quiet"] {
        let mut session = world.connect(user, "shop").await.unwrap();
        for reset in ["SELECT 1", "DISCARD ALL", "RESET ALL", "RESET ROLE"] {
            execute(&mut session, reset).await.unwrap();
            let acting = sqlx::query_scalar("SELECT current_user::text").persistent(false);
            let acting: String = acting.fetch_one(&mut session).await.unwrap();
            assert_eq!(acting, "shop-owner", "{user} after {reset}");
        }
    }
    world.run("quiet", "shop", &make("by_quiet")).await;
    world.run("app", "shop", &work_on("by_quiet")).await;
    // What is made under the user's own name is everybody's at the next look.
    world.run("app", "shop", "SET ROLE NONE; CREATE TABLE by_app (id serial PRIMARY KEY, what text)").await;
    world.converge(&desired).await;
    world.run("quiet", "shop", &work_on("by_app")).await;
}

pub(crate) async fn the_check_reports_what_a_user_may_do(world: &mut World) {
    let users = json!({"app": [], "chief": ["createdb"], "alone": [], "away": ["createrole"]});
    let desired = world.desired(&users, &json!({"shop": ["app", "chief"], "other": ["alone"]}));
    world.converge(&desired).await;
    world.run("chief", "shop", &make("t")).await;
    let ours = databases(&["shop", "other"]);
    for user in ["app", "chief"] {
        let report = world.check(user, "shop").await.unwrap();
        assert_eq!(report.faults(&databases(&["shop"]), &ours), Vec::<String>::new());
        assert_eq!(report.session_user, user);
        assert_eq!(report.current_user, if user == "app" { "shop-owner" } else { "chief" });
        let connectable = if user == "app" { vec!["shop"] } else { vec!["postgres", "shop"] };
        assert_eq!(report.tls.as_deref(), Some("TLSv1.3"));
        assert_eq!(report.connectable.iter().collect::<Vec<_>>(), connectable);
        assert_eq!(
            (report.may_create_in_public, report.may_create_schemas, report.may_create_temporary),
            (Some(true), true, true)
        );
    }
    // Without a database of its own, a user with privileges still has a place to use them from.
    assert_eq!(world.check("away", "postgres").await.unwrap().connectable, ["postgres".to_owned()].into());

    let mut admin = world.server.admin("shop").await;
    execute(&mut admin, "CREATE TABLE hidden (id int); GRANT CONNECT ON DATABASE other TO PUBLIC").await.unwrap();
    let report = world.check("app", "shop").await.unwrap();
    assert_eq!(
        (report.closed_tables, report.closed_table_examples.as_slice()),
        (1, ["public.hidden".to_owned()].as_slice())
    );
    let faults = report.faults(&databases(&["shop"]), &ours);
    assert_eq!(faults.len(), 2, "{faults:?}");
    // Opened by hand, closed by the next plan.
    world.converge(&desired).await;
    assert_eq!(world.connect("app", "other").await.unwrap_err(), "42501");
}

/// An object that is dropped between the moment it is listed and its turn is known to the server only by its number: so is one here.
pub(crate) async fn what_is_dropped_meanwhile_stops_no_hand_over(world: &mut World) {
    let desired = world.desired(&json!({"chief": ["createdb"]}), &json!({"shop": ["chief"]}));
    world.converge(&desired).await;
    world.run("chief", "shop", &make("kept")).await;
    let dropped = "objid = 4000000000 AND refclassid = 'pg_authid'::regclass";
    let mut admin = world.server.admin("shop").await;
    let list = "INSERT INTO pg_shdepend SELECT d.oid, 'pg_class'::regclass, 4000000000, 0, 'pg_authid'::regclass, 'chief'::regrole, 'o'
        FROM pg_database d WHERE datname = 'shop'";
    execute(&mut admin, list).await.unwrap();

    let plan = world.plan(&desired).await;
    assert!(matches!(plan.steps.as_slice(), [SqlStep::HandOver { .. }]), "{:?}", plan.steps);
    world.apply(&plan.steps[0]).await;

    let owner = "SELECT relowner::regrole::text FROM pg_class WHERE relname = 'kept'";
    assert_eq!(world.ask("shop", owner).await.unwrap(), "\"shop-owner\"");
    execute(&mut admin, &format!("DELETE FROM pg_shdepend WHERE {dropped}")).await.unwrap();
    assert_eq!(world.plan(&desired).await.steps, []);
}
