//! Where Secrets lead, and which one an application is bound to.
//!
//! Whatever was said once stays for as long as it is true: a user or a database whose name sorts first must not send an application to another,
//! empty database.

use shared::names;
use shared::rules::{Desired, RoleName};

use crate::engine::Dialect;

/// The databases that a user works in, sorted by name.
pub(crate) fn databases_of(desired: &Desired, user: &str) -> Vec<String> {
    let databases = desired.databases.iter();
    databases
        .filter(|(_, users)| users.iter().any(|found| found.as_str() == user))
        .map(|(name, _)| name.to_string())
        .collect()
}

/// The database that the Secret of a user leads to, if the user may connect to any. `before` is what the Secret says.
pub(super) fn lead(dialect: &dyn Dialect, desired: &Desired, user: &RoleName, before: Option<&str>) -> Option<String> {
    let mut databases = databases_of(desired, user.as_str());
    let flags = desired.users.get(user).copied().unwrap_or_default();
    if dialect.enters_maintenance(flags, !databases.is_empty()) {
        databases.push(dialect.maintenance_database().to_owned());
    }
    let kept = databases.iter().find(|name| Some(name.as_str()) == before);
    kept.or(databases.first()).cloned()
}

/// The database that the master user's Secret leads to. v0.1.0 sent the master to the first database of all, where it stays.
pub(super) fn lead_of_master(dialect: &dyn Dialect, desired: &Desired, before: Option<&str>) -> String {
    let kept = before.filter(|before| desired.databases.keys().any(|name| name.as_str() == *before));
    kept.unwrap_or(dialect.maintenance_database()).to_owned()
}

/// The Secret of the object `name` that an application is bound to: that of a user who can log in, best of all to a database. The master's
/// is for want of users only. `before` is the one it was bound to.
pub(crate) fn bound(dialect: &dyn Dialect, desired: &Desired, name: &str, before: Option<&str>) -> Option<String> {
    if desired.users.is_empty() {
        return Some(names::master_secret_name(name));
    }
    let able: Vec<_> = desired.users.iter().filter(|(_, flags)| flags.can_login()).map(|(user, _)| user).collect();
    let led: Vec<_> = able.iter().copied().filter(|user| lead(dialect, desired, user, None).is_some()).collect();
    let pool = if led.is_empty() { able } else { led };
    let mut secrets = pool.into_iter().map(|user| names::secret_name(name, user)).peekable();
    let first = secrets.peek().cloned();
    secrets.find(|secret| Some(secret.as_str()) == before).or(first)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::engine::postgres::DIALECT;
    use crate::plan::tests::target;

    fn desired(spec: &Value) -> Desired {
        target(spec).desired
    }

    fn led(spec: &Value, user: &str, before: Option<&str>) -> Option<String> {
        let desired = desired(spec);
        let user = desired.users.keys().find(|found| found.as_str() == user).expect("the fixture has it").clone();
        lead(DIALECT, &desired, &user, before)
    }

    #[test]
    fn a_database_that_sorts_first_moves_no_application() {
        let two = json!({"users": {"app": []}, "databases": {"archive": ["app"], "orders": ["app"]}});
        assert_eq!(led(&two, "app", None).as_deref(), Some("archive"), "the first value is the first by name");
        assert_eq!(led(&two, "app", Some("orders")).as_deref(), Some("orders"));
        assert_eq!(led(&two, "app", Some("dropped")).as_deref(), Some("archive"));
        let taken = json!({"users": {"app": []}, "databases": {"archive": ["app"], "orders": []}});
        assert_eq!(led(&taken, "app", Some("orders")).as_deref(), Some("archive"), "it is not the user's any more");
    }

    #[test]
    fn the_maintenance_database_is_for_those_who_may_connect_to_it() {
        let alone = |flags: Value| led(&json!({"users": {"app": flags}}), "app", None);
        assert_eq!(alone(json!([])), None, "it would be refused");
        assert_eq!(alone(json!(["nocreatedb"])), None);
        assert_eq!(alone(json!(["createdb", "nologin"])), None);
        for flag in ["createdb", "createrole", "superuser", "replication"] {
            assert_eq!(alone(json!([flag])).as_deref(), Some("postgres"), "{flag}");
        }
        let mapped = json!({"users": {"app": ["createdb"]}, "databases": {"orders": ["app"]}});
        assert_eq!(led(&mapped, "app", None).as_deref(), Some("orders"));
        assert_eq!(
            led(&mapped, "app", Some("postgres")).as_deref(),
            Some("postgres"),
            "it was sent there, and may stay"
        );
        let plain = json!({"users": {"app": []}, "databases": {"orders": ["app"]}});
        assert_eq!(led(&plain, "app", Some("postgres")).as_deref(), Some("orders"), "it would be refused");
    }

    #[test]
    fn the_master_is_led_to_no_database_of_the_users() {
        let orders = desired(&json!({"databases": {"archive": [], "orders": []}}));
        assert_eq!(lead_of_master(DIALECT, &orders, None), "postgres");
        assert_eq!(lead_of_master(DIALECT, &orders, Some("postgres")), "postgres");
        assert_eq!(lead_of_master(DIALECT, &orders, Some("orders")), "orders", "v0.1.0 said so");
        assert_eq!(lead_of_master(DIALECT, &orders, Some("dropped")), "postgres");
    }

    #[test]
    fn a_user_that_sorts_first_moves_no_application() {
        let bound = |spec: Value, before: Option<&str>| bound(DIALECT, &desired(&spec), "orders", before);
        let app = "orders.rds.app";
        let both = || json!({"users": {"aaa": [], "app": []}, "databases": {"orders": ["aaa", "app"]}});
        assert_eq!(bound(both(), None).as_deref(), Some("orders.rds.aaa"));
        assert_eq!(bound(both(), Some(app)).as_deref(), Some(app));
        assert_eq!(bound(both(), Some("orders.rds.gone")).as_deref(), Some("orders.rds.aaa"));
        assert_eq!(bound(json!({}), None).as_deref(), Some("orders.rds.master"));
        assert_eq!(bound(json!({}), Some(app)).as_deref(), Some("orders.rds.master"));
        assert_eq!(bound(json!({"users": {"app": []}}), Some("orders.rds.master")).as_deref(), Some(app));
        // Who cannot log in, or has nowhere to log in to, comes last.
        let locked = json!({"users": {"app": [], "aaa": ["nologin"]}, "databases": {"orders": ["aaa", "app"]}});
        assert_eq!(bound(locked, Some("orders.rds.aaa")).as_deref(), Some(app));
        let idle = json!({"users": {"app": [], "aaa": []}, "databases": {"orders": ["app"]}});
        assert_eq!(bound(idle, None).as_deref(), Some(app));
        assert_eq!(bound(json!({"users": {"aaa": [], "app": []}}), Some(app)).as_deref(), Some(app));
        assert_eq!(bound(json!({"users": {"app": ["nologin"]}}), Some(app)), None);
    }
}
