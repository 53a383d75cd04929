//! What is seen outside the server: the instance, the Secrets, the Services and the status.

use reconciler::providers::{Instance, Settings};
use reconciler::turns::Key;
use serde_json::{Value, json};
use shared::names;
use shared::rules::{Desired, EngineVersion};

use super::{ALIAS, Picture};
use crate::cluster::{State, key, text};
use crate::watching::ALIASES;

/// Conditions that tell of the past: the snapshot of a namesake.
const OF_THE_PAST: [&str; 1] = ["FinalSnapshotExists"];

impl Picture {
    /// The instance, and what the class it was made with says of it.
    pub(super) fn settings(&mut self, state: &State, object: &Value, desired: &Desired, instance: &Instance) {
        let Settings {
            engine_version,
            // A minor version that was written down once, and taken back, leaves the provider's own setting as it is.
            auto_minor_version_upgrade: _,
            instance_class,
            // Storage never shrinks, and what is not declared of it stays as it is.
            allocated_gib: _,
            iops: _,
            throughput: _,
            // What a class says of these counts at a birth.
            storage_type: _,
            max_allocated_gib: _,
            subnet_group: _,
            kms_key: _,
            // Whether TLS was forced depends on how the instance came to be; what is declared is held to by `end`.
            parameter_group: _,
            multi_az,
            extended_support,
            backup_retention_days,
            backup_window,
            maintenance_window,
            deletion_protection,
            security_groups,
            // What waits for the maintenance window is as good as there.
        } = &instance.pending.clone().or(instance.running.clone());
        let class = object["status"]["instance"]["className"].as_str().and_then(|name| state.classes.get(name));
        let class = class.map(|class| &class["spec"]);
        // No version is taken back: what is newer than declared stays.
        let major = |version: &String| EngineVersion::read(desired.engine, version).map(EngineVersion::major);
        self.add("the major version", engine_version.as_ref().and_then(major));
        self.add("backups are kept for", backup_retention_days);
        // Who names no class keeps the one that is there.
        if desired.instance_class.is_some() {
            self.add("the instance class", instance_class);
        }
        // So does who says nothing of a standby, of support or of a window.
        for (name, declared, there) in [
            ("the standby", desired.multi_az.is_some(), multi_az.map(|multi_az| multi_az.to_string())),
            ("the support", desired.extended_support.is_some(), extended_support.map(|on| on.to_string())),
            ("the backup window", desired.backup.window.is_some(), backup_window.clone()),
            ("the maintenance window", desired.maintenance_window.is_some(), maintenance_window.clone()),
        ] {
            if declared {
                self.add(name, there);
            }
        }
        // Protection is taken away by nobody but who deletes.
        if desired.deletion_protection {
            self.add("deletion protection", deletion_protection);
        }
        // Where the class names no groups, those that are there stay; and so does a tag that has left it.
        let names = |field: &str| class.is_some_and(|class| class[field].as_array().is_some_and(|all| !all.is_empty()));
        if names("securityGroups") {
            self.add("the security groups", security_groups);
        }
        for tag in class.and_then(|class| class["tags"].as_object()).into_iter().flat_map(|tags| tags.keys()) {
            self.add(format_args!("the tag {tag}"), instance.tags.get(tag));
        }
    }

    /// The Secrets and Services.
    pub(super) fn bindings(&mut self, state: &State, of: &Key, desired: &Desired) {
        let users = desired.users.keys().map(|user| names::secret_name(&of.name, user));
        for name in users.chain([names::master_secret_name(&of.name)]) {
            let secret = state.secrets.get(&key(&of.namespace, &name));
            let keys = secret.map(|secret| secret.data.iter().flatten().map(|(key, _)| key).collect::<Vec<_>>());
            let user = secret.and_then(|secret| text(secret, "username"));
            self.add(format_args!("the Secret {name}"), (user, keys, secret.map(|secret| &secret.type_)));
        }
        let service = |of: &Key| state.services.get(of).and_then(|service| service.spec.clone());
        self.add("the Service", service(&key(&of.namespace, &names::service_name(&of.name))));
        self.add(ALIAS[0], service(&key(ALIASES, &names::alias_service_name(&of.name))));
    }

    /// The status, as far as it is not about times, names and what was: its words depend on the way.
    pub(super) fn status(&mut self, status: &Value, desired: &Desired) {
        for condition in status["conditions"].as_array().into_iter().flatten() {
            let name = condition["type"].as_str().unwrap_or_default();
            // A fresh one has at once what waits for its window here.
            let waits = condition["reason"] == "WaitingForWindow";
            if waits {
                self.add(format_args!("the condition {name}"), (json!("True"), json!("Done")));
            } else if !OF_THE_PAST.contains(&name) {
                self.add(
                    format_args!("the condition {name}"),
                    (condition["status"].clone(), condition["reason"].clone()),
                );
            }
        }
        self.add("the users", &status["users"]);
        // One that left the spec is kept.
        for name in desired.databases.keys() {
            let database = &status["databases"][name.as_str()];
            let told = json!({"ready": database["ready"], "users": database["users"]});
            self.add(format_args!("the database {name} in the status"), told);
        }
        // What the cloud still does with what it was asked for is its own affair: no word of its state.
        for field in ["endpoint", "logins"] {
            self.add(field, &status[field]);
        }
        self.add("backups in the status", &status["backups"]["retentionDays"]);
    }
}
