//! What is to become of an instance.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{MaintenanceAction, Monitoring};
use crate::versions::EngineVersion;

/// A set of changes that take time: applied at once or kept for the maintenance window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Change {
    /// Another identifier.
    pub new_id: Option<String>,
    /// Maintenance that is applied.
    pub maintenance: BTreeSet<MaintenanceAction>,
    /// Another instance class.
    pub class: Option<String>,
    /// A later engine version.
    pub engine_version: Option<EngineVersion>,
    /// The parameter group that comes with another major version.
    pub parameter_group: Option<String>,
    /// GiB.
    pub allocated_storage: Option<u32>,
    /// `gp3`.
    pub storage_type: Option<String>,
    /// Operations a second.
    pub iops: Option<u32>,
    /// MiB/s.
    pub storage_throughput: Option<u32>,
    /// Whether the write-ahead log has a volume of its own.
    pub dedicated_log_volume: Option<bool>,
    /// Days; 0 turns backups off.
    pub backup_retention: Option<u32>,
    /// Whether there is a standby in another zone.
    pub multi_az: Option<bool>,
    /// Whether tokens of IAM log in.
    pub iam_authentication: Option<bool>,
    /// Another certificate authority.
    pub certificate: Option<CertificateRotation>,
    /// Enhanced Monitoring from now on.
    pub monitoring: Option<Monitoring>,
    /// All log types to export from now on.
    pub log_exports: Option<Vec<String>>,
    /// Where the server listens from now on.
    pub port: Option<u16>,
    /// The verifier of the master user's new password.
    pub master_verifier: Option<String>,
}

/// Another certificate authority, and whether the server restarts for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CertificateRotation {
    /// `rds-ca-rsa2048-g1`.
    pub authority: String,
    /// Whether the server restarts for it.
    pub restart: bool,
}

impl Change {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the volume changes, which starts its optimization and cooldown.
    pub(crate) fn touches_storage(&self) -> bool {
        self.allocated_storage.is_some()
            || self.storage_type.is_some()
            || self.iops.is_some()
            || self.storage_throughput.is_some()
    }

    /// Whether the server restarts for it.
    pub fn needs_restart(&self) -> bool {
        !self.maintenance.is_empty()
            || self.class.is_some()
            || self.engine_version.is_some()
            || self.new_id.is_some()
            || self.port.is_some()
            || self.dedicated_log_volume.is_some()
            || self.certificate.as_ref().is_some_and(|rotation| rotation.restart)
    }

    /// Whether it leads to another major version than the present one.
    pub fn is_major_upgrade(&self, present: EngineVersion) -> bool {
        self.engine_version.is_some_and(|target| target.major != present.major)
    }

    /// The `DBInstanceStatus` while it is applied [RDS User Guide, "Viewing DB instance status"].
    pub fn status(&self) -> &'static str {
        let alone = |without: Self| without.is_empty();
        if self.new_id.is_some() {
            "renaming"
        } else if self.engine_version.is_some() {
            "upgrading"
        } else if !self.maintenance.is_empty() {
            "maintenance"
        } else if alone(Self { iam_authentication: None, ..self.clone() }) {
            "configuring-iam-database-auth"
        } else if alone(Self { monitoring: None, ..self.clone() }) {
            "configuring-enhanced-monitoring"
        } else if alone(Self { log_exports: None, ..self.clone() }) {
            "configuring-log-exports"
        } else {
            "modifying"
        }
    }

    /// Adds `later`, whose values win.
    pub fn merge(&mut self, later: Self) {
        let Self {
            new_id,
            maintenance,
            class,
            engine_version,
            parameter_group,
            allocated_storage,
            storage_type,
            iops,
            storage_throughput,
            dedicated_log_volume,
            backup_retention,
            multi_az,
            iam_authentication,
            certificate,
            monitoring,
            log_exports,
            port,
            master_verifier,
        } = later;
        self.new_id = new_id.or(self.new_id.take());
        self.maintenance.extend(maintenance);
        self.class = class.or(self.class.take());
        self.engine_version = engine_version.or(self.engine_version);
        self.parameter_group = parameter_group.or(self.parameter_group.take());
        self.allocated_storage = allocated_storage.or(self.allocated_storage);
        self.storage_type = storage_type.or(self.storage_type.take());
        self.iops = iops.or(self.iops);
        self.storage_throughput = storage_throughput.or(self.storage_throughput);
        self.dedicated_log_volume = dedicated_log_volume.or(self.dedicated_log_volume);
        self.backup_retention = backup_retention.or(self.backup_retention);
        self.multi_az = multi_az.or(self.multi_az);
        self.iam_authentication = iam_authentication.or(self.iam_authentication);
        self.certificate = certificate.or(self.certificate.take());
        self.monitoring = monitoring.or(self.monitoring.take());
        self.log_exports = log_exports.or(self.log_exports.take());
        self.port = port.or(self.port);
        self.master_verifier = master_verifier.or(self.master_verifier.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_certificate_restarts_the_server_where_that_is_asked_for() {
        for restart in [true, false] {
            let certificate = Some(CertificateRotation { authority: "rds-ca-rsa4096-g1".into(), restart });
            assert_eq!(Change { certificate, ..Change::default() }.needs_restart(), restart);
        }
    }

    #[test]
    fn a_status_tells_what_is_changed() {
        let cases = [
            (Change { new_id: Some("b".into()), multi_az: Some(true), ..Change::default() }, "renaming"),
            (Change { iam_authentication: Some(true), ..Change::default() }, "configuring-iam-database-auth"),
            (
                Change { monitoring: Some(Monitoring::default()), ..Change::default() },
                "configuring-enhanced-monitoring",
            ),
            (Change { log_exports: Some(vec![]), ..Change::default() }, "configuring-log-exports"),
            (Change { log_exports: Some(vec![]), multi_az: Some(true), ..Change::default() }, "modifying"),
        ];
        for (change, status) in cases {
            assert_eq!(change.status(), status, "{change:?}");
        }
    }
}
