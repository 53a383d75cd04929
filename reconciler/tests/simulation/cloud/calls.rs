//! Requests as the AWS adapter sends them, and what the model makes of them.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use rds_model::{Account, ApiError, Fresh, Params, State, actions};
use reconciler::providers::aws::marks;
use reconciler::providers::{
    Create, CreateGroup, Delete, DeleteGroup, DeleteSnapshot, FillGroup, MarkInstance, MasterPassword, Modify, Origin,
    Reboot, Request, ResetMaster, Restore, Settings, TakeSnapshot,
};
use shared::rules::{Engine, lifecycle_support};

/// An action of RDS that changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    AddTags,
    Create,
    CreateGroup,
    CreateSnapshot,
    Delete,
    DeleteGroup,
    DeleteSnapshot,
    FillGroup,
    Modify,
    Reboot,
    RemoveTags,
    Restore,
    RestoreMoment,
    Start,
    Stop,
}

/// A call that changes something, before it is encoded.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Call {
    pub(crate) action: Action,
    pub(crate) params: Params,
}

/// Without its parameters: a password may be among them.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.action.name(), self.subject())
    }
}

impl Action {
    /// Its name in the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AddTags => "AddTagsToResource",
            Self::Create => "CreateDBInstance",
            Self::CreateGroup => "CreateDBParameterGroup",
            Self::DeleteGroup => "DeleteDBParameterGroup",
            Self::FillGroup => "ModifyDBParameterGroup",
            Self::CreateSnapshot => "CreateDBSnapshot",
            Self::Delete => "DeleteDBInstance",
            Self::DeleteSnapshot => "DeleteDBSnapshot",
            Self::Modify => "ModifyDBInstance",
            Self::Reboot => "RebootDBInstance",
            Self::RemoveTags => "RemoveTagsFromResource",
            Self::Restore => "RestoreDBInstanceFromDBSnapshot",
            Self::RestoreMoment => "RestoreDBInstanceToPointInTime",
            Self::Start => "StartDBInstance",
            Self::Stop => "StopDBInstance",
        }
    }
}

impl Call {
    /// A call with these parameters.
    pub(crate) fn new<V: Into<String>>(action: Action, params: impl IntoIterator<Item = (&'static str, V)>) -> Self {
        Self { action, params: params.into_iter().collect() }
    }

    /// What it is about.
    pub(crate) fn subject(&self) -> &str {
        let named = [
            "DBInstanceIdentifier",
            "TargetDBInstanceIdentifier",
            "ResourceName",
            "DBSnapshotIdentifier",
            "DBParameterGroupName",
        ];
        named.into_iter().find_map(|name| self.params.text(name)).unwrap_or_default()
    }

    /// What is asked for, as the adapter for AWS does.
    pub(crate) fn of(request: &Request) -> Self {
        match request {
            Request::Create(request) => create(request),
            Request::Restore(request) => restore(request),
            Request::Modify(request) => modify(request),
            Request::ResetMaster(request) => reset_master(request),
            Request::Mark(request) => mark(request),
            Request::Snapshot(request) => snapshot(request),
            Request::DeleteSnapshot(DeleteSnapshot { snapshot }) => {
                Self::new(Action::DeleteSnapshot, [("DBSnapshotIdentifier", snapshot.as_str())])
            }
            Request::Delete(request) => delete(request),
            Request::Reboot(Reboot { identifier, group: _ }) => {
                Self::new(Action::Reboot, [("DBInstanceIdentifier", identifier.as_str())])
            }
            Request::CreateGroup(request) => create_group(request),
            Request::FillGroup(request) => fill_group(request),
            Request::DeleteGroup(DeleteGroup { name }) => {
                Self::new(Action::DeleteGroup, [("DBParameterGroupName", name.as_str())])
            }
        }
    }

    /// Asks the model.
    pub(crate) fn perform(
        &self,
        account: &Account,
        state: &mut State,
        now: Timestamp,
        fresh: &mut impl Fresh,
    ) -> Result<(), ApiError> {
        let params = &self.params;
        match self.action {
            Action::AddTags => actions::add_tags(account, state, params),
            Action::RemoveTags => actions::remove_tags(account, state, params),
            Action::Create => actions::create_instance(account, state, params, now, fresh).map(drop),
            Action::Restore => actions::restore_instance(account, state, params, now, fresh).map(drop),
            Action::RestoreMoment => actions::restore_to_point_in_time(account, state, params, now, fresh).map(drop),
            Action::Modify => actions::modify_instance(account, state, params, now, fresh).map(drop),
            Action::Delete => actions::delete_instance(account, state, params, now).map(drop),
            Action::Reboot => actions::reboot_instance(account, state, params, now).map(drop),
            Action::Start => actions::start_instance(account, state, params, now).map(drop),
            Action::Stop => actions::stop_instance(account, state, params, now).map(drop),
            Action::CreateSnapshot => actions::create_snapshot(account, state, params, now).map(drop),
            Action::CreateGroup => actions::create_parameter_group(account, state, params).map(drop),
            Action::FillGroup => actions::modify_parameter_group(state, params, now).map(drop),
            Action::DeleteGroup => actions::delete_parameter_group(state, params).map(drop),
            Action::DeleteSnapshot => actions::delete_snapshot(state, params, now).map(drop),
        }
    }
}

/// Parameters as they are gathered; what is not said is not sent.
#[derive(Default)]
struct Sent(Vec<(String, String)>);

impl Sent {
    fn with(mut self, name: &str, value: &(impl ToString + ?Sized)) -> Self {
        self.0.push((name.to_owned(), value.to_string()));
        self
    }

