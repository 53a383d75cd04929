//! What RDS does: the state of an account, the actions of its API and the passing of time, as pure functions. There is no clock, randomness,
//! file or task in it: the local RDS gives it real ones, and a simulation those of its seed.
//!
//! ```
//! use std::time::Duration;
//!
//! use jiff::{SignedDuration, Timestamp};
//! use rds_model::{Account, ApiError, Fresh, Params, State, Timetable, actions, advance, next_moment, order};
//!
//! struct Seed(u64);
//!
//! impl Fresh for Seed {
//!     fn resource_id(&mut self) -> String {
//!         self.0 += 1;
//!         format!("db-{:0>26}", self.0)
//!     }
//!     fn port(&mut self, taken: &[u16], wanted: Option<u16>) -> Result<u16, ApiError> {
//!         let free = wanted.into_iter().chain(20_000..=u16::MAX).find(|port| !taken.contains(port));
//!         free.ok_or_else(ApiError::internal)
//!     }
//!     fn verifier(&mut self, password: &str) -> String {
//!         format!("SCRAM-SHA-256${password}")
//!     }
//! }
//!
//! let times = Timetable { creation: Duration::from_secs(7), ..Timetable::scaled(1.0, 1.0) };
//! let account = Account::new("000000000000", "eu-central-1", times);
//! let (mut state, mut fresh, mut now) = (State::default(), Seed(0), Timestamp::UNIX_EPOCH);
//!
//! let create = Params::parse(
//!     "DBInstanceIdentifier=orders&DBInstanceClass=db.t4g.micro&Engine=postgres&AllocatedStorage=20\
//!      &MasterUsername=postgres&MasterUserPassword=correct-horse",
//! );
//! let orders = actions::create_instance(&account, &mut state, &create, now, &mut fresh)?;
//! assert_eq!(account.status(&orders, now), "creating");
//! while let Some(at) = next_moment(&account, &state, now) {
//!     now = at;
//!     advance(&account, &mut state, now);
//! }
//! let orders = &actions::describe_instances(&account, &state, &Params::default())?.items[0];
//! assert_eq!(account.status(orders, now), "available");
//!
//! let modify = Params::from_iter([("DBInstanceIdentifier", "orders"), ("DeletionProtection", "true")]);
//! actions::modify_instance(&account, &mut state, &modify, now, &mut fresh)?;
//! let delete = Params::from_iter([("DBInstanceIdentifier", "orders"), ("SkipFinalSnapshot", "true")]);
//! assert!(actions::delete_instance(&account, &mut state, &delete, now).is_err());
//!
//! order::fail_snapshot(&mut state, "orders")?;
//! let snapshot = Params::from_iter([("DBInstanceIdentifier", "orders"), ("DBSnapshotIdentifier", "before")]);
//! actions::create_snapshot(&account, &mut state, &snapshot, now)?;
//! advance(&account, &mut state, now + SignedDuration::from_mins(1));
//! assert_eq!(state.snapshots["before"].status.name(), "failed");
//! # Ok::<(), ApiError>(())
//! ```

mod abilities;
mod account;
pub mod actions;
mod advance;
mod backups;
mod error;
mod fresh;
#[cfg(test)]
mod life;
pub mod lifecycle;
mod network;
pub mod order;
mod page;
pub mod parameters;
mod params;
mod replicas;
mod state;
mod switchover;
#[cfg(test)]
mod testing;
mod timetable;
pub mod upgrade;
mod versions;
mod windows;

pub use account::{Account, Quotas};
pub use advance::{advance, next_moment};
pub use error::ApiError;
pub use fresh::Fresh;
pub use network::{DEFAULT_SECURITY_GROUP, DEFAULT_SUBNET_GROUP};
pub use page::{Page, paginate};
pub use params::Params;
pub use state::{
    Activity, ApplyMethod, Category, CertificateRotation, Change, Event, FailedUpgrade, Insights, Instance,
    Maintenance, MaintenanceAction, Monitoring, OptIn, Ordered, ParameterGroup, ParameterGroups, PendingMaintenance,
    Phase, PointInTime, Retained, RetainedBackup, Running, Setting, Snapshot, SnapshotCopy, SnapshotKind,
    SnapshotStatus, Source, State, Tags,
};
pub use switchover::Switchover;
pub use timetable::{Step, Timetable};
pub use versions::{Availability, BadVersion, EngineVersion};
