//! What the engine says when it cannot, and what it must not say or do.

use std::time::{Duration, Instant};

use reconciler::clock::SystemClock;
use reconciler::engine::postgres::{PostgresEngine, SqlStep, Timeouts};
use reconciler::engine::{Engine as _, EngineError, Login, Outcome, Password, Slice, work};
use reconciler::entropy::SystemEntropy;
use serde_json::json;
use tokio::net::TcpListener;

use crate::server::{authority, execute};
use crate::world::World;

fn hasty() -> Timeouts {
    let short = Duration::from_millis(500);
    Timeouts {
        connect: Duration::from_millis(1500),
        statement: Duration::from_secs(2),
        lock: short,
        sessions: short,
        ..Timeouts::default()
    }
}

pub(crate) async fn each_failure_has_its_own_error(world: &mut World) {
    let desired = world.desired(&json!({"app": [], "gone": []}), &json!({"shop": ["app", "gone"]}));
    world.converge(&desired).await;
    let app = world.login("app", "shop");

    let distrusting = PostgresEngine::new(&authority().1, Timeouts::default());
    let outcome = distrusting.check_login(&app).await;
    assert!(matches!(outcome, Err(EngineError::TlsFailed { .. })), "{outcome:?}");
    let misnamed = world.engine.check_login(&Login { host: "localhost".to_owned(), ..app.clone() }).await;
    assert!(matches!(misnamed, Err(EngineError::TlsFailed { .. })), "{misnamed:?}");

    let wrong = world.engine.check_login(&Login { password: Password::generate(&SystemEntropy), ..app.clone() }).await;
    assert!(matches!(wrong, Err(EngineError::AuthenticationFailed { .. })), "{wrong:?}");
    let elsewhere = world.engine.check_login(&Login { database: "postgres".to_owned(), ..app.clone() }).await;
    assert!(matches!(elsewhere, Err(EngineError::NotPermitted { .. })), "{elsewhere:?}");
    let missing = world.engine.check_login(&Login { database: "nowhere".to_owned(), ..app.clone() }).await;
    assert!(matches!(missing, Err(EngineError::Other { .. })), "{missing:?}");

    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let hasty = PostgresEngine::new(&world.server.ca_pem, hasty());
    let started = Instant::now();
    let outcome = hasty.check_login(&Login { port, ..app.clone() }).await;
    assert!(matches!(outcome, Err(EngineError::Timeout { .. })), "{outcome:?}");
    assert!(started.elapsed() < Duration::from_secs(10));
    drop(silent);
    let outcome = hasty.check_login(&Login { port, ..app.clone() }).await;
    assert!(matches!(outcome, Err(EngineError::Unreachable { .. })), "{outcome:?}");

    // Someone holds a lock on what is to be handed over: it gives up, and the next plan goes on.
    world.run("gone", "shop", "SET ROLE NONE; CREATE TABLE busy (id int); GRANT ALL ON busy TO \"shop-owner\"").await;
    let mut holder = world.connect("app", "shop").await.unwrap();
    execute(&mut holder, "BEGIN").await.unwrap();
    execute(&mut holder, "SELECT * FROM busy").await.unwrap();
    let without = world.desired(&json!({"app": [], "new": []}), &json!({"shop": ["app", "new"]}));
    let plan = world.plan(&without).await;
    let slice =
        Slice { steps: &plan.steps, stopped: &[], clock: &SystemClock, budget: Duration::from_mins(1), fence: None };
    let outcomes: Vec<Outcome> = work(hasty.session(&world.server.master()), slice).await;
    for (step, outcome) in plan.steps.iter().zip(&outcomes) {
        match step {
            SqlStep::Release { database, .. } if database == "shop" => {
                assert!(matches!(outcome, Outcome::Failed(EngineError::Conflict { .. })), "{step}: {outcome:?}");
            }
            SqlStep::DropUser { .. } => assert_eq!(*outcome, Outcome::Skipped, "{step}"),
            _ => assert_eq!(*outcome, Outcome::Done, "{step}"),
        }
    }
    world.run("new", "shop", "CREATE TABLE t (id int)").await;
    drop(holder);
    world.converge(&without).await;
}

pub(crate) async fn at_rest_nothing_is_written(world: &mut World) {
    let users = json!({"app": [], "chief": ["createdb"], "off": ["nologin"]});
    let desired = world.desired(&users, &json!({"shop": ["app", "chief", "off"], "other": ["app"]}));
    world.converge(&desired).await;
    let before = world.server.log().len();
    for _ in 0..2 {
        assert_eq!(world.plan(&desired).await.steps, []);
        world.check("app", "shop").await.unwrap();
        world.check("app", "other").await.unwrap();
        world.check("chief", "shop").await.unwrap();
        let off = world.check("off", "shop").await;
        assert!(matches!(off, Err(EngineError::NotPermitted { .. })), "{off:?}");
    }
    let log = world.server.log().split_off(before);
    let statements: Vec<&str> = log
        .lines()
        .filter(|line| {
            line.contains("rds-reconciler LOG:") && (line.contains("statement: ") || line.contains("execute "))
        })
        .collect();
    assert!(statements.len() >= 12, "{log}");
    for statement in statements {
        let text = statement.rsplit_once(": ").map_or(statement, |(_, text)| text);
        let reads = [": SELECT ", ": WITH ", ": SET ROLE NONE"].iter().any(|start| statement.contains(start));
        assert!(reads, "{text}");
    }
}

/// Comes last: looks at everything that the scenarios before have made the server log.
pub(crate) fn no_password_is_in_the_log(world: &World) {
    let log = world.server.log();
    assert!(log.contains("SCRAM-SHA-256$"), "the log holds no statements");
    for (user, password) in &world.passwords {
        assert!(!log.contains(password.expose()), "the password of {user}");
    }
    assert!(!log.contains(world.server.master().password.expose()), "the password of the master");
}
