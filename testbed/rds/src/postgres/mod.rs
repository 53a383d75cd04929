//! The real servers: installing PostgreSQL, making data directories, running, securing and copying them.

mod admin;
mod archive;
mod backup;
pub(crate) mod certificates;
mod clients;
mod config;
mod duplicate;
mod extensions;
mod install;
mod layout;
pub(crate) mod logs;
mod parameters;
mod postmaster;
mod recovery;
mod roles;
mod spawner;
mod upgrade;

use std::io;
use std::path::{Path, PathBuf};

use rds_model::EngineVersion;

pub(crate) use admin::AdminPassword;
pub(crate) use archive::{discard, keep_as_snapshot, prune};
pub(crate) use backup::copy_offline;
pub(crate) use layout::Layout;
pub(crate) use postmaster::{Environment, Postmaster, free_port};
pub(crate) use recovery::Recovery;
pub(crate) use spawner::Spawner;

/// Something about a real server failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PostgresError {
    #[error("PostgreSQL {version} cannot be installed: {source}")]
    Install { version: String, source: Box<postgresql_embedded::Error> },
    #[error("{path}: {source}", path = path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{program} cannot be started: {source}", program = program.display())]
    Spawn { program: PathBuf, source: io::Error },
    #[error("{program} failed: {output}")]
    Program { program: &'static str, output: String },
    #[error("the server did not accept connections within {seconds} s: {last}")]
    NotReady { seconds: u64, last: String },
    #[error("a statement of the server's own administration failed: {0}")]
    Sql(#[from] sqlx::Error),
    #[error("the certificate cannot be made: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error("no port between {first} and {last} is free")]
    NoPort { first: u16, last: u16 },
    #[error("snapshot {0} holds no data")]
    EmptySnapshot(String),
    #[error("the write-ahead log {segment} was not archived within {seconds} s")]
    NotArchived { segment: String, seconds: u64 },
}

impl PostgresError {
    /// An I/O error with the file it is about.
    fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}

/// Fetches PostgreSQL, so that a server can do without the network later, and gives the folder of its programs. A version is what a creation
/// may name; `clients` are those that major upgrades need.
///
/// # Errors
/// When there is no such version, or it cannot be had.
pub async fn fetch(version: &str) -> anyhow::Result<PathBuf> {
    if version == "clients" {
        return Ok(clients::install(install::cache_folder(), u16::MAX).await?);
    }
    let unknown = || anyhow::anyhow!("there is no version {version} of PostgreSQL");
    let version = EngineVersion::resolve(Some(version)).ok_or_else(unknown)?;
    Ok(install::install(install::cache_folder(), version).await?)
}

/// Removes a directory, also when it is not there.
fn remove_dir(path: &Path) -> Result<(), PostgresError> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(PostgresError::file(path)(error)),
        _ => Ok(()),
    }
}
