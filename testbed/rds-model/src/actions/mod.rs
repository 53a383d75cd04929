//! The actions of the API: each takes the account, the state, the parameters of one request and the time, and changes the state or refuses.
//! What fails has changed nothing that a caller could see.

mod account_attributes;
mod backups;
mod copy_snapshot;
mod create;
mod delete;
mod describe;
mod elsewhere;
mod events;
mod fields;
mod filters;
mod maintenance;
mod modify;
mod observability;
mod orderable;
mod parameter_groups;
mod parameters;
mod point_in_time;
mod power;
mod read_replica;
mod restore;
mod settings;
mod snapshots;
mod storage;
mod storage_types;
mod tags;
mod valid_modifications;
mod versions;

pub use account_attributes::{AccountQuota, describe_account_attributes};
pub use backups::{Backup, backup_arn, delete_backup, describe_backups};
pub use copy_snapshot::{copy_snapshot, finish_copy};
pub use create::create_instance;
pub(crate) use create::ports;
pub use delete::delete_instance;
pub use describe::describe_instances;
pub use events::describe_events;
pub(crate) use fields::EXTENDED_SUPPORT_DISABLED;
pub use fields::instance_id;
pub use maintenance::{apply_maintenance, describe_maintenance};
pub use modify::modify_instance;
pub use observability::LOGS;
pub use orderable::{Orderable, describe_orderable};
pub use parameter_groups::{create_parameter_group, delete_parameter_group, describe_parameter_groups};
pub use parameters::{
    ParameterOf, describe_engine_defaults, describe_parameters, modify_parameter_group, reset_parameter_group,
};
pub use point_in_time::restore_to_point_in_time;
pub use power::{reboot_instance, start_instance, stop_instance};
pub use read_replica::create_read_replica;
pub use restore::restore_instance;
pub use settings::AUTHORITIES;
pub use snapshots::{create_snapshot, delete_snapshot, describe_snapshots, modify_snapshot};
pub use storage_types::{Chosen, StorageType};
pub use tags::{add_tags, list_tags, remove_tags};
pub use valid_modifications::{ValidStorage, describe_valid_modifications};
pub use versions::describe_versions;
