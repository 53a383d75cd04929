//! Recovery to a point in time: the write-ahead log of one instance, played forward on an older copy of its data in another one.

use std::time::Duration;

use jiff::Timestamp;
use rds_model::{EngineVersion, Instance};
use sqlx::PgConnection;
use tokio::time::{Instant, sleep};

use super::{Environment, PostgresError, archive, remove_dir};

/// How long a running server may take to archive what it has written.
const ARCHIVE_DEADLINE: Duration = Duration::from_secs(30);
/// The moment at which an archive ends, in its folder, where the server was stopped in good order.
const END: &str = "end";

/// What the data of a snapshot are brought to.
#[derive(Clone, Debug)]
pub(crate) struct Recovery {
    /// The instance that wrote the log, while it has a server.
    pub(crate) running: Option<Instance>,
    /// Its resource id.
    pub(crate) resource_id: String,
    /// What was committed until then is there, and nothing later.
    pub(crate) at: Timestamp,
}

/// What a server is told in its configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// It stops before the first transaction that was committed later. There must be one: recovery fails without.
    At(Timestamp),
    /// It plays all there is.
    End,
}

impl Environment {
    /// Puts the write-ahead log beside the data directory of `instance`, and says how far it is to be played.
    pub(super) async fn prepare_recovery(
        &self,
        instance: &Instance,
        recovery: &Recovery,
    ) -> Result<Target, PostgresError> {
        let Recovery { running, resource_id, at } = recovery;
        if let Some(source) = running {
            self.ship(source).await?;
        }
        let archive = self.layout.archive(resource_id, instance.engine_version.major);
        let target = self.layout.recovery(&instance.resource_id);
        remove_dir(&target)?;
        archive::link(&archive, &target).map_err(PostgresError::file(&archive))?;
        let signal = self.layout.data(&instance.resource_id).join("recovery.signal");
        std::fs::write(&signal, "").map_err(PostgresError::file(signal))?;
        let end = std::fs::read_to_string(archive.join(END)).ok().and_then(|end| end.parse::<Timestamp>().ok());
        Ok(if running.is_none() && end.is_some_and(|end| end <= *at) { Target::End } else { Target::At(*at) })
    }

    /// Has a running server archive what it has written until now, with a commit at the end of it.
    async fn ship(&self, source: &Instance) -> Result<(), PostgresError> {
        let deadline = Instant::now() + ARCHIVE_DEADLINE;
        let mut connection = loop {
            match self.connect(source.port, "postgres").await {
                Ok(connection) => break connection,
                // It may be restarting.
                Err(error) if Instant::now() >= deadline => return Err(error.into()),
                Err(_) => sleep(Duration::from_millis(100)).await,
            }
        };
        commit(&mut connection).await?;
        let segment: String =
            sqlx::query_scalar("SELECT pg_walfile_name(pg_switch_wal())").fetch_one(&mut connection).await?;
        let status = self.layout.data(&source.resource_id).join("pg_wal/archive_status");
        let archived = self.layout.archive(&source.resource_id, source.engine_version.major).join(&segment);
        let (ready, done) = (status.join(format!("{segment}.ready")), status.join(format!("{segment}.done")));
        while !done.exists() && (ready.exists() || !archived.exists()) {
            if Instant::now() >= deadline {
                return Err(PostgresError::NotArchived { segment, seconds: ARCHIVE_DEADLINE.as_secs() });
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Says at which moment the archive of a server ends that is about to be stopped for longer. A server that does not answer has nothing
    /// to say.
    pub(crate) async fn end_archive(&self, instance: &Instance) {
        let archive = self.layout.archive(&instance.resource_id, instance.engine_version.major);
        let said = async {
            let mut connection = self.connect(instance.port, "postgres").await?;
            let end: String = sqlx::query_scalar(
                "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
            )
            .fetch_one(&mut connection)
            .await?;
            commit(&mut connection).await?;
            Ok::<_, PostgresError>(end)
        };
        match said.await {
            Ok(end) if archive.exists() => {
                if let Err(error) = std::fs::write(archive.join(END), end) {
                    tracing::warn!(instance = instance.id, %error, "the end of an archive is not known");
                }
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(instance = instance.id, %error, "the end of an archive is not known"),
        }
    }

    /// The folder of the archive is there when a server writes to it, and only then has an end been forgotten. Without backups there is none.
    pub(super) fn open_archive(&self, instance: &Instance) -> Result<(), PostgresError> {
        let archives = self.layout.archives(&instance.resource_id);
        if instance.backup_retention == 0 {
            return remove_dir(&archives);
        }
        let archive = self.layout.archive(&instance.resource_id, instance.engine_version.major);
        std::fs::create_dir_all(&archive).map_err(PostgresError::file(&archive))?;
        let end = archive.join(END);
        match std::fs::remove_file(&end) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(PostgresError::file(end)(error)),
            _ => Ok(()),
        }
    }
}

/// Commits a transaction that changes nothing: a moment before it is then one that recovery can stop at.
async fn commit(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT txid_current()").execute(connection).await.map(drop)
}

/// The lines of `postgresql.conf` that archive: the paths are seen from the data directory.
pub(super) fn archiving(version: EngineVersion) -> String {
    let major = version.major;
    format!(
        "archive_mode = on\n\
         archive_command = 'cp --sparse=always %p ../archive/{major}/%f'\n\
         archive_timeout = 60\n"
    )
}

impl Target {
    /// The lines of `postgresql.conf` that recover. Nobody may log in before the end of it.
    pub(super) fn settings(self) -> String {
        let target = match self {
            // The names of zones are not known so early.
            Self::At(at) => format!("recovery_target_time = '{}+00'\n", at.strftime("%Y-%m-%d %H:%M:%S%.6f")),
            Self::End => String::new(),
        };
        format!(
            "restore_command = 'cp ../{RECOVERY}/%f %p'\n\
             recovery_target_action = 'promote'\n\
             hot_standby = off\n\
             {target}"
        )
    }
}

/// The folder beside the data directory in which recovery finds the log.
pub(super) const RECOVERY: &str = "recovery";
