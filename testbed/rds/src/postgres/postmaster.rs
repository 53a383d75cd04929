//! One running PostgreSQL server and what is done to it.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rds_model::Instance;
use sqlx::{Connection, PgConnection};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

use super::admin::AdminPassword;
use super::certificates::Authority;
pub(crate) use super::config::Access;
use super::config::Config;
use super::recovery::{Recovery, Target};
use super::{Layout, PostgresError, Spawner, admin, backup, extensions, install, remove_dir, roles};
use crate::endpoints::Endpoints;
use crate::exec::ExecPostgres;
use crate::store::write_atomically;

/// How long a server may take to accept connections, recovery included.
const START_DEADLINE: Duration = Duration::from_mins(2);
/// How long a server may take to stop before it is made to.
const STOP_DEADLINE: Duration = Duration::from_secs(30);
/// How long a server may take to load its configuration again.
const RELOAD_DEADLINE: Duration = Duration::from_secs(30);
/// How long the server of a run before this one may take to end.
const LEFTOVER_DEADLINE: Duration = Duration::from_secs(10);
/// Ports below the range from which Linux takes those of outgoing connections.
const PORTS: std::ops::RangeInclusive<u16> = 20_000..=32_000;

/// What every server is started with.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) layout: Layout,
    pub(crate) authority: Authority,
    pub(crate) endpoints: Endpoints,
    pub(crate) spawner: Spawner,
    pub(crate) admin_password: AdminPassword,
    /// The `local-rds` binary, for `exec-postgres`.
    pub(crate) program: PathBuf,
    pub(crate) log_statements: bool,
    /// Data directories that may be made at the same time: more than there are processors would only slow each other down.
    pub(crate) building: Semaphore,
}

/// A server, from its start on. Dropping it kills the server; [`Postmaster::stop`] ends it cleanly.
#[derive(Debug)]
pub(crate) struct Postmaster {
    child: Child,
    port: u16,
}

/// A data directory, and where its server listens to whom.
pub(super) struct Seat {
    pub(super) data: PathBuf,
    /// As an instance's port is: the address is made of it.
    pub(super) number: u16,
    pub(super) access: Access,
}

impl Seat {
    /// What the server says before its logging begins.
    fn start_log(&self) -> PathBuf {
        self.data.with_extension("start.log")
    }
}

impl Environment {
    /// Makes the data directory of a new instance and starts its server in `slot`.
    pub(crate) async fn create(&self, instance: &Instance, slot: &mut Option<Postmaster>) -> Result<(), PostgresError> {
        let _permit = self.building.acquire().await;
        self.prepare(instance)?;
        self.initdb(instance, &self.layout.data(&instance.resource_id)).await?;
        self.start(instance, slot).await?;
        let master = &instance.master_username;
        let mut connection = self.connect(instance.port, "postgres").await?;
        let verifier = &instance.master_verifier;
        for statement in roles::new_instance(instance.engine_version, master, verifier) {
            admin::execute(&mut connection, statement).await?;
        }
        if let Some(statement) = roles::schema_public(instance.engine_version, master) {
            admin::execute(&mut connection, statement.clone()).await?;
            let mut template = self.connect(instance.port, "template1").await?;
            admin::execute(&mut template, statement).await?;
        }
        self.lend_to_extensions(instance.port, &mut connection).await?;
        if let Some(name) = &instance.db_name {
            let statement = roles::create_database(name, master);
            admin::execute(&mut connection, statement).await?;
        }
        Ok(())
    }

    /// Makes an empty data directory of the instance's version.
    pub(super) async fn initdb(&self, instance: &Instance, data: &Path) -> Result<(), PostgresError> {
        let programs = install::install(install::cache_folder(), instance.engine_version).await?;
        // A file of its own, among those that are given to the user PostgreSQL runs under.
        let password = self.layout.instance(&instance.resource_id).join("initdb.password");
        write_atomically(&password, self.admin_password.reveal().as_bytes()).map_err(PostgresError::file(&password))?;
        let mut initdb = self.command(&programs.join("initdb"), instance);
        initdb
            .arg("--pgdata")
            .arg(data)
            .arg("--pwfile")
            .arg(&password)
            .args(["--username=rdsadmin", "--auth=scram-sha-256"])
            .args(["--encoding=UTF8", "--locale=C", "--wal-segsize=4"])
            .arg("--no-sync");
        self.run("initdb", initdb).await?;
        std::fs::remove_file(&password).map_err(PostgresError::file(password))
    }

