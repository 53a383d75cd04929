//! PostgreSQL's programs, downloaded once for each version and kept in the user's cache folder.

use std::fs::{File, create_dir_all};
use std::path::PathBuf;

use nix::fcntl::{Flock, FlockArg};
use postgresql_embedded::{PostgreSQL, Settings, VersionReq};
use rds_model::EngineVersion;

use super::PostgresError;

/// Where the bundles with glibc builds of PostgreSQL 12 and later come from.
const RELEASES: &str = "https://github.com/zonkyio/embedded-postgres-binaries";

/// The folder in which versions are installed: `$XDG_CACHE_HOME/rds-operator/postgresql`.
pub(crate) fn cache_folder() -> PathBuf {
    std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache")))
        .unwrap_or_else(std::env::temp_dir)
        .join("rds-operator")
        .join("postgresql")
}

/// Makes sure that `version` is installed below `cache` and gives the folder of its programs. A file lock lets one process at a time
/// download a version.
pub(crate) async fn install(cache: PathBuf, version: EngineVersion) -> Result<PathBuf, PostgresError> {
    let release = format!("{}.0", version.community());
    let programs = cache.join(&release).join("bin");
    if programs.join("postgres").is_file() {
        return Ok(programs);
    }
    let lock = {
        let path = cache.join(format!("{release}.lock"));
        let folder = cache.clone();
        let locking = tokio::task::spawn_blocking(move || {
            create_dir_all(folder)?;
            let file = File::create(path)?;
            Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| std::io::Error::from(errno))
        });
        locking.await.map_err(std::io::Error::other).and_then(|lock| lock).map_err(PostgresError::file(&cache))?
    };
    // `setup` would also make a database unless it finds a configuration file, and cannot do that for root.
    let no_database = cache.join("no-database");
    let marker = no_database.join("postgresql.conf");
    create_dir_all(&no_database).and_then(|()| File::create(&marker)).map_err(PostgresError::file(&marker))?;
    let failed = |source| PostgresError::Install { version: release.clone(), source: Box::new(source) };
    let settings = Settings {
        releases_url: RELEASES.to_owned(),
        version: VersionReq::parse(&format!("={release}")).map_err(|error| failed(error.into()))?,
        installation_dir: cache.clone(),
        data_dir: no_database,
        temporary: false,
        ..Settings::default()
    };
    tracing::info!(version = release, "installing PostgreSQL");
    let mut postgresql = PostgreSQL::new(settings);
    postgresql.setup().await.map_err(failed)?;
    drop(lock);
    Ok(programs)
}
