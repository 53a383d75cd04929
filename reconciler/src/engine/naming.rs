use std::fmt;

use sha2::{Digest as _, Sha256};

/// PostgreSQL cuts identifiers to 63 bytes (NAMEDATALEN - 1, "Lexical Structure" in its manual).
const LONGEST: usize = 63;
const SUFFIX: &str = "-owner";

/// Name of the role without login that owns a database and all that plain users make in it.
///
/// It holds a hyphen, which neither users nor databases may have in their names, so it can never meet a user. A name that would not
/// fit is cut and gets a digest of the whole.
pub fn owner_role(database: &str) -> String {
    if database.len() + SUFFIX.len() <= LONGEST {
        return format!("{database}{SUFFIX}");
    }
    let digest = hex::encode(&Sha256::digest(database.as_bytes())[..4]);
    let kept: String =
        database.chars().filter(char::is_ascii).take(LONGEST - SUFFIX.len() - digest.len() - 1).collect();
    format!("{kept}-{digest}{SUFFIX}")
}

/// Whose a role is, as its comment says. A role without exactly this comment is somebody else's and is never altered or dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark(String);

impl Mark {
    /// The mark of an object; `owner` names it across clusters and over the object's re-creation.
    pub fn new(owner: &str) -> Self {
        Self(format!("Managed by rds-reconciler for {owner}. Roles with this comment are altered and dropped by it."))
    }

    /// The comment's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
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
}
