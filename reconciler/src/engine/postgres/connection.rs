use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;
use tokio_postgres::config::SslMode;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config};
use tokio_util::task::AbortOnDropHandle;

use super::bounded::Bounded;
use super::failure;
use super::tls::{Handshake, trust};
use crate::engine::error::{Awaited, EngineError};
use crate::engine::port::Login;

/// Time limits of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From the first packet to a session that is ready.
    pub connect: Duration,
    /// A statement, on the server.
    pub statement: Duration,
    /// Waiting for a lock: short, because whoever waits for a lock makes all later ones wait behind it.
    pub lock: Duration,
    /// Waiting for ended sessions to be gone.
    pub sessions: Duration,
    /// A look, from the first packet to its answer.
    pub look: Duration,
    /// A login that is tried, likewise.
    pub login: Duration,
    /// A step with all of its statements.
    pub step: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            statement: Duration::from_secs(30),
            lock: Duration::from_secs(5),
            sessions: Duration::from_secs(10),
            look: Duration::from_secs(20),
            login: Duration::from_secs(10),
            step: Duration::from_secs(40),
        }
    }
}

/// Who a session is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The master looks.
    Look,
    /// The master works.
    Work,
    /// A user's login is tried, with what was set for it.
    Check,
}

/// How long past its own limit a statement may take to tell that it ended.
const GRACE: Duration = Duration::from_secs(2);
/// All that a session reads, in bytes. A look at a server of the documented limits differs in less, and what people wrote into their
/// databases is compared there.
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;

/// Opens sessions whose server certificate was verified against the given CA, the name included.
pub(super) struct Connector {
    trust: Result<Arc<ClientConfig>, String>,
    pub(super) timeouts: Timeouts,
}

impl Connector {
    pub(super) fn new(ca_pem: &[u8], timeouts: Timeouts) -> Self {
        Self { trust: trust(ca_pem), timeouts }
    }

    pub(super) async fn open(&self, login: &Login, purpose: Purpose) -> Result<Session, EngineError> {
        let limit = self.timeouts.connect;
        tokio::time::timeout(limit, self.connect(login, purpose))
            .await
            .map_err(|_| EngineError::Timeout { awaited: Awaited::Connection, limit })?
    }

    async fn connect(&self, login: &Login, purpose: Purpose) -> Result<Session, EngineError> {
        let untrusted = |reason: String| EngineError::TlsFailed { host: login.host.clone(), port: login.port, reason };
        let config = self.trust.clone().map_err(untrusted)?;
        let name = ServerName::try_from(login.host.clone()).map_err(|error| untrusted(error.to_string()))?;
        let stream = TcpStream::connect((login.host.as_str(), login.port)).await;
        let stream = stream.map_err(|error| failure::of_io(login, &error))?;
        // A handshake is many small messages, each of which would wait for the other side's late acknowledgement.
        stream.set_nodelay(true).map_err(|error| failure::of_io(login, &error))?;
        let connecting = Config::new()
            .user(&login.user)
            .password(login.password.expose())
            .dbname(&login.database)
            .ssl_mode(SslMode::Require)
            .application_name("rds-reconciler")
            .options(options(&self.settings(login.version, purpose)))
            .connect_raw(Bounded::new(stream, LONGEST_ANSWER), Handshake { config, name })
            .await;
        let (client, connection) = connecting.map_err(|error| failure::of(login, self.timeouts.connect, &error))?;
        let version = connection.parameter("server_version").and_then(version_number);
        let connection = AbortOnDropHandle::new(tokio::spawn(async move { drop(connection.await) }));
        let limit = self.timeouts.statement + GRACE;
        Ok(Session { client, connection, version, login: login.clone(), limit })
    }

