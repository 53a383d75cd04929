//! What RDS does: the state of an account, the actions of its API and the passing of time, as pure functions. There is no clock, randomness,
//! file or task in it: the local RDS gives it real ones, and a simulation those of its seed.

mod abilities;
mod account;
pub mod actions;
mod backups;
mod error;
mod fresh;
pub mod lifecycle;
mod network;
pub mod order;
mod page;
mod params;
mod state;
#[cfg(test)]
mod testing;
mod timetable;
mod versions;
mod windows;

pub use account::{Account, Quotas};
pub use error::ApiError;
pub use fresh::Fresh;
pub use network::{DEFAULT_SECURITY_GROUP, DEFAULT_SUBNET_GROUP};
pub use page::{Page, paginate};
pub use params::Params;
pub use state::{
    Activity, Category, CertificateRotation, Change, Event, Insights, Instance, Monitoring, Ordered, Phase, Retained,
    RetainedBackup, Snapshot, SnapshotKind, SnapshotStatus, Source, State, Tags,
};
pub use timetable::{Step, Timetable};
pub use versions::{Availability, BadVersion, EngineVersion};
