//! `pg_dump` and `pg_restore`: a database is copied into another one of the same object, by users that are nothing special.

use std::fs;
use std::path::{Path, PathBuf};

use super::bench::Bench;
use super::toolbox::{CLIENTS_16, CLIENTS_18, PROJECTS};

pub(super) async fn plain_users_copy_a_database(bench: &Bench) {
    let Some(copying) = Copying::of(bench, "plain", "plain_copy") else { return };
    for user in ["app", "report"] {
        bench.world.run(user, "plain", &everything_of(user)).await;
    }
    copying.dump("app").await;
    copying.restore("report", &["--no-owner"]).await;
    copying.is_complete().await;
}

/// What has been handed over since, and what has not, but is shared.
pub(super) async fn plain_users_copy_what_a_user_with_flags_made(bench: &Bench) {
    let Some(copying) = Copying::of(bench, "mixed", "mixed_copy") else { return };
    for user in ["app", "report", "chief"] {
        bench.world.run(user, "mixed", &everything_of(user)).await;
    }
    bench.look().await;
    let late = "CREATE SCHEMA late; CREATE TABLE late.t (id serial PRIMARY KEY, state chief_state);
                CREATE VIEW late.v AS SELECT id FROM late.t; CREATE SEQUENCE late.s; CREATE TYPE late.e AS ENUM ('a');
                CREATE FUNCTION late.f() RETURNS int LANGUAGE sql AS 'SELECT 1'; INSERT INTO late.t (state) VALUES ('here')";
    bench.world.run("chief", "mixed", late).await;
    copying.dump("app").await;
    // The dump has the default privileges of a user that the one who restores is not.
    copying.restore("report", &["--no-owner", "--no-acl"]).await;
    copying.is_complete().await;
}

fn everything_of(user: &str) -> String {
    fs::read_to_string(Path::new(PROJECTS).join("everything.sql")).unwrap().replace("WHO", user)
}

struct Copying<'a> {
    bench: &'a Bench,
    programs: PathBuf,
    from: &'static str,
    to: &'static str,
}

impl<'a> Copying<'a> {
    fn of(bench: &'a Bench, from: &'static str, to: &'static str) -> Option<Self> {
        let clients = if bench.major() > 16 { &CLIENTS_18 } else { &CLIENTS_16 };
        let programs = bench.tool(clients, "pg_dump and pg_restore")?;
        Some(Self { bench, programs, from, to })
    }

    async fn dump(&self, user: &str) {
        let file = format!("{}.dump", self.from);
        self.run(user, self.from, "pg_dump", &["--format=custom", "--file", &file]).await;
    }

    async fn restore(&self, user: &str, options: &[&str]) {
        let file = format!("{}.dump", self.from);
        let arguments = [options, &["--single-transaction", "--dbname", self.to, &file]].concat();
        let said = self.run(user, self.to, "pg_restore", &arguments).await;
        assert_eq!(said, "");
    }

    /// The copy's dump is the original's, and the copy belongs to its own database's users.
    async fn is_complete(&self) {
        let (original, copy) = (self.text("app", self.from).await, self.text("report", self.to).await);
        // How large objects are put together, with comments and transactions of their own, depends on the privileges that are left out.
        let said = |line: &&str| !(line.is_empty() || line.starts_with("--") || matches!(*line, "BEGIN;" | "COMMIT;"));
        let statements = |text: &str| -> Vec<String> { text.lines().filter(said).map(str::to_owned).collect() };
        let (original, copy) = (statements(&original), statements(&copy));
        assert_eq!(original.iter().zip(&copy).find(|(one, other)| one != other), None);
        assert_eq!(original.len(), copy.len());
        self.bench.all_belongs_to_the_owner_role(self.to).await;
        for user in ["app", "report"] {
            let use_it = "ALTER TABLE app_books ADD COLUMN more int; DELETE FROM of_app.lines; DELETE FROM app_books;
                          SELECT lo_get(oid) FROM pg_largeobject_metadata; ALTER TABLE app_books DROP COLUMN more";
            self.bench.world.run(user, self.to, use_it).await;
        }
    }

    /// A database as SQL, without the key that newer ones write into each dump.
    async fn text(&self, user: &str, database: &str) -> String {
        let text = self.run(user, database, "pg_dump", &["--no-owner", "--no-acl"]).await;
        assert!(text.contains(&hex::encode("large, of app")), "{text}");
        let key = |line: &&str| line.starts_with(r"\restrict") || line.starts_with(r"\unrestrict");
        text.lines().filter(|line| !key(line)).map(|line| format!("{line}\n")).collect()
    }

    async fn run(&self, user: &str, database: &str, program: &str, arguments: &[&str]) -> String {
        let mut command = self.bench.command(self.programs.join(program), user, database);
        self.bench.run(command.args(arguments)).await
    }
}
