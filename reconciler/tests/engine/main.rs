//! The SQL engine on real PostgreSQL servers, with a master user restricted as on RDS.

// Everything here is a test, also what is not marked as one.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod changes;
mod crash;
mod failures;
mod hostile;
mod model;
mod patience;
// The simulation uses all of them.
#[allow(dead_code)]
#[path = "../simulation/server/postgres/mod.rs"]
mod postgres;
mod server;
mod sharing;
mod statistics;
mod tools;
mod v0_1_0;
#[allow(dead_code)]
#[path = "../simulation/server/wanted.rs"]
mod wanted;
mod world;

use hostile::{code, doors, loss, marks, removal};
use world::World;

macro_rules! scenarios {
    ($world:ident: $($module:ident :: $scenario:ident),* $(,)?) => {
        $(if chosen(stringify!($module::$scenario)) {
            let started = std::time::Instant::now();
            $world.reset().await;
            $module::$scenario(&mut $world).await;
            eprintln!("{} took {:?}", stringify!($scenario), started.elapsed());
        })*
    };
}

/// `SCENARIO=removal` runs those whose names contain it.
fn chosen(name: &str) -> bool {
    std::env::var("SCENARIO").is_ok_and(|part| name.replace(' ', "").contains(&part))
        || std::env::var("SCENARIO").is_err()
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
        crash::i11_building_up_survives_a_kill,
        crash::i11_tearing_down_survives_a_kill,
        patience::an_application_that_starts_first_keeps_its_rows_and_shares_them,
        patience::i11_a_birth_that_is_interrupted_lets_nobody_in_early,
        patience::what_a_plain_user_owns_itself_becomes_everybodys,
        patience::what_a_user_with_flags_makes_is_handed_over,
        patience::a_busy_table_is_left_and_stops_no_other,
        sharing::what_is_dropped_meanwhile_stops_no_hand_over,
        doors::i8_a_database_that_was_shut_stops_no_other,
        doors::a_database_that_a_user_makes_is_closed_to_the_others,
        doors::an_owner_role_owns_no_database,
        doors::i7_a_user_that_undoes_what_it_acts_as_is_set_right,
        loss::i2_no_user_drops_copies_or_shuts_its_database,
        loss::i2_a_lost_database_is_not_made_anew,
        loss::i7_a_database_that_an_interrupted_drop_left_is_told_of,
        loss::i5_what_users_own_in_a_renamed_database_is_left,
        marks::i12_a_copied_mark_makes_nobody_ours,
        marks::i12_only_the_master_is_a_member_of_the_keeper,
        marks::i7_the_master_stays_the_administrator_over_an_upgrade,
        removal::i12_a_removed_user_cannot_hold_on_to_its_login,
        removal::i12_no_role_of_a_removed_user_keeps_a_login,
        code::i12_no_operator_or_function_of_a_user_runs_as_the_master,
        code::i12_what_a_removed_user_left_in_its_own_database_runs_as_nobody,
        statistics::a_user_gathers_what_its_tables_lack,
        failures::each_failure_has_its_own_error,
        failures::at_rest_nothing_is_written,
    );
    if std::env::var("SCENARIO").is_err() {
        failures::no_password_is_in_the_log(&world);
    }
}

#[tokio::test]
async fn on_12() {
    all_scenarios_on("12.22.0").await;
}

#[tokio::test]
async fn on_16() {
    all_scenarios_on("16.15.0").await;
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

async fn after_v0_1_0_on(release: &str) {
    let mut world = World::on(release).await;
    scenarios!(world:
        v0_1_0::the_first_visit_brings_all_to_the_new_form_while_users_work,
        v0_1_0::i11_the_first_visit_survives_a_kill_after_each_statement,
    );
}

#[tokio::test]
async fn after_v0_1_0_on_12() {
    after_v0_1_0_on("12.22.0").await;
}

#[tokio::test]
async fn after_v0_1_0_on_16() {
    after_v0_1_0_on("16.15.0").await;
}

#[tokio::test]
async fn after_v0_1_0_on_18() {
    after_v0_1_0_on("18.4.0").await;
}

async fn the_model_of_a_server_is_held_to_it_on(release: &str) {
    let mut world = World::on(release).await;
    scenarios!(world: model::the_model_answers_as_the_server);
}

#[tokio::test]
async fn the_model_of_a_server_is_held_to_it_on_12() {
    the_model_of_a_server_is_held_to_it_on("12.22.0").await;
}

#[tokio::test]
async fn the_model_of_a_server_is_held_to_it_on_16() {
    the_model_of_a_server_is_held_to_it_on("16.15.0").await;
}
