//! The account's network: what the ids in a request may name. One VPC, with everything in it.

use crate::account::Account;

/// Zones of the region, by their last letter.
const ZONES: [char; 3] = ['a', 'b', 'c'];

/// The default security group of the VPC: what an instance gets that names none.
pub const DEFAULT_SECURITY_GROUP: &str = "sg-0defa017defa017d0";
/// The subnet group of an instance that names none.
pub const DEFAULT_SUBNET_GROUP: &str = "default";

impl Account {
    /// The zone of an instance that names none.
    pub(crate) fn first_zone(&self) -> String {
        format!("{}a", self.region)
    }

    /// Whether the region has this zone.
    pub(crate) fn has_zone(&self, zone: &str) -> bool {
        zone.strip_prefix(&self.region)
            .is_some_and(|letter| ZONES.iter().any(|known| letter.len() == 1 && letter.starts_with(*known)))
    }

    /// Whether the VPC has this security group.
    pub(crate) fn has_security_group(&self, id: &str) -> bool {
        id == DEFAULT_SECURITY_GROUP || self.security_groups.iter().any(|known| known == id)
    }

    /// Whether there is this subnet group, whose names are stored in lower case.
    pub(crate) fn has_subnet_group(&self, name: &str) -> bool {
        name == DEFAULT_SUBNET_GROUP || self.subnet_groups.iter().any(|known| known == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::account;

    #[test]
    fn knows_its_own_and_nothing_else() {
        let account = Account {
            security_groups: vec!["sg-0123456789abcdef0".into()],
            subnet_groups: vec!["databases".into()],
            ..account()
        };
        assert!(account.has_zone("eu-central-1c") && account.has_zone(&account.first_zone()));
        for zone in ["eu-central-1d", "eu-central-1", "us-east-1a", "eu-central-1aa", ""] {
            assert!(!account.has_zone(zone), "{zone}");
        }
        assert!(account.has_security_group("sg-0123456789abcdef0") && !account.has_security_group("sg-0a"));
        assert!(account.has_subnet_group("default") && !account.has_subnet_group("other"));
    }
}