    fn option(self, name: &str, value: Option<&impl ToString>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    fn tags(mut self, tags: &BTreeMap<String, String>) -> Self {
        for (index, (key, value)) in (1..).zip(tags) {
            self = self.with(&format!("Tags.Tag.{index}.Key"), key).with(&format!("Tags.Tag.{index}.Value"), value);
        }
        self
    }

    /// The tags of the instance, and the same of its automated backups.
    fn tags_of_both(mut self, tags: &BTreeMap<String, String>) -> Self {
        let of_backups = "TagSpecifications.item.1";
        self = self.with(&format!("{of_backups}.ResourceType"), "auto-backup");
        for (index, (key, value)) in (1..).zip(tags) {
            let tag = format!("{of_backups}.Tags.Tag.{index}");
            self = self.with(&format!("{tag}.Key"), key).with(&format!("{tag}.Value"), value);
        }
        self.tags(tags)
    }

    fn settings(mut self, settings: &Settings) -> Self {
        let Settings {
            engine_version,
            auto_minor_version_upgrade,
            instance_class,
            allocated_gib,
            iops,
            throughput,
            storage_type,
            max_allocated_gib,
            multi_az,
            extended_support,
            backup_retention_days,
            backup_window,
            maintenance_window,
            deletion_protection,
            security_groups,
            subnet_group,
            // Said at birth only.
            kms_key: _,
            parameter_group,
        } = settings;
        for (index, group) in (1..).zip(security_groups.iter().flatten()) {
            self = self.with(&format!("VpcSecurityGroupIds.VpcSecurityGroupId.{index}"), group);
        }
        self.option("EngineVersion", engine_version.as_ref())
            .option("AutoMinorVersionUpgrade", auto_minor_version_upgrade.as_ref())
            .option("DBInstanceClass", instance_class.as_ref())
            .option("AllocatedStorage", allocated_gib.as_ref())
            .option("Iops", iops.as_ref())
            .option("StorageThroughput", throughput.as_ref())
            .option("StorageType", storage_type.as_ref())
            .option("MaxAllocatedStorage", max_allocated_gib.as_ref())
            .option("MultiAZ", multi_az.as_ref())
            .option("EngineLifecycleSupport", extended_support.map(lifecycle_support).as_ref())
            .option("BackupRetentionPeriod", backup_retention_days.as_ref())
            .option("PreferredBackupWindow", backup_window.as_ref())
            .option("PreferredMaintenanceWindow", maintenance_window.as_ref())
            .option("DeletionProtection", deletion_protection.as_ref())
            .option("DBSubnetGroupName", subnet_group.as_ref())
            .option("DBParameterGroupName", parameter_group.as_ref())
    }

    fn to(self, action: Action) -> Call {
        Call { action, params: self.0.into_iter().collect() }
    }
}

fn create(request: &Create) -> Call {
    let Create { identifier, engine, settings, master_user, master_password, owner, tags } = request;
    let MasterPassword { secret: _, password } = master_password;
    let mut tags = tags.clone();
    tags.extend(marks::tags(owner));
    let engine = match engine {
        Engine::Postgresql => "postgres",
        Engine::MySql => "mysql",
    };
    Sent::default()
        .with("DBInstanceIdentifier", identifier)
        .with("Engine", engine)
        .settings(settings)
        .option("KmsKeyId", settings.kms_key.as_ref())
        .with("MasterUsername", master_user)
        .with("MasterUserPassword", password.expose())
        .with("StorageEncrypted", &true)
        .with("PubliclyAccessible", &false)
        .with("CopyTagsToSnapshot", &true)
        .tags_of_both(&tags)
        .to(Action::Create)
}

fn restore(request: &Restore) -> Call {
    let Restore { identifier, origin, settings, owner, tags } = request;
    let mut tags = tags.clone();
    tags.extend(marks::tags(owner));
    let sent = Sent::default()
        .settings(settings)
        .with("PubliclyAccessible", &false)
        .with("CopyTagsToSnapshot", &true)
        .tags_of_both(&tags);
    match origin {
        Origin::Snapshot(snapshot) => {
            sent.with("DBInstanceIdentifier", identifier).with("DBSnapshotIdentifier", snapshot).to(Action::Restore)
        }
        Origin::PointInTime { resource_id, time } => sent
            .with("TargetDBInstanceIdentifier", identifier)
            .with("SourceDbiResourceId", resource_id)
            .option("UseLatestRestorableTime", time.is_none().then_some(true).as_ref())
            .option("RestoreTime", time.as_ref())
            .to(Action::RestoreMoment),
    }
}

fn modify(request: &Modify) -> Call {
    let Modify { identifier, change, at_once, major } = request;
    Sent::default()
        .with("DBInstanceIdentifier", identifier)
        .settings(change)
        .option("AllowMajorVersionUpgrade", major.then_some(true).as_ref())
        .with("ApplyImmediately", at_once)
        .to(Action::Modify)
}

fn reset_master(request: &ResetMaster) -> Call {
    let ResetMaster { identifier, master_password: MasterPassword { secret: _, password } } = request;
    Sent::default()
        .with("DBInstanceIdentifier", identifier)
        .with("MasterUserPassword", password.expose())
        .with("ApplyImmediately", &false)
        .to(Action::Modify)
}

fn mark(request: &MarkInstance) -> Call {
    let MarkInstance { resource, owner, retained, tags } = request;
    let mut tags = tags.clone();
    tags.extend(owner.iter().flat_map(marks::tags));
    tags.extend(retained.map(marks::retained));
    Sent::default().with("ResourceName", resource).tags(&tags).to(Action::AddTags)
}

fn snapshot(request: &TakeSnapshot) -> Call {
    let TakeSnapshot { identifier, snapshot, kept, owner, tags } = request;
    let mut tags = tags.clone();
    tags.extend(kept.then(marks::kept));
    tags.extend(marks::tags(owner));
    Sent::default()
        .with("DBInstanceIdentifier", identifier)
        .with("DBSnapshotIdentifier", snapshot)
        .tags(&tags)
        .to(Action::CreateSnapshot)
}

fn delete(request: &Delete) -> Call {
    let Delete { identifier, final_snapshot, delete_automated_backups } = request;
    Sent::default()
        .with("DBInstanceIdentifier", identifier)
        .with("SkipFinalSnapshot", &final_snapshot.is_none())
        .option("FinalDBSnapshotIdentifier", final_snapshot.as_ref())
        .with("DeleteAutomatedBackups", delete_automated_backups)
        .to(Action::Delete)
}

fn create_group(request: &CreateGroup) -> Call {
    let CreateGroup { name, family, cluster } = request;
    Sent::default()
        .with("DBParameterGroupName", name)
        .with("DBParameterGroupFamily", family)
        .with("Description", "Made by the RDS operator for all databases that ask for these settings")
        .tags(&marks::shared(cluster))
        .to(Action::CreateGroup)
}

fn fill_group(request: &FillGroup) -> Call {
    let FillGroup { name, values } = request;
    let mut sent = Sent::default().with("DBParameterGroupName", name);
    for (index, (name, value)) in (1..).zip(values) {
        let parameter = format!("Parameters.Parameter.{index}");
        sent = sent
            .with(&format!("{parameter}.ParameterName"), name)
            .with(&format!("{parameter}.ParameterValue"), value)
            .with(&format!("{parameter}.ApplyMethod"), "pending-reboot");
    }
    sent.to(Action::FillGroup)
}
