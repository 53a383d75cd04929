//! Names of the objects in the cluster.

use crate::rules::RoleName;

/// The Secret of a user: `<name>.rds.<user>`, with `-` for each `_`, because the names of Secrets have none.
/// Names of users have no `-`, so two users never meet.
pub fn secret_name(name: &str, user: &RoleName) -> String {
    format!("{name}.rds.{}", user.as_str().replace('_', "-"))
}

/// The Secret of the master user. No user is called `master`, so nobody else has it.
pub fn master_secret_name(name: &str) -> String {
    format!("{name}.rds.master")
}

/// The Service in the object's own namespace.
pub fn service_name(name: &str) -> String {
    format!("{name}-rds")
}

/// The Service in the namespace all objects share.
pub fn alias_service_name(name: &str) -> String {
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::OBJECT_NAME_LIMIT;

    #[test]
    fn names_follow_from_the_object() {
        let user: RoleName = "monthly_report".parse().unwrap();
        assert_eq!(secret_name("orders", &user), "orders.rds.monthly-report");
        assert_eq!(master_secret_name("orders"), "orders.rds.master");
        assert_eq!(service_name("orders"), "orders-rds");
        assert_eq!(alias_service_name("orders"), "orders");
    }

    #[test]
    fn the_longest_names_fit() {
        let name = "x".repeat(OBJECT_NAME_LIMIT);
        let user: RoleName = "u".repeat(63).parse().unwrap();
        assert_eq!(service_name(&name).len(), 63);
        assert!(secret_name(&name, &user).len() <= 253);
    }
}