    /// What a session brings along. All of it can be set for a database or a role by whoever owns that, and what comes with the
    /// connection beats it: nobody decides for the master whom it acts as, where it looks first, or how long it may take. An unknown name
    /// is refused by the server, so the newer ones wait until its version is known.
    fn settings(&self, version: Option<u32>, purpose: Purpose) -> Vec<(&'static str, String)> {
        let milliseconds = |duration: Duration| duration.as_millis().to_string();
        let mut settings = vec![
            ("search_path", "pg_catalog,pg_temp".to_owned()),
            ("default_transaction_read_only", if purpose == Purpose::Work { "off" } else { "on" }.to_owned()),
            ("default_transaction_isolation", "read committed".to_owned()),
            ("default_transaction_deferrable", "off".to_owned()),
            ("local_preload_libraries", String::new()),
            ("standard_conforming_strings", "on".to_owned()),
            ("client_encoding", "UTF8".to_owned()),
            ("client_min_messages", "error".to_owned()),
            ("exit_on_error", "off".to_owned()),
            ("plpgsql.extra_errors", "none".to_owned()),
            ("statement_timeout", milliseconds(self.timeouts.statement)),
            ("lock_timeout", milliseconds(self.timeouts.lock)),
            ("idle_in_transaction_session_timeout", milliseconds(self.timeouts.statement)),
        ];
        if purpose != Purpose::Check {
            settings.push(("role", "none".to_owned()));
        }
        if version.is_some_and(|version| version >= 140_000) {
            settings.push(("idle_session_timeout", "0".to_owned()));
        }
        if version.is_some_and(|version| version >= 170_000) {
            settings.push(("transaction_timeout", "0".to_owned()));
        }
        settings
    }
}

/// Settings as the server takes them with a connection ("options" in "Connection parameters" of PostgreSQL's manual).
fn options(settings: &[(&'static str, String)]) -> String {
    let escaped = |text: &str| text.replace('\\', "\\\\").replace(' ', "\\ ");
    settings.iter().map(|(name, value)| format!("-c {name}={}", escaped(value))).collect::<Vec<_>>().join(" ")
}

/// `server_version_num` of a version such as `12.22` or `18.4 (Debian 18.4-1)`.
fn version_number(version: &str) -> Option<u32> {
    let (major, minor) = version.split(' ').next()?.split_once('.')?;
    Some(major.parse::<u32>().ok()? * 10_000 + minor.parse::<u32>().ok()?)
}

/// A session, each of whose calls has a time limit.
pub(super) struct Session {
    client: Client,
    /// Ends with the session, also where the server does not let go.
    connection: AbortOnDropHandle<()>,
    version: Option<u32>,
    login: Login,
    limit: Duration,
}

impl Session {
    /// `server_version_num`, as the server says it to each connection.
    pub(super) fn version(&self) -> Option<u32> {
        self.version
    }

    /// Runs statements in one transaction.
    pub(super) async fn run(&mut self, statements: String) -> Result<(), EngineError> {
        limited(self.limit, &self.login, self.client.batch_execute(&statements)).await
    }

    /// Reads the one text of the one row that a statement gives, in one round trip.
    pub(super) async fn text(
        &mut self,
        statement: &'static str,
        arguments: &[Option<&str>],
    ) -> Result<Option<String>, EngineError> {
        let arguments: Vec<(&(dyn ToSql + Sync), Type)> =
            arguments.iter().map(|argument| (argument as &(dyn ToSql + Sync), Type::TEXT)).collect();
        let rows = limited(self.limit, &self.login, self.client.query_typed(statement, &arguments)).await?;
        let row = rows.first().ok_or_else(|| failure::other("02000", "no row where one was expected"))?;
        row.try_get(0).map_err(|error| failure::of(&self.login, self.limit, &error))
    }

    /// Reads the one JSON text of the one row that a statement gives.
    pub(super) async fn json<T: DeserializeOwned>(
        &mut self,
        statement: &'static str,
        arguments: &[Option<&str>],
    ) -> Result<T, EngineError> {
        let text = self.text(statement, arguments).await?.unwrap_or_default();
        serde_json::from_str(&text).map_err(|error| failure::other("XX000", &error.to_string()))
    }

    /// Says goodbye, so that the server does not log a lost connection. Whether it hears is of no concern.
    pub(super) async fn close(self) {
        drop(self.client);
        let _ = tokio::time::timeout(GRACE, self.connection).await;
    }
}

async fn limited<T>(
    limit: Duration,
    login: &Login,
    query: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, EngineError> {
    tokio::time::timeout(limit, query)
        .await
        .map_err(|_| EngineError::Timeout { awaited: Awaited::Statement, limit })?
        .map_err(|error| failure::of(login, limit, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_with_spaces_stay_one() {
        assert_eq!(options(&[("a", "read committed".into()), ("b", String::new())]), r"-c a=read\ committed -c b=");
    }

    #[test]
    fn versions_are_read_as_servers_write_them() {
        assert_eq!(version_number("12.22"), Some(120_022));
        assert_eq!(version_number("18.4 (Debian 18.4-1.pgdg12+1)"), Some(180_004));
        assert_eq!(version_number("19beta1"), None);
    }
}