    /// Every database made from now on has the triggers, whichever template it is made from.
    pub(super) async fn lend_to_extensions(&self, port: u16, admin: &mut PgConnection) -> Result<(), PostgresError> {
        admin::execute(admin, extensions::allow_connections("template0", true)).await?;
        for database in extensions::DATABASES {
            let mut connection = self.connect(port, database).await?;
            admin::execute(&mut connection, extensions::triggers()).await?;
            // A template that somebody is in cannot be copied.
            connection.close().await?;
        }
        Ok(admin::execute(admin, extensions::allow_connections("template0", false)).await?)
    }

    /// Makes the data directory of a new instance from a snapshot, leads it where it is to be recovered to, and starts its server in `slot`.
    pub(crate) async fn restore(
        &self,
        instance: &Instance,
        snapshot: &str,
        recovery: Option<&Recovery>,
        slot: &mut Option<Postmaster>,
    ) -> Result<(), PostgresError> {
        let _permit = self.building.acquire().await;
        self.prepare(instance)?;
        let source = self.layout.snapshot(snapshot);
        if !source.exists() {
            return Err(PostgresError::EmptySnapshot(snapshot.to_owned()));
        }
        backup::copy_offline(source, self.layout.data(&instance.resource_id)).await?;
        let target = match recovery {
            Some(recovery) => Some(self.prepare_recovery(instance, recovery).await?),
            None => None,
        };
        self.start_from(instance, target, slot).await?;
        remove_dir(&self.layout.recovery(&instance.resource_id))
    }

    /// Starts the server of an instance that has its data. It is in `slot` before it is ready, so that whoever stops waiting can still stop
    /// it in good order.
    pub(crate) async fn start(&self, instance: &Instance, slot: &mut Option<Postmaster>) -> Result<(), PostgresError> {
        self.start_from(instance, None, slot).await
    }

    async fn start_from(
        &self,
        instance: &Instance,
        recovery: Option<Target>,
        slot: &mut Option<Postmaster>,
    ) -> Result<(), PostgresError> {
        let resource_id = &instance.resource_id;
        let address = self.endpoints.listening(instance.port).addresses[0];
        self.authority.certify(&self.layout, resource_id, &self.endpoints.name(&instance.id), address)?;
        self.endpoints.announce(instance).map_err(PostgresError::file("hosts"))?;
        self.launch_from(instance, &self.seat(instance), recovery, slot).await
    }

    /// Where the clients of an instance find it.
    fn seat(&self, instance: &Instance) -> Seat {
        Seat { data: self.layout.data(&instance.resource_id), number: instance.port, access: Access::Clients }
    }

    /// Starts a server of an instance, with its certificate.
    pub(super) async fn launch(
        &self,
        instance: &Instance,
        seat: &Seat,
        slot: &mut Option<Postmaster>,
    ) -> Result<(), PostgresError> {
        self.launch_from(instance, seat, None, slot).await
    }

    async fn launch_from(
        &self,
        instance: &Instance,
        seat: &Seat,
        recovery: Option<Target>,
        slot: &mut Option<Postmaster>,
    ) -> Result<(), PostgresError> {
        let programs = install::install(install::cache_folder(), instance.engine_version).await?;
        end_leftover(&seat.data).await?;
        self.open_archive(instance)?;
        self.configure(instance, seat, recovery)?;
        let start_log = seat.start_log();
        let log = std::fs::File::create(&start_log).map_err(PostgresError::file(&start_log))?;
        let mut command = self.command(&programs.join("postgres"), instance);
        command.arg("-D").arg(&seat.data);
        command.stdout(log.try_clone().map_err(PostgresError::file(&start_log))?);
        command.stderr(log);
        let child = self.spawn(command).await?;
        let postmaster = slot.insert(Postmaster { child, port: seat.number });
        self.await_ready(postmaster, &start_log).await
    }

