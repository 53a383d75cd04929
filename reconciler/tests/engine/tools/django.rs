//! Django's migrations and its test runner.

use std::fs;
use std::path::PathBuf;

use super::bench::Bench;
use super::toolbox::{OLD_DJANGO_FOLDER, PYTHON};

pub(super) async fn two_users_migrate(bench: &Bench) {
    let Some(project) = Project::of(bench, "migrations") else { return };
    project.manage("app", &["makemigrations", "library"]).await;
    project.manage("app", &["migrate"]).await;
    bench.world.run("report", "django", "INSERT INTO library_author (name) VALUES ('Ada')").await;

    project.moves_on();
    project.manage("report", &["makemigrations", "library"]).await;
    project.manage("report", &["migrate"]).await;
    bench.world.run("app", "django", "INSERT INTO library_book (title) VALUES ('On restores')").await;
    bench.all_belongs_to_the_owner_role("django").await;

    project.manage("app", &["migrate", "library", "0001"]).await;
    bench.world.run("report", "django", "INSERT INTO library_author (name) VALUES ('Ada')").await;
}

/// The runner makes a database from `postgres`, and drops it from there: a database cannot be dropped from within.
pub(super) async fn a_user_with_createdb_runs_tests(bench: &Bench) {
    let Some(project) = Project::of(bench, "tests") else { return };
    project.moves_on();
    project.manage("chief", &["makemigrations", "library"]).await;
    let said = project.manage("chief", &["test", "--no-input"]).await;
    assert!(said.contains("Ran 2 tests"), "{said}");
    for trouble in ["RuntimeWarning", "cannot drop"] {
        assert!(!said.contains(trouble), "{said}");
    }
    let left = "SELECT datname::text FROM pg_database WHERE datname ~ '^test_'";
    assert_eq!(bench.world.ask("postgres", left).await, None);
}

struct Project<'a> {
    bench: &'a Bench,
    python: PathBuf,
    old_django: PathBuf,
    folder: PathBuf,
}

impl<'a> Project<'a> {
    fn of(bench: &'a Bench, trial: &str) -> Option<Self> {
        let python = bench.tool(&PYTHON, "Django")?;
        let old_django = bench.tool(&OLD_DJANGO_FOLDER, "Django")?;
        Some(Self { bench, python, old_django, folder: bench.project("django", trial) })
    }

    fn moves_on(&self) {
        let library = self.folder.join("library");
        fs::rename(library.join("models_later.py"), library.join("models.py")).unwrap();
    }

    async fn manage(&self, user: &str, arguments: &[&str]) -> String {
        let mut command = self.bench.command(&self.python, user, "django");
        command.arg("manage.py").args(arguments).current_dir(&self.folder);
        if self.bench.major() < 14 {
            command.env("PYTHONPATH", &self.old_django);
        }
        self.bench.run(&mut command).await
    }
}
