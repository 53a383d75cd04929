//! golang-migrate, on Go's lib/pq.

use super::bench::Bench;
use super::toolbox::MIGRATE;

pub(super) async fn two_users_go_up_and_down(bench: &Bench) {
    let Some(migrate) = bench.tool(&MIGRATE, "golang-migrate") else { return };
    let folder = bench.project("golang-migrate", "golang-migrate");
    for (user, steps) in [
        ("app", ["up", "1"]),
        ("report", ["up", "1"]),
        ("app", ["down", "-all"]),
        ("report", ["up", "2"]),
        ("app", ["down", "1"]),
        ("app", ["up", "1"]),
    ] {
        let mut command = bench.command(&migrate, user, "golang_migrate");
        // The rest of the URL comes from the variables of libpq.
        command.args(["-path", ".", "-database", "postgres:///golang_migrate"]).args(steps);
        bench.run(command.current_dir(&folder)).await;
        bench.all_belongs_to_the_owner_role("golang_migrate").await;
    }
    bench.world.run("report", "golang_migrate", "INSERT INTO lending.books (author, state) VALUES (1, 'lent')").await;
}
