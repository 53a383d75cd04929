//! Where the tools are tried: a server as declared, and a folder for what they read and write.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use reconciler::engine::Login;
use shared::rules::Desired;
use tempfile::TempDir;
use tokio::process::Command;

use super::toolbox::{Found, Lacking, PROJECTS};
use crate::world::World;

/// No tool here has much to do.
const DEADLINE: Duration = Duration::from_mins(2);

pub(super) struct Bench {
    pub(super) release: &'static str,
    pub(super) world: World,
    desired: Desired,
    folder: TempDir,
}

impl Bench {
    pub(super) fn new(release: &'static str, world: World, desired: Desired) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        fs::write(folder.path().join("root.crt"), &world.server.ca_pem).unwrap();
        Self { release, world, desired, folder }
    }

    pub(super) fn major(&self) -> u32 {
        self.release.split('.').next().unwrap().parse().unwrap()
    }

    /// A tool, or nothing where the machine cannot have it: this is said even where the output of tests is not shown.
    pub(super) fn tool(&self, found: &Found, trial: &str) -> Option<PathBuf> {
        match found {
            Ok(path) => Some(path.clone()),
            Err(Lacking::Missing(why)) => {
                let words = format!("skipped: {trial} on {}: {why}\n", self.release);
                std::io::stderr().write_all(words.as_bytes()).unwrap();
                None
            }
            Err(Lacking::Broken(why)) => panic!("not to be installed: {why}"),
        }
    }

    /// What the operator does every few minutes.
    pub(super) async fn look(&self) {
        self.world.converge(&self.desired).await;
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A copy of a project for one trial, whose tool may write to it.
    pub(super) fn project(&self, name: &str, trial: &str) -> PathBuf {
        let copy = self.path(trial);
        copy_folder(&Path::new(PROJECTS).join(name), &copy);
        copy
    }

    /// A program that is run for a user of a database. Of the user it has the variables that libpq knows, and nothing of whoever runs
    /// the tests.
    pub(super) fn command(&self, program: impl AsRef<OsStr>, user: &str, database: &str) -> Command {
        let Login { host, port, password, .. } = self.world.login(user, database);
        let authority = self.path("root.crt");
        let mut command = Command::new(program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.current_dir(self.folder.path()).env("HOME", self.folder.path()).env("LC_ALL", "C.UTF-8");
        command.env("PGHOST", &host).env("PGPORT", port.to_string()).env("PGDATABASE", database);
        command.env("PGUSER", user).env("PGPASSWORD", password.expose());
        command.env("PGSSLMODE", "verify-full").env("PGSSLROOTCERT", &authority);
        // Java's driver knows no variables, and Flyway has some of its own.
        let tls = format!("sslmode=verify-full&sslrootcert={}", authority.display());
        command.env("FLYWAY_URL", format!("jdbc:postgresql://{host}:{port}/{database}?{tls}"));
        command.env("FLYWAY_USER", user).env("FLYWAY_PASSWORD", password.expose());
        command
    }

    /// Everything that a program has said. It has to succeed.
    pub(super) async fn run(&self, command: &mut Command) -> String {
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output();
        let output = tokio::time::timeout(DEADLINE, output).await;
        let arguments = command.as_std().get_args().collect::<Vec<_>>();
        let user = command.as_std().get_envs().find(|(name, _)| *name == "PGUSER").and_then(|(_, user)| user);
        let what = format!("{arguments:?} as {user:?}");
        let output = output.expect(&what).expect(&what);
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{what}: {}\n{said}", output.status);
        said
    }

    /// Everything that two plain users have made belongs to the owner role, whichever of them made it.
    pub(super) async fn all_belongs_to_the_owner_role(&self, database: &str) {
        let owners = self.world.ask(database, OWNERS).await;
        assert_eq!(owners, Some(format!("\"{database}-owner\"")), "in {database}");
    }
}

/// Whose the relations, routines, types and schemas are that did not come with the server.
const OWNERS: &str = "
    SELECT string_agg(DISTINCT owner::regrole::text, ' ')
    FROM (SELECT relnamespace, relowner FROM pg_class
          UNION ALL SELECT pronamespace, proowner FROM pg_proc
          UNION ALL SELECT typnamespace, typowner FROM pg_type
          UNION ALL SELECT oid, nspowner FROM pg_namespace WHERE nspname <> 'public') AS made (namespace, owner)
    WHERE namespace::regnamespace::text !~ '^(pg_|information_schema)'";

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
