//! What v0.1.0 leaves behind on a server; `testbed/fixtures/v0.1.0` says what that is and how it was written down.
//!
//! [`replay`] knows nothing of the engine, so that it does the same under every later one.

use std::sync::atomic::{AtomicBool, Ordering};

use reconciler::engine::Password;
use serde_json::{Value, json};
use shared::rules::Desired;
use sqlx::Connection as _;

use crate::crash::kill_after_each_statement;
use crate::server::{Server, execute};
use crate::world::{World, sqlstate};

/// The users that the object declares in the end.
pub(crate) fn users() -> Value {
    json!({
        "app": [], "report": [], "quiet": ["noinherit"], "chief": ["createdb"], "boss": ["superuser", "replication"],
        "maker": ["createrole"], "away": ["createrole"], "off": ["nologin"],
    })
}

/// The databases that the object declares in the end.
pub(crate) fn databases() -> Value {
    json!({"shop": ["app", "report", "quiet", "chief", "boss", "off"], "other": ["app"]})
}

/// The password that is in the Secret of a user.
pub(crate) fn password(user: &str) -> String {
    format!("{user}-fixture-password")
}

/// Brings a server on which nothing was done yet to where v0.1.0 has left one of the same major version.
pub(crate) async fn replay(server: &Server) {
    let fixture = match server.major().await {
        12 => include_str!("../../../testbed/fixtures/v0.1.0/postgresql-12.sql"),
        16 => include_str!("../../../testbed/fixtures/v0.1.0/postgresql-16.sql"),
        18 => include_str!("../../../testbed/fixtures/v0.1.0/postgresql-18.sql"),
        other => panic!("nothing was recorded on PostgreSQL {other}"),
    };
    replay_text(server, fixture).await;
}

/// Carries out what a fixture holds: after each line `-- as <user> in <database>`, statements in one transaction, in a session of
/// their own. Other comments are for readers.
pub(crate) async fn replay_text(server: &Server, fixture: &str) {
    for part in fixture.split("\n-- as ").skip(1) {
        let (head, rest) = part.split_once('\n').unwrap();
        let (user, database) = head.split(": ").next().unwrap().split_once(" in ").unwrap();
        let statements = rest.split("\n-- ").next().unwrap();
        let mut session = match user {
            "master" => server.connect_as_master(database).await,
            _ => server.connect_with(user, &password(user), database).await.unwrap(),
        };
        if let Err(error) = execute(&mut session, statements).await {
            panic!("{head}: {statements}: {error}");
        }
        session.close().await.unwrap();
    }
}

async fn left_behind(world: &mut World) -> Desired {
    replay(&world.server).await;
    for user in users().as_object().unwrap().keys() {
        world.passwords.insert(user.parse().unwrap(), Password::from(password(user)));
    }
    world.desired(&users(), &databases())
}

/// Nobody who works meanwhile is disturbed, nothing is lost, and nothing is left to do.
pub(crate) async fn the_first_visit_brings_all_to_the_new_form_while_users_work(world: &mut World) {
    let desired = left_behind(world).await;
    let tables = "SELECT sum((xpath('/row/c/text()', query_to_xml(format('SELECT count(*) AS c FROM %s', oid::regclass), false, true, '')))[1]::text::int)::text
        FROM pg_class WHERE relkind = 'r' AND oid >= 16384";
    let rows = world.ask("shop", tables).await;
    world.run("app", "shop", "CREATE TABLE at_work (id serial PRIMARY KEY)").await;
    let stop = AtomicBool::new(false);
    let work = async {
        world.converge(&desired).await;
        stop.store(true, Ordering::Relaxed);
    };
    let application = async {
        let mut session = world.connect("app", "shop").await.unwrap();
        let mut written = 0;
        while !stop.load(Ordering::Relaxed) {
            execute(&mut session, "INSERT INTO at_work DEFAULT VALUES").await.unwrap();
            world.connect("report", "shop").await.unwrap();
            written += 1;
        }
        written
    };
    let ((), written) = tokio::join!(work, application);
    assert_eq!(world.ask("shop", "SELECT count(*)::text FROM at_work").await.unwrap(), written.to_string());
    world.run("app", "shop", "DROP TABLE at_work").await;
    assert_eq!(world.ask("shop", tables).await, rows, "rows were lost");

    let owners = "SELECT string_agg(concat(datname, ' ', datdba::regrole), ', ' ORDER BY datname) FROM pg_database WHERE datname IN ('shop', 'other', 'old')";
    let kept = r#"old "databases-keeper", other "databases-keeper", shop "databases-keeper""#;
    assert_eq!(world.ask("postgres", owners).await.unwrap(), kept);
    for (user, flags) in &desired.users {
        for database in desired.databases.iter().filter(|(_, users)| users.contains(user) && flags.can_login()) {
            let database = database.0.as_str();
            assert_eq!(
                world.faults(user.as_str(), database, &desired).await,
                Vec::<String>::new(),
                "{user} in {database}"
            );
        }
    }
    // Whoever was locked out of what it had made, or of what a user with flags had, is no more.
    let strange = "SELECT string_agg(concat(oid::regclass, ' of ', relowner::regrole), ', ') FROM pg_class
        WHERE relkind IN ('r', 'S', 'v', 'm') AND oid >= 16384 AND relowner <> '\"shop-owner\"'::regrole AND relowner <> 'quiet'::regrole";
    assert_eq!(world.ask("shop", strange).await, None);
    let gone = world.server.connect_with("gone", &password("gone"), "shop").await;
    assert_eq!(sqlstate(gone.err().unwrap()), "28P01");
}

pub(crate) async fn i11_the_first_visit_survives_a_kill_after_each_statement(world: &mut World) {
    let desired = left_behind(world).await;
    world.converge(&desired).await;
    let undisturbed = world.state().await;
    world.reset().await;
    let desired = left_behind(world).await;
    kill_after_each_statement(world, &desired).await;
    assert_eq!(world.state().await, undisturbed);
}
