use shared::rules::RoleFlags;

use super::naming::MAINTENANCE_DATABASE;
use crate::engine::dialect::{Address, Dialect, encoded};
use crate::engine::password::Password;

/// PostgreSQL as applications know it: the keys and parameters are those of libpq and pgjdbc.
pub const DIALECT: &dyn Dialect = &Postgresql;

#[derive(Debug)]
struct Postgresql;

impl Dialect for Postgresql {
    fn binding_type(&self) -> &'static str {
        "postgresql"
    }

    fn maintenance_database(&self) -> &'static str {
        MAINTENANCE_DATABASE
    }

    /// Creating and dropping databases takes a connection to another one, and other privileges to any.
    fn enters_maintenance(&self, flags: RoleFlags, mapped: bool) -> bool {
        flags.can_login() && (flags.createdb == Some(true) || (flags.privileged() && !mapped))
    }

    fn verification(&self, authorities: &'static str) -> [(&'static str, &'static str); 2] {
        [("sslmode", "verify-full"), ("sslrootcert", authorities)]
    }

    fn uri(&self, user: &str, password: &Password, to: Address<'_>) -> String {
        let Address { host, port, database } = to;
        let (user, password) = (encoded(user), encoded(password.expose()));
        format!("postgresql://{user}:{password}@{host}:{port}/{database}?sslmode=verify-full")
    }

    /// pgjdbc takes one certificate this way, and verifies chain and host name with it (pgjdbc, `SingleCertValidatingFactory`, `MakeSSL`).
    fn jdbc_url(&self, to: Address<'_>, authority: &str) -> String {
        let Address { host, port, database } = to;
        let factory = "org.postgresql.ssl.SingleCertValidatingFactory";
        let authority = encoded(authority);
        format!(
            "jdbc:postgresql://{host}:{port}/{database}?sslmode=verify-full&sslfactory={factory}&sslfactoryarg={authority}"
        )
    }
}
