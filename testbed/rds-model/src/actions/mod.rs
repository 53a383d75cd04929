//! The actions of the API: each takes the account, the state, the parameters of one request and the time, and changes the state or refuses.
//! What fails has changed nothing that a caller could see.

mod backups;
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
mod parameter_groups;
mod parameters;
mod power;
mod restore;
mod settings;
mod snapshots;
mod storage;
mod tags;
mod versions;

pub use backups::{Backup, backup_arn, delete_backup, describe_backups};
pub use create::create_instance;
pub use delete::delete_instance;
pub use describe::describe_instances;
pub use events::describe_events;
pub use fields::instance_id;
pub use maintenance::{apply_maintenance, describe_maintenance};
pub use modify::modify_instance;
pub use observability::LOGS;
pub use parameter_groups::{create_parameter_group, delete_parameter_group, describe_parameter_groups};
pub use parameters::{
    ParameterOf, describe_engine_defaults, describe_parameters, modify_parameter_group, reset_parameter_group,
};
pub use power::{reboot_instance, start_instance, stop_instance};
pub use restore::restore_instance;
pub use settings::AUTHORITIES;
pub use snapshots::{create_snapshot, delete_snapshot, describe_snapshots, modify_snapshot};
pub use tags::{add_tags, list_tags, remove_tags};
pub use versions::describe_versions;
