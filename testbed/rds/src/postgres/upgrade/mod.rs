//! An upgrade to another major version. The bundles of the servers have no pg_upgrade: everything is dumped and restored into a data
//! directory of the new version, which then takes the place of the old one.

mod checks;
mod copy;
mod properties;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rds_model::{EngineVersion, Instance};

use super::postmaster::{Access, Environment, Postmaster, Seat, free_port};
use super::{PostgresError, backup, clients, install, remove_dir};
use checks::Findings;
use copy::Copy;

/// What is said to the caller of an upgrade that cannot be made; the log has the reasons.
const REFUSED: &str =
    "PreUpgrade checks failed. Please refer to the upgrade log pg_upgrade_precheck.log for more details.";

/// The folders of an upgrade, beside the data directory of the instance.
struct Folders {
    data: PathBuf,
    /// The data directory of the new version, until it is complete and takes the place.
    new: PathBuf,
    /// The old one, when it has made room.
    old: PathBuf,
    dumps: PathBuf,
}

impl Environment {
    /// Looks for what is in the way of an upgrade. What it finds is in a log file of the instance, and the answer says so.
    pub(crate) async fn check_upgrade(
        &self,
        instance: &Instance,
        target: EngineVersion,
        postmaster: &Postmaster,
    ) -> Result<Option<String>, PostgresError> {
        let from = instance.engine_version;
        let mut findings = Findings::default();
        let programs = install::install(install::cache_folder(), target).await?;
        if let Err(error) = clients::install(install::cache_folder(), target.major).await {
            findings.add(&format!("This local server has no clients of PostgreSQL: {error}"));
        }
        let extensions = programs.join("../share/postgresql/extension");
        let mut connection = self.connect(postmaster.port(), "postgres").await?;
        findings.of_server(&mut connection, from, target).await?;
        let query = "SELECT datname::text FROM pg_database WHERE datallowconn AND datconnlimit <> -2 ORDER BY 1";
        for name in sqlx::query_scalar::<_, String>(query).fetch_all(&mut connection).await? {
            let mut database = self.connect(postmaster.port(), &name).await?;
            findings.of_database(&name, &mut database, from, target, &extensions).await?;
        }
        if findings.is_empty() {
            return Ok(None);
        }
        let now = Timestamp::now();
        let file = self.layout.logs(&instance.resource_id).join(format!("pg_upgrade_precheck.log.{}", now.as_second()));
        std::fs::write(&file, findings.log(from, target, now)).map_err(PostgresError::file(file))?;
        Ok(Some(REFUSED.to_owned()))
    }

    /// Says in a log file of the instance, as pg_upgrade does, why an upgrade was not made.
    pub(crate) fn log_failed_upgrade(&self, resource_id: &str, error: &PostgresError) -> Result<(), PostgresError> {
        let file = format!("pg_upgrade_internal.log.{}", Timestamp::now().as_second());
        let file = self.layout.logs(resource_id).join(file);
        std::fs::write(&file, format!("{error}\n\nFailure, exiting\n")).map_err(PostgresError::file(file))
    }

    /// The major version of the data of an instance, whatever is said of it: an upgrade that was interrupted at its end is made.
    pub(crate) fn major_of_data(&self, resource_id: &str) -> Option<u16> {
        let folders = self.folders(resource_id);
        folders.recover();
        std::fs::read_to_string(folders.data.join("PG_VERSION")).ok()?.trim().parse().ok()
    }

    /// Upgrades the stopped server of `old` to what `new` is, after a copy of its data into the snapshot. A failure leaves the data as they
    /// were; done again after an interruption, it begins anew, unless only its end was missing.
    pub(crate) async fn upgrade(
        &self,
        old: &Instance,
        new: &Instance,
        snapshot: Option<&str>,
    ) -> Result<(), PostgresError> {
        let resource_id = &old.resource_id;
        if self.major_of_data(resource_id) == Some(new.engine_version.major) {
            return Ok(());
        }
        let folders = self.folders(resource_id);
        folders.clear()?;
        if let Some(snapshot) = snapshot {
            let target = self.layout.snapshot(snapshot);
            remove_dir(&target)?;
            backup::copy_offline(folders.data.clone(), target).await?;
        }
        let _permit = self.building.acquire().await;
        let (mut from, mut to) = (None, None);
        let copied = self.copy(old, new, &folders, &mut from, &mut to).await;
        for postmaster in [&mut from, &mut to].into_iter().flatten() {
            postmaster.stop().await;
        }
        if copied.is_ok() {
            folders.exchange()?;
        }
        folders.clear()?;
        copied
    }

    async fn copy(
        &self,
        old: &Instance,
        new: &Instance,
        folders: &Folders,
        from: &mut Option<Postmaster>,
        to: &mut Option<Postmaster>,
    ) -> Result<(), PostgresError> {
        let clients = clients::install(install::cache_folder(), new.engine_version.major).await?;
        std::fs::create_dir_all(&folders.dumps).map_err(PostgresError::file(&folders.dumps))?;
        let source = free_port(&[old.port], None)?;
        let target = free_port(&[old.port, source], None)?;
        let seat = |data: &Path, number| Seat { data: data.to_owned(), number, access: Access::Service };
        self.launch(old, &seat(&folders.data, source), from).await?;
        self.initdb(new, &folders.new).await?;
        self.launch(new, &seat(&folders.new, target), to).await?;
        let mut connection = self.connect(target, "postgres").await?;
        self.lend_to_extensions(target, &mut connection).await?;
        drop(connection);
        let folder = folders.dumps.clone();
        Copy { env: self, new, from: source, to: target, clients, folder }.make().await
    }

    fn folders(&self, resource_id: &str) -> Folders {
        let folder = self.layout.instance(resource_id);
        Folders {
            data: self.layout.data(resource_id),
            new: folder.join("data.new"),
            old: folder.join("data.old"),
            dumps: folder.join("dumps"),
        }
    }
}

impl Folders {
    /// The complete new directory takes the place of the old one.
    fn exchange(&self) -> Result<(), PostgresError> {
        std::fs::rename(&self.data, &self.old).map_err(PostgresError::file(&self.data))?;
        std::fs::rename(&self.new, &self.data).map_err(PostgresError::file(&self.new))
    }

    /// An exchange that was interrupted is ended: the old one makes room for a complete one only.
    fn recover(&self) {
        if !self.data.exists() && self.old.exists() && std::fs::rename(&self.new, &self.data).is_err() {
            let _ = std::fs::rename(&self.old, &self.data);
        }
    }

    fn clear(&self) -> Result<(), PostgresError> {
        [&self.new, &self.old, &self.dumps].into_iter().try_for_each(|folder| remove_dir(folder))
    }
}
