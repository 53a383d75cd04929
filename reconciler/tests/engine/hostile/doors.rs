//! Doors that users leave open or shut.

use reconciler::engine::postgres::{Attribute, SqlStep};
use reconciler::engine::{Mark, Outcome, Password};
use reconciler::entropy::SystemEntropy;
use serde_json::json;

use super::{as_in_v0_1_0, roles};
use crate::server::execute;
use crate::world::World;

/// One database that nobody can enter stops its own inside, and neither removals nor new users.
pub(crate) async fn i8_a_database_that_was_shut_stops_no_other(world: &mut World) {
    let before = world.desired(&json!({"app": [], "gone": []}), &json!({"shop": ["app", "gone"], "other": ["app"]}));
    world.converge(&before).await;
    as_in_v0_1_0(world, "shop").await;
    world.run("gone", "shop", "ALTER DATABASE shop SET role = 'gone'; ALTER DATABASE shop CONNECTION LIMIT 0").await;
    let mut admin = world.server.admin("postgres").await;
    execute(&mut admin, "ALTER DATABASE shop ALLOW_CONNECTIONS false").await.unwrap();
    let after = world.desired(&json!({"app": [], "new": []}), &json!({"shop": ["app", "new"], "other": ["app"]}));
    world.converge(&after).await;
    for user in ["app", "new"] {
        world.run(user, "shop", "SELECT 1").await;
    }
    assert_eq!(world.connect("gone", "shop").await.unwrap_err(), "28P01");

    // One that does not let the master in at all.
    let inside = |database: &str| SqlStep::LayOut { database: database.into(), owner: "shop-owner".into() };
    let user = SqlStep::CreateUser {
        user: "late".into(),
        attributes: [(Attribute::Login, true)].into(),
        password: Password::generate(&SystemEntropy),
        mark: Mark::new("test/shop/orders"),
        admin: false,
    };
    let outcomes = world.work(&[inside("nowhere"), user, inside("nowhere"), inside("shop")]).await;
    assert!(
        matches!(outcomes.as_slice(), [Outcome::Failed(_), Outcome::Done, Outcome::Skipped, Outcome::Done]),
        "{outcomes:?}"
    );
}

pub(crate) async fn a_database_that_a_user_makes_is_closed_to_the_others(world: &mut World) {
    let desired = world.desired(&json!({"maker": ["createdb"], "other": []}), &json!({"shop": ["other"]}));
    world.converge(&desired).await;
    // It has none of its own, and all it needs.
    assert_eq!(world.faults("maker", "postgres", &desired).await, Vec::<String>::new());
    world.run("maker", "postgres", "CREATE DATABASE scratch").await;
    world.connect("other", "scratch").await.unwrap();
    world.converge(&desired).await;
    assert_eq!(world.connect("other", "scratch").await.unwrap_err(), "42501");
    world.run("maker", "scratch", "CREATE TABLE mine (id int)").await;
    world.run("maker", "postgres", "DROP DATABASE scratch").await;
}

/// A member of an owner role can give it a database of its own, and any other member could drop that then.
pub(crate) async fn an_owner_role_owns_no_database(world: &mut World) {
    let desired = world.desired(&json!({"maker": ["createdb"], "app": []}), &json!({"shop": ["maker", "app"]}));
    world.converge(&desired).await;
    world.run("maker", "postgres", "CREATE DATABASE gift").await;
    world.run("maker", "postgres", "ALTER DATABASE gift OWNER TO \"shop-owner\"").await;
    world.converge(&desired).await;
    let owner = "SELECT datdba::regrole::text FROM pg_database WHERE datname = 'gift'";
    assert_eq!(world.ask("postgres", owner).await.unwrap(), r#""databases-heir""#);
    assert_eq!(world.refused("app", "shop", "SET ROLE \"shop-owner\"; DROP DATABASE gift").await, "25001");
}

pub(crate) async fn i7_a_user_that_undoes_what_it_acts_as_is_set_right(world: &mut World) {
    let desired = world.desired(&json!({"app": []}), &json!({"shop": ["app"]}));
    world.converge(&desired).await;
    world.run("app", "shop", "SET ROLE NONE; ALTER ROLE app IN DATABASE shop RESET role").await;
    world.run("app", "shop", "CREATE TABLE alone (id int)").await;
    world.converge(&desired).await;
    world.run("app", "shop", "ALTER TABLE alone ADD COLUMN more int").await;
    let owner = "SELECT relowner::regrole::text FROM pg_class WHERE relname = 'alone'";
    assert_eq!(world.ask("shop", owner).await.unwrap(), r#""shop-owner""#);
    assert_eq!(roles(world).await, "app databases-keeper shop-owner sysadmin");
    let mut session = world.connect("app", "shop").await.unwrap();
    execute(&mut session, "SELECT 1").await.unwrap();
}
