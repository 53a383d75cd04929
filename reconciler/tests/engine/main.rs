//! The SQL engine on real PostgreSQL servers, with a master user restricted as on RDS.

// Everything here is a test, also what is not marked as one.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod changes;
mod crash;
mod failures;
mod server;
mod sharing;
mod world;

use world::World;

macro_rules! scenarios {
    ($world:ident: $($module:ident :: $scenario:ident),* $(,)?) => {
        $(
            let started = std::time::Instant::now();
            $world.server.reset().await;
            $module::$scenario(&mut $world).await;
            eprintln!("{} took {:?}", stringify!($scenario), started.elapsed());
        )*
    };
}

async fn all_scenarios_on(release: &str) {
    let mut world = World::on(release).await;
    scenarios!(world:
        sharing::users_of_a_database_share_what_they_make,
        sharing::a_plain_user_acts_as_the_owner_for_good,
        sharing::the_check_reports_what_a_user_may_do,
        changes::a_removed_user_leaves_its_objects_to_the_owner_role,
        changes::flags_change_both_ways,
        changes::a_user_that_is_unmapped_is_shut_out_at_once,
        changes::a_removed_database_is_kept_and_closed,
        changes::what_is_not_ours_is_left_alone,
        changes::a_password_the_server_refuses_is_set_again,
        crash::building_up_survives_a_kill,
        crash::tearing_down_survives_a_kill,
        failures::each_failure_has_its_own_error,
        failures::at_rest_nothing_is_written,
    );
    failures::no_password_is_in_the_log(&world);
}

#[tokio::test]
async fn on_12() {
    all_scenarios_on("12.22.0").await;
}

#[tokio::test]
async fn on_15() {
    all_scenarios_on("15.19.0").await;
}

#[tokio::test]
async fn on_18() {
    all_scenarios_on("18.4.0").await;
}

/// Where the master does not own the schema `public`, up to PostgreSQL 14, it stays as it is, and the database is closed all the same.
#[tokio::test]
async fn on_12_with_a_public_schema_of_someone_else() {
    let mut world = World::on("12.22.0").await;
    world.server.give_public_schema_to_admin().await;
    scenarios!(world:
        sharing::users_of_a_database_share_what_they_make,
        sharing::the_check_reports_what_a_user_may_do,
        changes::a_removed_user_leaves_its_objects_to_the_owner_role,
    );
}
