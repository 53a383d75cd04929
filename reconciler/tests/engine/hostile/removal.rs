//! A user that is to go, and does not want to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use sqlx::postgres::PgConnection;

use super::roles;
use crate::server::execute;
use crate::world::World;

/// Comes back every 20 ms, by any door, and holds its own role's row in an open transaction.
async fn cling(world: &World, user: &str, databases: &[&str], stop: &AtomicBool) {
    let mut held: Vec<PgConnection> = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        for database in databases {
            if let Ok(mut session) = world.connect(user, database).await {
                let hold = format!("SET ROLE NONE; BEGIN; ALTER ROLE {user} PASSWORD 'mine'");
                for statement in hold.split("; ") {
                    if execute(&mut session, &format!("SET lock_timeout = '50ms'; {statement}")).await.is_err() {
                        break;
                    }
                }
                held.push(session);
                if held.len() > 4 {
                    held.remove(0);
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) async fn i12_a_removed_user_cannot_hold_on_to_its_login(world: &mut World) {
    let users = json!({"app": [], "gone": ["createdb"], "off": []});
    let before = world.desired(&users, &json!({"shop": ["app", "gone", "off"]}));
    world.converge(&before).await;
    world.run("gone", "postgres", "CREATE DATABASE den").await;
    let after = world.desired(&json!({"app": [], "off": ["nologin"]}), &json!({"shop": ["app", "off"]}));
    let stop = Arc::new(AtomicBool::new(false));
    let work = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let plan = world.plan(&after).await;
        world.work(&plan.steps).await;
        stop.store(true, Ordering::Relaxed);
    };
    let gone = cling(world, "gone", &["shop", "postgres", "den"], &stop);
    let off = cling(world, "off", &["shop"], &stop);
    tokio::join!(work, gone, off);
    world.converge(&after).await;
    assert_eq!(roles(world).await, "app databases-heir databases-keeper off shop-owner sysadmin");
    let sessions = "SELECT count(*)::text FROM pg_stat_activity WHERE usename IN ('gone', 'off')";
    assert_eq!(world.ask("postgres", sessions).await.unwrap(), "0");
    let login = "SELECT rolcanlogin::text FROM pg_roles WHERE rolname = 'off'";
    assert_eq!(world.ask("postgres", login).await.unwrap(), "false");
}

/// From 16 on nobody could alter the roles that it made once it is gone.
pub(crate) async fn i12_no_role_of_a_removed_user_keeps_a_login(world: &mut World) {
    let before = world.desired(&json!({"app": [], "maker": ["createrole"]}), &json!({"shop": ["app"]}));
    world.converge(&before).await;
    world
        .run(
            "maker",
            "postgres",
            "CREATE ROLE child LOGIN CREATEROLE PASSWORD 'child'; GRANT CONNECT ON DATABASE postgres TO child",
        )
        .await;
    let version = world.catalog(&before).await.version;
    if version >= 160_000 {
        let mut admin = world.server.admin("postgres").await;
        execute(&mut admin, "GRANT CONNECT ON DATABASE postgres TO child").await.unwrap();
        let child = world.server.login("child", &"child".to_owned().into(), "postgres");
        let mut session = world.server.connect(&child).await.unwrap();
        execute(&mut session, "CREATE ROLE grandchild LOGIN PASSWORD 'grandchild'").await.unwrap();
    }
    let after = world.desired(&json!({"app": []}), &json!({"shop": ["app"]}));
    world.converge(&after).await;
    assert!(!roles(world).await.contains("maker"));
    if version >= 160_000 {
        let awake =
            "SELECT string_agg(rolname, ' ') FROM pg_roles WHERE rolname ~ 'child' AND (rolcanlogin OR rolcreaterole)";
        assert_eq!(world.ask("postgres", awake).await, None);
    }
}
