use sha2::{Digest as _, Sha256};

/// The database that every PostgreSQL server has, where statements run that belong to no other.
pub const MAINTENANCE_DATABASE: &str = "postgres";

use crate::engine::mark::Mark;

/// PostgreSQL cuts identifiers to 63 bytes (NAMEDATALEN - 1, "Lexical Structure" in its manual).
const LONGEST: usize = 63;
const SUFFIX: &str = "-owner";

/// The role without login that owns every database of ours, and of which only the master is a member: the owner is the mark.
///
/// Like the names of all roles of ours that are no users it holds a hyphen, which neither users nor databases have in their names.
pub const KEEPER: &str = "databases-keeper";

/// The role without login or rights that gets what a removed user leaves outside the databases of ours.
pub const HEIR: &str = "databases-heir";

/// Name of the role without login that owns what plain users make in a database, and the schema `public` there.
///
/// A name that would not fit is cut and gets a digest of the whole. `look/seen.sql` makes the same name.
pub fn owner_role(database: &str) -> String {
    if database.len() + SUFFIX.len() <= LONGEST {
        return format!("{database}{SUFFIX}");
    }
    let digest = hex::encode(&Sha256::digest(database.as_bytes())[..4]);
    let kept: String =
        database.chars().filter(char::is_ascii).take(LONGEST - SUFFIX.len() - digest.len() - 1).collect();
    format!("{kept}-{digest}{SUFFIX}")
}

/// How a role of ours says whose it is. A role without exactly this comment is somebody else's and is never altered or dropped.
pub fn comment(mark: &Mark) -> String {
    format!("Managed by rds-reconciler for {mark}. Roles with this comment are altered and dropped by it.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_stay_readable() {
        assert_eq!(owner_role("orders"), "orders-owner");
    }

    #[test]
    fn long_names_fit_and_stay_apart() {
        let (one, two) = ("a".repeat(63), format!("{}b", "a".repeat(62)));
        assert_eq!(owner_role(&one).len(), 63);
        assert_ne!(owner_role(&one), owner_role(&two));
        assert_eq!(owner_role(&"a".repeat(57)).len(), 63);
        assert_eq!(owner_role(&"a".repeat(58)).len(), 63);
    }

    #[test]
    fn the_roles_of_the_operator_are_no_owner_roles() {
        for database in ["databases", "databases-keeper", "databases-heir"] {
            assert!(![KEEPER, HEIR].contains(&owner_role(database).as_str()), "{database}");
        }
    }
}
