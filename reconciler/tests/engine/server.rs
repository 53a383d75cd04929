//! A real PostgreSQL server whose master user may do what that of RDS may, and no more.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use postgresql_embedded::{PostgreSQL, Settings, VersionReq};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use reconciler::engine::{Login, Password};
use reconciler::entropy::SystemEntropy;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _};

pub(crate) const MASTER: &str = "sysadmin";
const ADMIN: &str = "rdsadmin";
const RELEASES: &str = "https://github.com/zonkyio/embedded-postgres-binaries";
/// The user `nobody`: PostgreSQL refuses to run as root.
const UNPRIVILEGED: u32 = 65534;

pub(crate) struct Server {
    child: Child,
    folder: tempfile::TempDir,
    port: u16,
    admin_password: Password,
    master_password: Password,
    pub(crate) ca_pem: Vec<u8>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Installs the release if it is not there, and starts a new server that logs each statement.
    pub(crate) async fn start(release: &str) -> Self {
        let programs = install(release).await;
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let (admin_password, master_password) =
            (Password::generate(&SystemEntropy), Password::generate(&SystemEntropy));
        let ca_pem = certify(folder.path());
        let password_file = folder.path().join("password");
        fs::write(&password_file, admin_password.expose()).unwrap();
        give_away(folder.path());

        let data = folder.path().join("data");
        let mut initdb = program(&programs.join("initdb"));
        initdb.arg("-D").arg(&data).arg("--pwfile").arg(&password_file);
        initdb.args(["-U", ADMIN, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"]);
        let output = initdb.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::write(data.join("pg_hba.conf"), "hostssl all all 127.0.0.1/32 md5\n").unwrap();

        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let log = File::create(folder.path().join("log")).unwrap();
        let child = program(&programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="])
            .arg("-c")
            .arg(format!("port={port}"))
            .args(["-c", "ssl=on", "-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "max_connections=120"])
            .arg("-c")
            .arg(format!("ssl_cert_file={}", folder.path().join("server.crt").display()))
            .arg("-c")
            .arg(format!("ssl_key_file={}", folder.path().join("server.key").display()))
            .args(["-c", "log_statement=all", "-c", "log_line_prefix=%u %a "])
            .stderr(log)
            .spawn()
            .unwrap();
        let server = Self { child, folder, port, admin_password, master_password, ca_pem };
        server.await_ready().await;
        server.make_like_rds().await;
        server
    }

    pub(crate) fn master(&self) -> Login {
        self.login(MASTER, &self.master_password, "postgres")
    }

    pub(crate) fn login(&self, user: &str, password: &Password, database: &str) -> Login {
        Login {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            user: user.to_owned(),
            password: password.clone(),
            database: database.to_owned(),
            version: None,
        }
    }

    /// A connection as the superuser, which nobody has on RDS.
    pub(crate) async fn admin(&self, database: &str) -> PgConnection {
        self.connect(&self.login(ADMIN, &self.admin_password, database)).await.unwrap()
    }

    pub(crate) async fn connect(&self, login: &Login) -> Result<PgConnection, sqlx::Error> {
        PgConnectOptions::new_without_pgpass()
            .host(&login.host)
            .port(login.port)
            .username(&login.user)
            .password(login.password.expose())
            .database(&login.database)
            .ssl_mode(PgSslMode::VerifyFull)
            .ssl_root_cert_from_pem(self.ca_pem.clone())
            .disable_statement_logging()
            .connect()
            .await
    }

    pub(crate) async fn connect_as_master(&self, database: &str) -> PgConnection {
        self.connect(&self.login(MASTER, &self.master_password, database)).await.unwrap()
    }

    pub(crate) async fn connect_with(
        &self,
        user: &str,
        password: &str,
        database: &str,
    ) -> Result<PgConnection, sqlx::Error> {
        self.connect(&self.login(user, &Password::from(password.to_owned()), database)).await
    }

    /// Major version, such as 12.
    pub(crate) async fn major(&self) -> i32 {
        let version = "SELECT current_setting('server_version_num')::int / 10000";
        sqlx::query_scalar(version).fetch_one(&mut self.admin("postgres").await).await.unwrap()
    }

    /// Everything the server has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Takes away all that a scenario has made.
    pub(crate) async fn reset(&self) {
        let mut admin = self.admin("postgres").await;
        let databases: Vec<String> =
            sqlx::query_scalar("SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'")
                .fetch_all(&mut admin)
                .await
                .unwrap();
        for database in databases {
            let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'");
            execute(&mut admin, &end).await.unwrap();
            let drop = format!("ALTER DATABASE \"{database}\" CONNECTION LIMIT 0; DROP DATABASE \"{database}\"");
            for statement in drop.split("; ") {
                execute(&mut admin, statement).await.unwrap();
            }
        }
        let roles: Vec<String> =
            sqlx::query_scalar("SELECT rolname FROM pg_roles WHERE rolname !~ '^(pg_|rds)' AND rolname <> $1")
                .bind(MASTER)
                .fetch_all(&mut admin)
                .await
                .unwrap();
        for role in roles {
            execute(&mut admin, &format!("DROP OWNED BY \"{role}\"; DROP ROLE \"{role}\"")).await.unwrap();
        }
        execute(
            &mut admin,
            "GRANT CONNECT, TEMPORARY ON DATABASE postgres TO PUBLIC; GRANT CONNECT ON DATABASE template1 TO PUBLIC",
        )
        .await
        .unwrap();
    }

    async fn await_ready(&self) {
        let end = Instant::now() + Duration::from_mins(1);
        loop {
            match self.connect(&self.login(ADMIN, &self.admin_password, "postgres")).await {
                Ok(_) => return,
                Err(error) if Instant::now() > end => panic!("{error}; {}", self.log()),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Roles and owners as on RDS, where the master owns `postgres`, `template1` and, up to 14, the schema `public`.
    async fn make_like_rds(&self) {
        let mut admin = self.admin("postgres").await;
        let verifier = reconciler::engine::postgres::verifier(&self.master_password);
        let roles = format!(
            "CREATE ROLE rds_superuser NOLOGIN; CREATE ROLE rds_replication NOLOGIN; CREATE ROLE rds_password NOLOGIN;
             GRANT pg_monitor, pg_signal_backend, rds_replication, rds_password TO rds_superuser WITH ADMIN OPTION;
             CREATE ROLE {MASTER} LOGIN CREATEDB CREATEROLE PASSWORD '{verifier}';
             GRANT rds_superuser TO {MASTER} WITH ADMIN OPTION;
             ALTER DATABASE postgres OWNER TO {MASTER}; ALTER DATABASE template1 OWNER TO {MASTER}"
        );
        execute(&mut admin, &roles).await.unwrap();
        if self.major().await < 15 {
            self.give_public_schema_to(MASTER).await;
        }
    }

    /// Up to 14: whose the schema `public` of new databases is.
    pub(crate) async fn give_public_schema_to(&self, owner: &str) {
        let mut template = self.admin("template1").await;
        execute(&mut template, &format!("ALTER SCHEMA public OWNER TO {owner}")).await.unwrap();
    }

    pub(crate) async fn give_public_schema_to_admin(&self) {
        self.give_public_schema_to(ADMIN).await;
    }
}

/// Runs statements; the tests write them themselves.
pub(crate) async fn execute(connection: &mut PgConnection, statements: &str) -> Result<u64, sqlx::Error> {
    let statements = sqlx::raw_sql(AssertSqlSafe(statements.to_owned()));
    statements.execute(connection).await.map(|done| done.rows_affected())
}

async fn install(release: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("postgresql");
    let no_database = folder.join("no-database");
    fs::create_dir_all(&no_database).unwrap();
    let lock = File::create(folder.join(format!("{release}.lock"))).unwrap();
    lock.lock().unwrap();
    // With a configuration file in its data folder, `setup` installs and does not run initdb, which root may not.
    fs::write(no_database.join("postgresql.conf"), "").unwrap();
    let mut postgresql = PostgreSQL::new(Settings {
        releases_url: RELEASES.to_owned(),
        version: VersionReq::parse(&format!("={release}")).unwrap(),
        installation_dir: folder.clone(),
        data_dir: no_database,
        temporary: false,
        ..Settings::default()
    });
    postgresql.setup().await.unwrap();
    folder.join(release).join("bin")
}

fn program(path: &Path) -> Command {
    let mut command = Command::new(path);
    command.stdin(Stdio::null()).stdout(Stdio::null()).current_dir("/").env_clear().env("LC_ALL", "C");
    if is_root() {
        command.uid(UNPRIVILEGED).gid(UNPRIVILEGED);
    }
    command
}

fn give_away(folder: &Path) {
    if is_root() {
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        for path in files.chain([folder.to_owned()]) {
            chown(path, Some(UNPRIVILEGED), Some(UNPRIVILEGED)).unwrap();
        }
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// A new authority, and a certificate of it for 127.0.0.1.
fn certify(folder: &Path) -> Vec<u8> {
    let (ca, ca_pem) = authority();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &ca).unwrap();
    fs::write(folder.join("server.crt"), certificate.pem()).unwrap();
    fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
    fs::set_permissions(folder.join("server.key"), fs::Permissions::from_mode(0o600)).unwrap();
    ca_pem
}

/// A new certificate authority and its certificate.
pub(crate) fn authority() -> (Issuer<'static, KeyPair>, Vec<u8>) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // With the name that certificates have by default, OpenSSL would take the server's for one that has signed itself.
    params.distinguished_name.push(DnType::CommonName, "authority");
    let pem = params.self_signed(&key).unwrap().pem().into_bytes();
    (Issuer::new(params, key), pem)
}
