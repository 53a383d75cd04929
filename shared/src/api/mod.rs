//! The custom resources as Kubernetes stores them.
//!
//! These types hold what was written, as it was written. [`crate::rules::parse`] turns a specification into
//! [`crate::rules::Desired`], the only form in which its values are trusted.

mod cel;
mod class;
mod crd;
pub(crate) mod database;
pub mod labels;
mod policy;
pub(crate) mod schema;
mod status;

pub use class::{RDSDatabaseClass, RDSDatabaseClassSpec, RDSDatabaseClassStatus};
pub use crd::crds;
pub use database::{Backup, Fields, RDSDatabase, RDSDatabaseSpec};
pub use policy::DeletionPolicy;
pub use status::{
    AccessStatus, BackupStatus, Binding, DatabaseStatus, Endpoint, InstanceRef, LoginsStatus, PlannedStep,
    RDSDatabaseStatus, SnapshotKind, SnapshotRef, UpgradeRef, UserStatus,
};