    /// Writes the configuration, for the next start or for a reload.
    fn configure(&self, instance: &Instance, seat: &Seat, recovery: Option<Target>) -> Result<(), PostgresError> {
        let resource_id = &instance.resource_id;
        let (folder, hba) = (self.layout.instance(resource_id), seat.data.with_extension("hba.conf"));
        let config = Config {
            version: instance.engine_version,
            listening: &self.endpoints.listening(seat.number),
            access: seat.access,
            folder: &folder,
            hba: &hba,
            logs: &self.layout.logs(resource_id),
            values: &instance.running.values,
            class: &instance.class,
            log_statements: self.log_statements,
            archive: instance.backup_retention > 0,
            read_only: instance.replica_source.is_some(),
            recovery,
        };
        for (file, content) in
            [(seat.data.join("postgresql.conf"), config.postgresql_conf()), (hba.clone(), config.pg_hba_conf())]
        {
            std::fs::write(&file, content).map_err(PostgresError::file(file))?;
        }
        Ok(())
    }

    /// Has a running server take up the parameters of the instance that need no restart, and waits until it has.
    pub(crate) async fn reload(&self, instance: &Instance, postmaster: &Postmaster) -> Result<(), PostgresError> {
        self.configure(instance, &self.seat(instance), None)?;
        self.load_configuration(postmaster.port).await
    }

