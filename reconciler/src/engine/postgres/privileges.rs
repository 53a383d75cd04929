use std::collections::BTreeSet;

use serde::Deserialize;
use shared::rules::DatabaseName;

use super::naming::MAINTENANCE_DATABASE;
use crate::engine::port::Privileges;

/// What a user that logged in to a database may do there. Read from the catalog in a read-only session: looking leaves nothing behind.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PrivilegeReport {
    /// Who logged in.
    pub session_user: String,
    /// Whom the session acts as: the owner role of the database for plain users.
    pub current_user: String,
    /// The database.
    pub database: String,
    /// Version of the server, such as `12.22`.
    pub server_version: String,
    /// TLS version of this connection as the server sees it; `None` is a connection in clear text.
    #[serde(default)]
    pub tls: Option<String>,
    /// May create objects in the schema `public`; `None` where there is no such schema.
    pub may_create_in_public: Option<bool>,
    /// May create schemas.
    pub may_create_schemas: bool,
    /// May create temporary tables.
    pub may_create_temporary: bool,
    /// Number of tables this user cannot both read and write.
    pub closed_tables: u64,
    /// Up to five of them, with their schema.
    pub closed_table_examples: Vec<String>,
    /// Databases of this server that the user may connect to, templates left out.
    pub connectable: BTreeSet<String>,
}

impl Privileges for PrivilegeReport {
    fn faults(&self, mapped: &BTreeSet<DatabaseName>, ours: &BTreeSet<DatabaseName>) -> Vec<String> {
        let mut faults = Vec::new();
        let user = &self.session_user;
        if self.tls.is_none() {
            faults.push(format!("the connection of {user} to {} is not encrypted", self.database));
        }
        // The maintenance database is nobody's to work in: it is a way to others.
        let maintenance = self.database == MAINTENANCE_DATABASE;
        if !maintenance && self.may_create_in_public == Some(false) && !self.may_create_schemas {
            faults.push(format!("{user} cannot create objects in {}", self.database));
        }
        if !maintenance && self.closed_tables > 0 {
            faults.push(format!(
                "{user} cannot read and write {} of the tables of {}: {}",
                self.closed_tables,
                self.database,
                self.closed_table_examples.join(", ")
            ));
        }
        for database in ours.difference(mapped) {
            if self.connectable.contains(database.as_str()) {
                faults.push(format!("{user} may connect to {database}, which it is not mapped to"));
            }
        }
        faults
    }
}
