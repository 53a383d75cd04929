//! A second instance with the data of a running one.

use rds_model::Instance;
use sqlx::Connection;

use super::{Environment, PostgresError, admin, backup};

impl Environment {
    /// Makes the data directory of `copy` from that of `source`, whose server runs.
    pub(crate) async fn copy_running(&self, source: &Instance, copy: &Instance) -> Result<(), PostgresError> {
        self.prepare(copy)?;
        let mut connection = self.connect(source.port, "postgres").await?;
        let (from, to) = (self.layout.data(&source.resource_id), self.layout.data(&copy.resource_id));
        backup::copy_online(&mut connection, source.engine_version, from, to.clone()).await?;
        // What was set for the source alone.
        let own = to.join("postgresql.auto.conf");
        std::fs::write(&own, "").map_err(PostgresError::file(own))
    }

    /// The same when nobody writes to `source` any more: new sessions cannot, and old ones are ended.
    pub(crate) async fn copy_read_only(&self, source: &Instance, copy: &Instance) -> Result<(), PostgresError> {
        self.set_read_only(source, "SET default_transaction_read_only = on").await?;
        let mut connection = self.connect(source.port, "postgres").await?;
        let others = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                      WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        sqlx::query(others).execute(&mut connection).await?;
        connection.close().await?;
        self.copy_running(source, copy).await
    }

    /// Takes that back.
    pub(crate) async fn writable_again(&self, source: &Instance) -> Result<(), PostgresError> {
        self.set_read_only(source, "RESET default_transaction_read_only").await
    }

    async fn set_read_only(&self, source: &Instance, setting: &str) -> Result<(), PostgresError> {
        let mut connection = self.connect(source.port, "postgres").await?;
        admin::execute(&mut connection, format!("ALTER SYSTEM {setting}")).await?;
        self.load_configuration(source.port).await
    }
}