    /// Has the server at this port load its configuration, and waits until new sessions have it.
    pub(super) async fn load_configuration(&self, port: u16) -> Result<(), PostgresError> {
        let loaded = "SELECT pg_conf_load_time()::text";
        let mut connection = self.connect(port, "postgres").await?;
        let before: String = sqlx::query_scalar(loaded).fetch_one(&mut connection).await?;
        sqlx::query("SELECT pg_reload_conf()").execute(&mut connection).await?;
        let deadline = Instant::now() + RELOAD_DEADLINE;
        loop {
            // A session of its own: it begins with what the server has.
            let mut connection = self.connect(port, "postgres").await?;
            let now: String = sqlx::query_scalar(loaded).fetch_one(&mut connection).await?;
            if now != before {
                return Ok(());
            }
            if Instant::now() >= deadline {
                let seconds = RELOAD_DEADLINE.as_secs();
                return Err(PostgresError::NotReady { seconds, last: "the configuration is not loaded".to_owned() });
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Copies the data of a running server into a snapshot.
    pub(crate) async fn snapshot(
        &self,
        instance: &Instance,
        postmaster: &Postmaster,
        snapshot: &str,
    ) -> Result<(), PostgresError> {
        let target = self.layout.snapshot(snapshot);
        remove_dir(&target)?;
        let mut connection = self.connect(postmaster.port, "postgres").await?;
        let data = self.layout.data(&instance.resource_id);
        backup::copy_online(&mut connection, instance.engine_version, data, target).await
    }

    /// Gives the master user a new password and its privileges.
    pub(crate) async fn reset_master(
        &self,
        postmaster: &Postmaster,
        master: &str,
        verifier: &str,
    ) -> Result<(), PostgresError> {
        let mut connection = self.connect(postmaster.port, "postgres").await?;
        let statements = roles::master_privileges(master, verifier);
        Ok(admin::execute(&mut connection, statements).await?)
    }

    pub(super) fn prepare(&self, instance: &Instance) -> Result<(), PostgresError> {
        let folder = self.layout.instance(&instance.resource_id);
        remove_dir(&self.layout.data(&instance.resource_id))?;
        let make = |mode, path: &Path| {
            let made = std::fs::DirBuilder::new().recursive(true).mode(mode).create(path);
            made.map_err(PostgresError::file(path))
        };
        // The folders above may be entered, for the sake of an unprivileged PostgreSQL, but not listed.
        folder.parent().map_or(Ok(()), |parent| make(0o711, parent))?;
        make(0o700, &folder)
    }

    /// A command that becomes one of PostgreSQL's programs, in an environment that cannot change what it does.
    pub(super) fn command(&self, program: &Path, instance: &Instance) -> Command {
        let folder = self.layout.instance(&instance.resource_id);
        let mut command = Command::new(&self.program);
        command
            .args(ExecPostgres::arguments(&folder))
            .arg(program)
            .current_dir(&folder)
            .env_clear()
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .env("PATH", "/usr/bin:/bin")
            .stdin(Stdio::null())
            // A signal from the terminal is for this server, which stops PostgreSQL in good order.
            .process_group(0)
            .kill_on_drop(true);
        command
    }

    async fn spawn(&self, command: Command) -> Result<Child, PostgresError> {
        let program = self.program.clone();
        let spawned = self.spawner.spawn(command).await;
        spawned.map_err(|source| PostgresError::Spawn { program, source })
    }

    pub(super) async fn run(&self, name: &'static str, mut command: Command) -> Result<(), PostgresError> {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = self.spawn(command).await?;
        let output = child.wait_with_output().await;
        let output = output.map_err(|source| PostgresError::Spawn { program: PathBuf::from(name), source })?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(PostgresError::Program { program: name, output: format!("{}: {}", output.status, said.trim()) })
    }

    async fn await_ready(&self, postmaster: &mut Postmaster, start_log: &Path) -> Result<(), PostgresError> {
        let deadline = Instant::now() + START_DEADLINE;
        loop {
            let exited = postmaster.child.try_wait();
            if let Some(status) = exited.map_err(PostgresError::file("postgres"))? {
                let said = std::fs::read_to_string(start_log).unwrap_or_default();
                let output = format!("{status}: {}", said.trim());
                return Err(PostgresError::Program { program: "postgres", output });
            }
            let Err(error) = self.connect(postmaster.port, "postgres").await else {
                return Ok(());
            };
            if Instant::now() >= deadline {
                return Err(PostgresError::NotReady { seconds: START_DEADLINE.as_secs(), last: error.to_string() });
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    pub(super) async fn connect(&self, number: u16, database: &str) -> Result<PgConnection, sqlx::Error> {
        let ca = self.layout.ca_certificate();
        admin::connect(&self.endpoints.listening(number), database, &self.admin_password, &ca).await
    }
}

impl Postmaster {
    /// Where it listens, as an instance's port is given.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Ends sessions, writes everything to the data directory and stops.
    pub(crate) async fn stop(&mut self) {
        for (signal, patience) in [(Signal::SIGINT, STOP_DEADLINE), (Signal::SIGQUIT, LEFTOVER_DEADLINE)] {
            // Without an id the process has been waited for already.
            let Some(id) = self.child.id().and_then(|id| i32::try_from(id).ok()) else {
                return;
            };
            if kill(Pid::from_raw(id), signal).is_err() || timeout(patience, self.child.wait()).await.is_ok() {
                return;
            }
        }
        tracing::warn!(port = self.port, "a PostgreSQL server had to be killed");
    }

    /// Waits until the server has ended by itself.
    pub(crate) async fn exited(&mut self) -> std::io::Result<ExitStatus> {
        self.child.wait().await
    }
}

/// A port that nobody listens on and no instance has: `wanted`, where it is one.
pub(crate) fn free_port(taken: &[u16], wanted: Option<u16>) -> Result<u16, PostgresError> {
    let (first, last) = (*PORTS.start(), *PORTS.end());
    let span = last - first + 1;
    let offset = rand::random_range(0..span);
    wanted
        .into_iter()
        .chain((0..span).map(|step| first + (offset + step) % span))
        .filter(|port| !taken.contains(port))
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .ok_or(PostgresError::NoPort { first, last })
}

/// Waits for the server that a killed run left on its way out, and clears a lock file whose process is gone: PostgreSQL itself would take any
/// process that got the same id for its own.
async fn end_leftover(data: &Path) -> Result<(), PostgresError> {
    let lock = data.join("postmaster.pid");
    let deadline = Instant::now() + LEFTOVER_DEADLINE;
    loop {
        let Ok(content) = std::fs::read_to_string(&lock) else {
            return Ok(());
        };
        let id = content.lines().next().and_then(|line| line.trim().parse().ok());
        let running =
            id.filter(|id: &i32| std::fs::read_link(format!("/proc/{id}/cwd")).is_ok_and(|folder| folder == data));
        let Some(id) = running else {
            return std::fs::remove_file(&lock).map_err(PostgresError::file(lock));
        };
        if Instant::now() >= deadline {
            // It is PostgreSQL in our own data directory; what it committed is in the write-ahead log.
            let _ = kill(Pid::from_raw(id), Signal::SIGQUIT);
        }
        sleep(Duration::from_millis(50)).await;
    }
}
