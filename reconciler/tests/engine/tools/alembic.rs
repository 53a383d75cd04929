//! Alembic, on SQLAlchemy.

use super::bench::Bench;
use super::toolbox::PYTHON;

pub(super) async fn two_users_upgrade_and_downgrade(bench: &Bench) {
    let Some(python) = bench.tool(&PYTHON, "Alembic") else { return };
    let folder = bench.project("alembic", "alembic");
    for (user, step, revision) in [
        ("app", "upgrade", "0001"),
        ("report", "upgrade", "head"),
        ("app", "downgrade", "base"),
        ("report", "upgrade", "0001"),
        ("app", "upgrade", "head"),
    ] {
        let mut command = bench.command(&python, user, "alembic");
        bench.run(command.args(["-m", "alembic", step, revision]).current_dir(&folder)).await;
        bench.all_belongs_to_the_owner_role("alembic").await;
    }
    bench.world.run("report", "alembic", "INSERT INTO books (author, state) VALUES (1, 'lent')").await;
}
