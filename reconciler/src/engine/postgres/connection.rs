use std::time::Duration;

use serde::de::DeserializeOwned;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{ConnectOptions as _, Connection as _};

use super::failure;
use crate::engine::{Awaited, EngineError, Login};

/// Time limits of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// From the first packet to a session that is ready.
    pub connect: Duration,
    /// A statement, on the server.
    pub statement: Duration,
    /// Waiting for a lock: short, because whoever waits for a lock makes all later ones wait behind it.
    pub lock: Duration,
    /// Waiting for ended sessions to be gone.
    pub sessions: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            statement: Duration::from_mins(1),
            lock: Duration::from_secs(5),
            sessions: Duration::from_secs(10),
        }
    }
}

/// Whether a session may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    ReadOnly,
    ReadWrite,
}

/// How long past its own limit a statement may take to tell that it ended.
const GRACE: Duration = Duration::from_secs(2);

/// Opens sessions whose server certificate was verified against the given CA, the name included.
pub(super) struct Connector {
    ca_pem: Vec<u8>,
    pub(super) timeouts: Timeouts,
}

impl Connector {
    pub(super) fn new(ca_pem: Vec<u8>, timeouts: Timeouts) -> Self {
        Self { ca_pem, timeouts }
    }

    pub(super) async fn open(&self, login: &Login, access: Access) -> Result<Session, EngineError> {
        let read_only = match access {
            Access::ReadOnly => "on",
            Access::ReadWrite => "off",
        };
        let options = PgConnectOptions::new_without_pgpass()
            .host(&login.host)
            .port(login.port)
            .username(&login.user)
            .password(login.password.expose())
            .database(&login.database)
            .ssl_mode(PgSslMode::VerifyFull)
            .ssl_root_cert_from_pem(self.ca_pem.clone())
            .application_name("rds-reconciler")
            .statement_cache_capacity(0)
            .options([
                ("default_transaction_read_only", read_only.to_owned()),
                ("standard_conforming_strings", "on".to_owned()),
                ("client_min_messages", "error".to_owned()),
                ("statement_timeout", self.timeouts.statement.as_millis().to_string()),
                ("lock_timeout", self.timeouts.lock.as_millis().to_string()),
            ])
            // Statements hold verifiers, and sqlx logs statements.
            .disable_statement_logging();
        let limit = self.timeouts.connect;
        let connection = tokio::time::timeout(limit, options.connect())
            .await
            .map_err(|_| EngineError::Timeout { awaited: Awaited::Connection, limit })?
            .map_err(|error| failure::of(login, limit, error))?;
        Ok(Session { connection, login: login.clone(), limit: self.timeouts.statement + GRACE })
    }
}

/// A session, each of whose calls has a time limit.
pub(super) struct Session {
    connection: PgConnection,
    login: Login,
    limit: Duration,
}

impl Session {
    /// Runs statements in one transaction.
    pub(super) async fn run(&mut self, statements: String) -> Result<(), EngineError> {
        // Safe: each identifier and literal in it went through `quote`.
        let query = sqlx::raw_sql(sqlx::AssertSqlSafe(statements)).execute(&mut self.connection);
        limited(self.limit, &self.login, query).await.map(drop)
    }

    /// Reads the one text of the one row that a statement gives.
    pub(super) async fn text(
        &mut self,
        statement: &'static str,
        arguments: &[Option<&str>],
    ) -> Result<Option<String>, EngineError> {
        let mut query = sqlx::query_scalar(statement);
        for argument in arguments {
            query = query.bind(argument.map(str::to_owned));
        }
        let query = query.fetch_one(&mut self.connection);
        limited(self.limit, &self.login, query).await
    }

    /// Reads the one JSON text of the one row that a statement gives.
    pub(super) async fn json<T: DeserializeOwned>(&mut self, statement: &'static str) -> Result<T, EngineError> {
        let text = self.text(statement, &[]).await?.unwrap_or_default();
        serde_json::from_str(&text).map_err(|error| failure::other("XX000", &error.to_string()))
    }

    /// Says goodbye, so that the server does not log a lost connection. Whether it hears is of no concern.
    pub(super) async fn close(self) {
        let _ = tokio::time::timeout(GRACE, self.connection.close()).await;
    }
}

async fn limited<T>(
    limit: Duration,
    login: &Login,
    query: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, EngineError> {
    tokio::time::timeout(limit, query)
        .await
        .map_err(|_| EngineError::Timeout { awaited: Awaited::Statement, limit })?
        .map_err(|error| failure::of(login, limit, error))
}
