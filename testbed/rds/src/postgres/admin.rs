//! The server's own connections, as `rdsadmin`.

use std::fmt;
use std::path::Path;

use crate::endpoints::Listening;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};

/// The password of `rdsadmin`, kept out of everything that is printed.
pub(crate) struct AdminPassword(String);

impl AdminPassword {
    pub(crate) fn new(password: String) -> Self {
        Self(password)
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AdminPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminPassword(…)")
    }
}

/// The service's own role.
pub(crate) const NAME: &str = "rdsadmin";

/// Opens a connection to a database of the server that listens there, with its certificate verified. Its statements are never logged, so that they
/// neither count as writes nor put a verifier in the log.
pub(crate) async fn connect(
    listening: &Listening,
    database: &str,
    password: &AdminPassword,
    ca: &Path,
) -> Result<PgConnection, sqlx::Error> {
    PgConnectOptions::new_without_pgpass()
        .host(&listening.addresses[0].to_string())
        .port(listening.port)
        .username(NAME)
        .password(password.reveal())
        .database(database)
        .ssl_mode(PgSslMode::VerifyFull)
        .ssl_root_cert(ca)
        .application_name("local-rds")
        .options([
            ("log_statement", "none"),
            ("log_min_error_statement", "panic"),
            // A parameter group is for others.
            ("default_transaction_read_only", "off"),
            ("idle_in_transaction_session_timeout", "0"),
            ("lock_timeout", "0"),
            ("statement_timeout", "0"),
        ])
        .disable_statement_logging()
        .connect()
        .await
}

/// Runs statements whose variable parts have been quoted.
pub(crate) async fn execute(connection: &mut PgConnection, statements: String) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(connection).await.map(drop)
}

/// A quoted identifier.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A quoted string, for text without backslashes.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
