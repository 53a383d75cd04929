//! People at the console: what a schedule can have somebody do to an account. Each is taken or refused as RDS does.

use rds_model::{ApiError, order};

use super::calls::{Action, Call};
use super::history::By;
use super::port::SimulatedCloud;

impl SimulatedCloud {
    pub(crate) fn stop(&self, identifier: &str) -> Result<(), ApiError> {
        self.person(&Call::new(Action::Stop, [("DBInstanceIdentifier", identifier)]))
    }

    pub(crate) fn start(&self, identifier: &str) -> Result<(), ApiError> {
        self.person(&Call::new(Action::Start, [("DBInstanceIdentifier", identifier)]))
    }

    pub(crate) fn reboot(&self, identifier: &str) -> Result<(), ApiError> {
        self.person(&Call::new(Action::Reboot, [("DBInstanceIdentifier", identifier)]))
    }

    /// Deletes an instance with its automated backups, after a final snapshot where one is named.
    pub(crate) fn delete(&self, identifier: &str, final_snapshot: Option<&str>) -> Result<(), ApiError> {
        let how =
            final_snapshot.map_or(("SkipFinalSnapshot", "true"), |snapshot| ("FinalDBSnapshotIdentifier", snapshot));
        self.person(&Call::new(Action::Delete, [("DBInstanceIdentifier", identifier), how]))
    }

    pub(crate) fn protect(&self, identifier: &str, protected: bool) -> Result<(), ApiError> {
        self.modify(identifier, ("DeletionProtection", &protected.to_string()))
    }

    pub(crate) fn rename(&self, identifier: &str, to: &str) -> Result<(), ApiError> {
        self.modify(identifier, ("NewDBInstanceIdentifier", to))
    }

    pub(crate) fn change_class(&self, identifier: &str, class: &str) -> Result<(), ApiError> {
        self.modify(identifier, ("DBInstanceClass", class))
    }

    /// In GiB.
    pub(crate) fn change_storage(&self, identifier: &str, size: u32) -> Result<(), ApiError> {
        self.modify(identifier, ("AllocatedStorage", &size.to_string()))
    }

    pub(crate) fn change_storage_type(&self, identifier: &str, kind: &str) -> Result<(), ApiError> {
        self.modify(identifier, ("StorageType", kind))
    }

    /// In days.
    pub(crate) fn change_retention(&self, identifier: &str, days: u32) -> Result<(), ApiError> {
        self.modify(identifier, ("BackupRetentionPeriod", &days.to_string()))
    }

    pub(crate) fn upgrade(&self, identifier: &str, version: &str) -> Result<(), ApiError> {
        self.modify(identifier, ("EngineVersion", version))
    }

    /// The operator is not told, and its Secret holds another one.
    pub(crate) fn change_password(&self, identifier: &str, password: &str) -> Result<(), ApiError> {
        self.modify(identifier, ("MasterUserPassword", password))
    }

    pub(crate) fn tag(&self, identifier: &str, key: &str, value: &str) -> Result<(), ApiError> {
        let resource = self.arn(identifier);
        let tag = [("ResourceName", resource.as_str()), ("Tags.Tag.1.Key", key), ("Tags.Tag.1.Value", value)];
        self.person(&Call::new(Action::AddTags, tag))
    }

    pub(crate) fn strip_tag(&self, identifier: &str, key: &str) -> Result<(), ApiError> {
        let resource = self.arn(identifier);
        self.person(&Call::new(Action::RemoveTags, [("ResourceName", resource.as_str()), ("TagKeys.member.1", key)]))
    }

    pub(crate) fn make_snapshot(&self, identifier: &str, snapshot: &str) -> Result<(), ApiError> {
        let params = [("DBInstanceIdentifier", identifier), ("DBSnapshotIdentifier", snapshot)];
        self.person(&Call::new(Action::CreateSnapshot, params))
    }

    pub(crate) fn delete_snapshot(&self, snapshot: &str) -> Result<(), ApiError> {
        self.person(&Call::new(Action::DeleteSnapshot, [("DBSnapshotIdentifier", snapshot)]))
    }

    /// So many days pass over the manual snapshots of an instance, as far as anybody can tell.
    pub(crate) fn age_snapshots(&self, identifier: &str, days: u32) -> Result<(), ApiError> {
        self.act(|state, now, told| {
            state.change(now, By::Person, told, |_, rds, _| order::age_snapshots(rds, identifier, 24 * days))
        })
    }

    /// A new instance with the data of a snapshot, and the tags that its instance had.
    pub(crate) fn restore_snapshot(&self, snapshot: &str, identifier: &str) -> Result<(), ApiError> {
        let params = [("DBSnapshotIdentifier", snapshot), ("DBInstanceIdentifier", identifier)];
        self.person(&Call::new(Action::Restore, params))
    }

    /// Somebody makes an instance of their own.
    pub(crate) fn create(&self, identifier: &str, password: &str) -> Result<(), ApiError> {
        let params = [
            ("DBInstanceIdentifier", identifier),
            ("DBInstanceClass", "db.t4g.micro"),
            ("Engine", "postgres"),
            ("AllocatedStorage", "20"),
            ("MasterUsername", "sysadmin"),
            ("MasterUserPassword", password),
        ];
        self.person(&Call::new(Action::Create, params))
    }

    fn modify(&self, identifier: &str, change: (&'static str, &str)) -> Result<(), ApiError> {
        let at_once = ("ApplyImmediately", "true");
        self.person(&Call::new(Action::Modify, [("DBInstanceIdentifier", identifier), change, at_once]))
    }

    fn arn(&self, identifier: &str) -> String {
        self.act(|state, _, _| state.account().arn("db", identifier))
    }

    fn person(&self, call: &Call) -> Result<(), ApiError> {
        self.act(|state, now, told| state.perform(call, now, By::Person, told))
    }
}
