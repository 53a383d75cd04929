//! Copying the data of a running server.

use std::io;
use std::path::{Path, PathBuf};

use rds_model::EngineVersion;
use sqlx::PgConnection;

use super::PostgresError;
use super::admin::execute;

/// What a copy leaves out: what belongs to the running server, and what PostgreSQL's documentation of low-level base backups lists.
const LEFT_OUT: [&str; 8] = [
    "postmaster.pid",
    "postmaster.opts",
    "pg_replslot",
    "pg_dynshmem",
    "pg_notify",
    "pg_serial",
    "pg_stat_tmp",
    "pg_subtrans",
];
/// Copied last, when everything needed to make the copy consistent has been written.
const WRITE_AHEAD_LOG: &str = "pg_wal";

/// Copies `data`, which a server is using, to `target`. A temporary replication slot keeps the write-ahead log that is needed.
pub(crate) async fn copy_online(
    connection: &mut PgConnection,
    version: EngineVersion,
    data: PathBuf,
    target: PathBuf,
) -> Result<(), PostgresError> {
    let (start, stop) = if version.major >= 15 {
        ("SELECT pg_backup_start('snapshot', true)::text", "SELECT labelfile FROM pg_backup_stop(false)")
    } else {
        ("SELECT pg_start_backup('snapshot', true, false)::text", "SELECT labelfile FROM pg_stop_backup(false, false)")
    };
    execute(connection, "SELECT pg_create_physical_replication_slot('snapshot', true, true)".to_owned()).await?;
    sqlx::query(start).execute(&mut *connection).await?;
    let (from, to) = (data.clone(), target.clone());
    blocking(&target, move || {
        copy_tree(&from, &to, &|name| name != WRITE_AHEAD_LOG && !LEFT_OUT.contains(&name))?;
        for emptied in LEFT_OUT.iter().filter(|name| name.starts_with("pg_")) {
            std::fs::create_dir_all(to.join(emptied))?;
        }
        Ok(())
    })
    .await?;
    let label: String = sqlx::query_scalar(stop).fetch_one(&mut *connection).await?;
    let (from, to) = (data.join(WRITE_AHEAD_LOG), target.join(WRITE_AHEAD_LOG));
    // What of it is archived is for the archive to say.
    blocking(&target, move || {
        copy_tree(&from, &to, &|name| name != "archive_status")?;
        std::fs::create_dir_all(to.join("archive_status"))
    })
    .await?;
    execute(connection, "SELECT pg_drop_replication_slot('snapshot')".to_owned()).await?;
    let file = target.join("backup_label");
    std::fs::write(&file, label).map_err(PostgresError::file(file))
}

/// Copies the data directory of a stopped server, or a snapshot.
pub(crate) async fn copy_offline(data: PathBuf, target: PathBuf) -> Result<(), PostgresError> {
    let to = target.clone();
    blocking(&target, move || copy_tree(&data, &to, &|name| !name.starts_with("postmaster."))).await
}

async fn blocking(target: &Path, copy: impl FnOnce() -> io::Result<()> + Send + 'static) -> Result<(), PostgresError> {
    tokio::task::spawn_blocking(copy)
        .await
        .map_err(io::Error::other)
        .and_then(|result| result)
        .map_err(PostgresError::file(target))
}

/// Copies what `wanted` accepts at the top level, and everything below it. Files that vanish meanwhile are those of dropped relations, which
/// the write-ahead log takes care of.
fn copy_tree(from: &Path, to: &Path, wanted: &dyn Fn(&str) -> bool) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};

    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(to)?;
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o700))?;
    for entry in from.read_dir()? {
        let entry = entry?;
        if !wanted(&entry.file_name().to_string_lossy()) {
            continue;
        }
        let (source, copy) = (entry.path(), to.join(entry.file_name()));
        let result = match entry.file_type() {
            Ok(kind) if kind.is_dir() => copy_tree(&source, &copy, &|_| true),
            Ok(_) => std::fs::copy(&source, &copy).map(drop),
            Err(error) => Err(error),
        };
        match result {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
