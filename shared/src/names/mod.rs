//! Names that follow from an object, pure functions of what it is called.

mod cluster;
mod identifier;

pub use cluster::{alias_service_name, master_secret_name, secret_name, service_name};
pub use identifier::{InstanceIdentifier, InvalidIdentifier, final_snapshot_of_v0_1_0, final_snapshots};
