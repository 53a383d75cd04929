//! Users, flags, databases and mappings that change.

use reconciler::engine::postgres::{BlockedReason, SqlStep};
use reconciler::engine::{EngineError, Findings as _, Outcome, Password, Privileges as _};
use reconciler::entropy::SystemEntropy;
use serde_json::json;

use crate::server::execute;
use crate::world::{World, databases};

pub(crate) async fn a_removed_user_leaves_its_objects_to_the_owner_role(world: &mut World) {
    let users = json!({"app": [], "report": [], "chief": ["createdb", "createrole"]});
    let before = world.desired(&users, &json!({"shop": ["app", "report", "chief"], "other": ["chief"]}));
    world.converge(&before).await;
    world.run("report", "shop", "CREATE TABLE by_report (id int)").await;
    world.run("report", "shop", "SET ROLE NONE; CREATE TABLE own_report (id int)").await;
    world
        .run("chief", "shop", "CREATE TABLE by_chief (id int); CREATE SCHEMA of_chief; CREATE ROLE made_by_chief")
        .await;
    world.run("chief", "other", "CREATE TABLE by_chief (id int)").await;
    world.run("chief", "other", "CREATE DATABASE scratch").await;
    world.run("chief", "scratch", "CREATE TABLE by_chief (id int)").await;
    let mut session = world.connect("report", "shop").await.unwrap();
    execute(&mut session, "SELECT 1").await.unwrap();

    let after = world.desired(&json!({"app": []}), &json!({"shop": ["app"], "other": []}));
    world.converge(&after).await;
    assert!(execute(&mut session, "SELECT 1").await.is_err(), "the session of a removed user goes on");
    for user in ["report", "chief"] {
        assert_eq!(world.connect(user, "shop").await.unwrap_err(), "28P01");
    }
    let owners = "SELECT string_agg(relname || ' ' || relowner::regrole::text, ', ' ORDER BY relname) FROM pg_class WHERE relname ~ '^(by|own)_'";
    assert_eq!(
        world.ask("shop", owners).await.unwrap(),
        r#"by_chief "shop-owner", by_report "shop-owner", own_report "shop-owner""#
    );
    assert_eq!(world.ask("other", owners).await.unwrap(), r#"by_chief "other-owner""#);
    assert_eq!(world.ask("scratch", owners).await.unwrap(), r#"by_chief "databases-heir""#);
    let owner = "SELECT datdba::regrole::text FROM pg_database WHERE datname = 'scratch'";
    assert_eq!(world.ask("postgres", owner).await.unwrap(), r#""databases-heir""#);
    let left = "SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolname !~ '^(pg_|rds)'";
    assert_eq!(
        world.ask("postgres", left).await.unwrap(),
        "app databases-heir databases-keeper made_by_chief other-owner shop-owner sysadmin"
    );
    world
        .run(
            "app",
            "shop",
            "ALTER TABLE by_chief ADD COLUMN more int; DROP TABLE own_report; CREATE TABLE of_chief.t (id int)",
        )
        .await;
}

pub(crate) async fn flags_change_both_ways(world: &mut World) {
    let plain = world.desired(&json!({"app": [], "report": []}), &json!({"shop": ["app", "report"]}));
    world.converge(&plain).await;
    world.run("app", "shop", "CREATE TABLE first (id int)").await;

    let flagged = world.desired(
        &json!({"app": ["createdb", "superuser", "replication", "noinherit"], "report": ["nologin"]}),
        &json!({"shop": ["app", "report"]}),
    );
    world.converge(&flagged).await;
    assert_eq!(world.connect("report", "shop").await.unwrap_err(), "28000");
    let roles = "SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE oid IN (SELECT roleid FROM pg_auth_members WHERE member = 'app'::regrole)";
    assert_eq!(world.ask("postgres", roles).await.unwrap(), "rds_replication rds_superuser shop-owner");
    // As NOINHERIT has it, the user takes what is the database's with SET ROLE.
    world.run("app", "shop", "SET ROLE \"shop-owner\"; INSERT INTO first VALUES (1)").await;
    world.run("app", "shop", "CREATE DATABASE scratch").await;
    let report = world.check("app", "shop").await.unwrap();
    assert_eq!(report.faults(&databases(&["shop"]), &databases(&["shop"])), Vec::<String>::new());

    world.converge(&plain).await;
    assert_eq!(world.ask("postgres", roles).await.unwrap(), "shop-owner");
    assert_eq!(world.refused("app", "shop", "CREATE DATABASE nope").await, "42501");
    for user in ["app", "report"] {
        world.run(user, "shop", "INSERT INTO first VALUES (2)").await;
    }
}

pub(crate) async fn a_user_that_is_unmapped_is_shut_out_at_once(world: &mut World) {
    let users = json!({"app": [], "chief": ["createdb"]});
    let mapped = world.desired(&users, &json!({"shop": ["app", "chief"], "other": ["app"]}));
    world.converge(&mapped).await;
    world.run("chief", "shop", "CREATE TABLE by_chief (id int)").await;
    let mut inside = world.connect("app", "shop").await.unwrap();
    let mut elsewhere = world.connect("app", "other").await.unwrap();
    execute(&mut inside, "SELECT * FROM by_chief").await.unwrap();

    let unmapped = world.desired(&users, &json!({"shop": [], "other": ["app"]}));
    world.converge(&unmapped).await;
    assert!(
        execute(&mut inside, "SELECT * FROM by_chief").await.is_err(),
        "a session goes on after the user was unmapped"
    );
    execute(&mut elsewhere, "SELECT 1").await.unwrap();
    assert_eq!(world.connect("app", "shop").await.unwrap_err(), "42501");
    assert_eq!(world.connect("chief", "shop").await.unwrap_err(), "42501");
    // The one who may create databases has a way to do so.
    world.run("chief", "postgres", "CREATE DATABASE scratch").await;

    world.converge(&mapped).await;
    world.run("app", "shop", "SELECT * FROM by_chief; ALTER TABLE by_chief ADD COLUMN more int").await;
}

pub(crate) async fn a_removed_database_is_kept_and_closed(world: &mut World) {
    let before = world.desired(&json!({"app": [], "gone": []}), &json!({"shop": ["app"], "old": ["app", "gone"]}));
    world.converge(&before).await;
    world.run("app", "old", "CREATE TABLE t AS SELECT 42 AS answer").await;
    world.run("gone", "old", "SET ROLE NONE; CREATE TABLE by_gone (id int)").await;

    let after = world.desired(&json!({"app": []}), &json!({"shop": ["app"]}));
    world.converge(&after).await;
    assert_eq!(world.connect("app", "old").await.unwrap_err(), "42501");
    assert_eq!(world.ask("old", "SELECT answer::text FROM t").await.unwrap(), "42");
    assert_eq!(
        world.ask("old", "SELECT relowner::regrole::text FROM pg_class WHERE relname = 'by_gone'").await.unwrap(),
        "\"old-owner\""
    );

    // Somebody shuts it.
    let mut admin = world.server.admin("postgres").await;
    execute(&mut admin, "ALTER DATABASE old ALLOW_CONNECTIONS false").await.unwrap();
    assert_eq!(world.plan(&after).await.steps, [], "nobody has to enter it");
    let told = world.catalog(&after).await.removed_databases();
    assert!(told["old"].as_ref().is_some_and(|why| why.contains("ALLOW_CONNECTIONS true")), "{told:?}");
    execute(&mut admin, "ALTER DATABASE old ALLOW_CONNECTIONS true").await.unwrap();
    assert_eq!(world.catalog(&after).await.removed_databases()["old"], None);

    let again = world.desired(&json!({"app": []}), &json!({"shop": ["app"], "old": ["app"]}));
    world.converge(&again).await;
    world.run("app", "old", "INSERT INTO t VALUES (43); DROP TABLE by_gone").await;
}

pub(crate) async fn what_is_not_ours_is_left_alone(world: &mut World) {
    let mut admin = world.server.admin("postgres").await;
    execute(&mut admin, "CREATE ROLE taken LOGIN; CREATE ROLE \"held-owner\"").await.unwrap();
    execute(&mut admin, "CREATE DATABASE theirs").await.unwrap();
    let marked_for_another =
        "CREATE ROLE neighbour LOGIN; COMMENT ON ROLE neighbour IS 'Managed by rds-reconciler for test/shop/other.'";
    execute(&mut admin, marked_for_another).await.unwrap();
    let snapshot = "SELECT string_agg(r::text || coalesce(shobj_description(oid, 'pg_authid'), ''), ';' ORDER BY rolname) FROM pg_roles r WHERE rolname IN ('taken', 'neighbour', 'held-owner')";
    let roles_before = world.ask("postgres", snapshot).await;

    let users = json!({"app": ["bypassrls"], "taken": [], "neighbour": []});
    let databases = json!({"shop": ["app", "taken"], "theirs": ["app"], "held": ["app"]});
    let desired = world.desired(&users, &databases);
    let plan = world.converge(&desired).await;
    let mut reasons: Vec<_> = plan
        .blocked
        .iter()
        .map(|blocked| (blocked.user.as_deref(), blocked.database.as_deref(), &blocked.reason))
        .collect();
    reasons.sort_by_key(|(user, database, _)| (user.is_none(), *user, *database));
    assert!(
        matches!(
            reasons.as_slice(),
            [
                (Some("app"), None, BlockedReason::AttributeNotGrantable { .. }),
                (Some("neighbour"), None, BlockedReason::RoleTaken { .. }),
                (Some("taken"), None, BlockedReason::RoleTaken { .. }),
                (None, Some("held"), BlockedReason::RoleUnmarked { .. }),
                (None, Some("theirs"), BlockedReason::DatabaseTaken { .. }),
            ]
        ),
        "{reasons:?}"
    );
    assert_eq!(world.ask("postgres", snapshot).await, roles_before);
    world.run("app", "shop", "CREATE TABLE t (id int)").await;

    // A plan of a moment ago must not take them over either.
    let stale = SqlStep::CreateUser {
        user: "taken".to_owned(),
        attributes: [].into(),
        password: Password::generate(&SystemEntropy),
        mark: world.mark.clone(),
        admin: false,
    };
    let outcomes = world.work(&[stale]).await;
    assert!(matches!(outcomes.as_slice(), [Outcome::Failed(EngineError::Conflict { .. })]), "{outcomes:?}");
    let none = world.desired(&json!({}), &json!({}));
    world.converge(&none).await;
    assert_eq!(world.ask("postgres", snapshot).await, roles_before);
}

pub(crate) async fn a_password_the_server_refuses_is_set_again(world: &mut World) {
    let desired = world.desired(&json!({"app": []}), &json!({"shop": ["app"]}));
    world.converge(&desired).await;
    world.check("app", "shop").await.unwrap();
    let mut admin = world.server.admin("postgres").await;
    execute(&mut admin, "ALTER ROLE app VALID UNTIL '2001-01-01'").await.unwrap();
    for password in [world.passwords["app"].clone(), Password::generate(&SystemEntropy)] {
        world.passwords.insert("app".parse().unwrap(), password.clone());
        let outcome = world.check("app", "shop").await;
        assert_eq!(outcome, Err(EngineError::AuthenticationFailed { user: "app".to_owned() }));
        world.apply(&SqlStep::SetPassword { user: "app".to_owned(), password }).await;
        world.check("app", "shop").await.unwrap();
        world.converge(&desired).await;
    }
}
