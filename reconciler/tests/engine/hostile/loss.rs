//! No user drops a database, and one that is gone is not replaced by an empty one (I2).

use reconciler::engine::Known;
use reconciler::engine::postgres::{BlockedReason, SqlStep};
use serde_json::json;
use shared::rules::DatabaseName;

use crate::server::execute;
use crate::world::World;

pub(crate) async fn i2_no_user_drops_copies_or_shuts_its_database(world: &mut World) {
    let users = json!({"app": [], "maker": ["createdb"], "worker": []});
    let desired = world.desired(&users, &json!({"shop": ["app", "maker"], "other": ["app", "worker"]}));
    world.converge(&desired).await;
    let attacks = [
        ("app", "other", "SET ROLE NONE; SET ROLE \"shop-owner\"; DROP DATABASE shop"),
        ("maker", "postgres", "DROP DATABASE shop"),
        ("maker", "postgres", "SET ROLE \"shop-owner\"; DROP DATABASE shop"),
        ("maker", "postgres", "CREATE DATABASE copy TEMPLATE shop"),
        ("maker", "postgres", "ALTER DATABASE shop RENAME TO mine"),
        ("app", "shop", "ALTER DATABASE shop CONNECTION LIMIT 0"),
        ("app", "shop", "ALTER DATABASE shop ALLOW_CONNECTIONS false"),
        ("app", "shop", "ALTER DATABASE shop SET role = 'app'"),
        ("app", "shop", "ALTER DATABASE shop SET search_path = 'evil'"),
        ("app", "shop", "ALTER DATABASE shop OWNER TO app"),
    ];
    for (user, database, attack) in attacks {
        let mut session = world.connect(user, database).await.unwrap();
        let mut refused = None;
        for statement in attack.split("; ") {
            refused = execute(&mut session, statement).await.err();
        }
        let code = refused.map(crate::world::sqlstate);
        assert_eq!(code.as_deref(), Some("42501"), "{user} in {database}: {attack}");
    }
    // What they grant has no effect.
    world.run("app", "shop", "GRANT CONNECT ON DATABASE shop TO PUBLIC").await;
    assert_eq!(world.connect("worker", "shop").await.unwrap_err(), "42501");
    assert_eq!(world.plan(&desired).await.steps, []);
}

pub(crate) async fn i2_a_lost_database_is_not_made_anew(world: &mut World) {
    let desired = world.desired(&json!({"app": []}), &json!({"shop": ["app"], "other": ["app"]}));
    world.converge(&desired).await;
    world.record(&desired).await;
    let shop: DatabaseName = "shop".parse().unwrap();
    let oid = world.known[&shop].oid;

    let mut admin = world.server.admin("postgres").await;
    execute(&mut admin, "ALTER DATABASE shop RENAME TO kept").await.unwrap();
    let plan = world.plan(&desired).await;
    let lost = |renamed_to: Option<&str>| BlockedReason::DatabaseLost {
        database: "shop".into(),
        oid,
        renamed_to: renamed_to.map(str::to_owned),
    };
    assert!(plan.blocked.iter().any(|blocked| blocked.reason == lost(Some("kept"))), "{:?}", plan.blocked);
    execute(&mut admin, "ALTER DATABASE kept RENAME TO shop").await.unwrap();
    world.converge(&desired).await;

    execute(&mut admin, "DROP DATABASE shop").await.unwrap();
    let plan = world.plan(&desired).await;
    assert_eq!((plan.steps, plan.blocked.len()), (vec![], 1), "what is lost is left alone");
    assert_eq!(plan.blocked[0].reason, lost(None));
    // A word about another one is none.
    world.known.insert(shop.clone(), Known { oid, replaceable: true });
    let plan = world.plan(&desired).await;
    assert!(matches!(plan.steps.first(), Some(SqlStep::CreateDatabase { .. })), "{:?}", plan.steps);
    world.converge(&desired).await;
    world.record(&desired).await;
    assert_ne!(world.known[&shop].oid, oid);
    world.run("app", "shop", "CREATE TABLE t (id int)").await;
}

/// A server that dies in the middle of a DROP DATABASE leaves one that looks well and lets nobody in.
pub(crate) async fn i7_a_database_that_an_interrupted_drop_left_is_told_of(world: &mut World) {
    let desired = world.desired(&json!({"app": []}), &json!({"shop": ["app"]}));
    world.converge(&desired).await;
    let mut admin = world.server.admin("postgres").await;
    execute(&mut admin, "UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'shop'").await.unwrap();
    let plan = world.plan(&desired).await;
    let reasons: Vec<_> = plan.blocked.into_iter().map(|blocked| blocked.reason).collect();
    assert_eq!((plan.steps, reasons), (vec![], vec![BlockedReason::DatabaseBroken { database: "shop".into() }]));
    execute(&mut admin, "UPDATE pg_database SET datconnlimit = -1 WHERE datname = 'shop'").await.unwrap();
}

/// A renamed database keeps the owner role of its old name: there is nobody to hand over to, and nothing is tried again and again.
pub(crate) async fn i5_what_users_own_in_a_renamed_database_is_left(world: &mut World) {
    let desired = world.desired(&json!({"app": []}), &json!({"shop": ["app"]}));
    world.converge(&desired).await;
    world.record(&desired).await;
    world.run("app", "shop", "SET ROLE NONE; CREATE TABLE own (id int)").await;
    let mut admin = world.server.admin("postgres").await;
    execute(&mut admin, "ALTER DATABASE shop RENAME TO kept").await.unwrap();
    world.converge(&desired).await;
    execute(&mut admin, "ALTER DATABASE kept RENAME TO shop").await.unwrap();
    world.converge(&desired).await;
    let owner = "SELECT relowner::regrole::text FROM pg_class WHERE relname = 'own'";
    assert_eq!(world.ask("shop", owner).await.unwrap(), "\"shop-owner\"");
}
