//! What a specification asks for, parsed: a bad value cannot exist in it.

use std::collections::{BTreeMap, BTreeSet};

use super::{DatabaseName, Engine, EngineVersion, Interval, RoleFlags, RoleName, Size};
use crate::api::DeletionPolicy;

/// The database an object asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The engine.
    pub engine: Engine,
    /// The engine's version, of which the minor part may be left to RDS.
    pub version: EngineVersion,
    /// The size that was written; [`Size::allocated`] is what RDS is asked for.
    pub size: Size,
    /// Name of the user that administers the server.
    pub master_user: RoleName,
    /// The users and their flags.
    pub users: BTreeMap<RoleName, RoleFlags>,
    /// The databases and who works in each; all of them are in `users`.
    pub databases: BTreeMap<DatabaseName, BTreeSet<RoleName>>,
    /// How often backups are made and how long they are kept.
    pub backup: Backup,
    /// The `RDSDatabaseClass`; none means the default one.
    pub class_name: Option<String>,
    /// The RDS instance class, such as `db.t4g.micro`; none means the class's.
    pub instance_class: Option<String>,
    /// What becomes of the data when the object is deleted; none means the class's default.
    pub deletion_policy: Option<DeletionPolicy>,
    /// Whether the instance is protected from deletion.
    pub deletion_protection: bool,
    /// Whether the reconciler leaves everything as it is.
    pub paused: bool,
}

/// How often backups are made and how long they are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Time between two backups.
    pub every: Interval,
    /// Days an automated backup is kept: 1 to 35.
    pub retention_days: u8,
}
