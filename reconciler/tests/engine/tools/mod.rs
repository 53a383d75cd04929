//! The tools that applications bring along: two plain users of a database run them in turn, with nothing but their own logins.
//!
//! Each is installed once, by its own client and in exactly one version, and kept in the user's cache folder. Where a machine has no
//! Python, Java with Maven, or Go, the tools that need it are left out, and stderr says so.

mod alembic;
mod bench;
mod django;
mod dump;
mod flyway;
mod golang_migrate;
mod toolbox;

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use serde_json::json;

use self::bench::Bench;
use crate::world::World;

/// Tries one tool after the other, all of them also where one fails, and tells which did.
macro_rules! trials {
    ($bench:ident: $($module:ident :: $trial:ident),* $(,)?) => {{
        let mut failed = Vec::new();
        $(
            let name = concat!(stringify!($module), "::", stringify!($trial));
            let started = std::time::Instant::now();
            if AssertUnwindSafe($module::$trial(&$bench)).catch_unwind().await.is_err() {
                failed.push(name);
            }
            eprintln!("{name} took {:?}", started.elapsed());
        )*
        assert!(failed.is_empty(), "failed, each as said above: {failed:?}");
    }};
}

async fn all_tools_on(release: &'static str) {
    toolbox::install_ahead();
    let mut world = World::on(release).await;
    let users = json!({"app": [], "report": [], "chief": ["createdb"]});
    let databases = json!({
        "django": ["app", "report", "chief"],
        "alembic": ["app", "report"],
        "golang_migrate": ["app", "report"],
        "flyway": ["app", "report"],
        "plain": ["app", "report"],
        "plain_copy": ["app", "report"],
        "mixed": ["app", "report", "chief"],
        "mixed_copy": ["app", "report", "chief"],
    });
    let desired = world.desired(&users, &databases);
    world.converge(&desired).await;
    let bench = Bench::new(release, world, desired);
    trials!(bench:
        django::two_users_migrate,
        django::a_user_with_createdb_runs_tests,
        alembic::two_users_upgrade_and_downgrade,
        golang_migrate::two_users_go_up_and_down,
        flyway::two_users_migrate_and_clean,
        dump::plain_users_copy_a_database,
        dump::plain_users_copy_what_a_user_with_flags_made,
    );
}

#[tokio::test]
async fn on_12() {
    all_tools_on("12.22.0").await;
}

#[tokio::test]
async fn on_16() {
    all_tools_on("16.15.0").await;
}

#[tokio::test]
async fn on_18() {
    all_tools_on("18.4.0").await;
}
