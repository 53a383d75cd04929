//! Flyway, on Java's driver.

use std::path::PathBuf;

use super::bench::Bench;
use super::toolbox::FLYWAY;

pub(super) async fn two_users_migrate_and_clean(bench: &Bench) {
    let Some(classes) = bench.tool(&FLYWAY, "Flyway") else { return };
    let flyway =
        Flyway { bench, folder: bench.project("flyway", "flyway"), classes: format!("{}/*", classes.display()) };
    flyway.run("app", &["-target=1", "migrate"]).await;
    flyway.run("report", &["-cleanDisabled=false", "migrate", "clean"]).await;
    let left = "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'public'::regnamespace";
    assert_eq!(bench.world.ask("flyway", left).await, None);

    flyway.run("app", &["migrate"]).await;
    bench.all_belongs_to_the_owner_role("flyway").await;
    bench.world.run("report", "flyway", "INSERT INTO books (author, title, state) VALUES (1, 'More', 'lent')").await;
}

struct Flyway<'a> {
    bench: &'a Bench,
    folder: PathBuf,
    classes: String,
}

impl Flyway<'_> {
    async fn run(&self, user: &str, commands: &[&str]) {
        let mut command = self.bench.command("java", user, "flyway");
        // Java is to start soon: nothing here runs for long.
        command.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", &self.classes]);
        command.args(["org.flywaydb.commandline.Main", "-locations=filesystem:sql", "-skipCheckForUpdate"]);
        self.bench.run(command.args(commands).current_dir(&self.folder)).await;
    }
}
