//! DescribeAccountAttributes: what the account may have, and has.

use crate::account::Account;
use crate::state::{SnapshotKind, State};

/// One quota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountQuota {
    /// `DBInstances`.
    pub name: &'static str,
    /// How much of it is in use.
    pub used: u64,
    /// How much there may be.
    pub max: u64,
}

/// What is told where nothing is limited.
const UNLIMITED: u64 = 1_000_000;

/// The quotas that this account is held to, and by RDS's defaults [RDS User Guide, "Quotas"] what it has nothing of or what is not limited here.
pub fn describe_account_attributes(account: &Account, state: &State) -> Vec<AccountQuota> {
    let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    let quota = |name, used, max| AccountQuota { name, used, max };
    let storage = state.instances.values().map(|instance| u64::from(instance.allocated_storage)).sum();
    let manual = state.snapshots.values().filter(|snapshot| snapshot.kind == SnapshotKind::Manual).count();
    let quotas = account.quotas;
    vec![
        quota("DBInstances", count(state.instances.len()), quotas.instances.map_or(UNLIMITED, count)),
        quota("ReservedDBInstances", 0, 40),
        quota("AllocatedStorage", storage, UNLIMITED),
        quota("DBSecurityGroups", 0, 25),
        quota("AuthorizationsPerDBSecurityGroup", 0, 20),
        quota("DBParameterGroups", count(state.parameter_groups.len()), count(quotas.parameter_groups)),
        quota("ManualSnapshots", count(manual), count(quotas.manual_snapshots)),
        quota("EventSubscriptions", 0, 20),
        quota("DBSubnetGroups", count(account.subnet_groups.len() + 1), 50),
        quota("OptionGroups", 0, 20),
        quota("SubnetsPerDBSubnetGroup", 2, 20),
        quota("ReadReplicasPerMaster", 0, 15),
        quota("DBClusters", 0, 40),
        quota("DBClusterParameterGroups", 0, 50),
        quota("DBClusterRoles", 0, 5),
        quota("DBInstanceRoles", 0, 5),
        quota("ManualClusterSnapshots", 0, 100),
        quota("CustomEndpointsPerDBCluster", 0, 5),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Quotas;
    use crate::backups;
    use crate::state::Snapshot;
    use crate::testing::{account, at, instance};

    #[test]
    fn what_is_there_is_counted_and_held_against_what_may_be() {
        let quotas = Quotas { instances: Some(3), manual_snapshots: 7, ..Quotas::default() };
        let account = Account { quotas, subnet_groups: vec!["databases".into()], ..account() };
        let mut state = State::default();
        for id in ["a", "b"] {
            state.instances.insert(id.into(), instance(id));
            let automated = backups::automated(&state, &state.instances[id], at(0));
            state.snapshots.insert(automated.id.clone(), automated.clone());
            if id == "a" {
                let manual = Snapshot { id: "kept".into(), kind: SnapshotKind::Manual, ..automated };
                state.snapshots.insert("kept".into(), manual);
            }
        }
        let told = describe_account_attributes(&account, &state);
        let of = |name: &str| told.iter().find(|quota| quota.name == name).map(|quota| (quota.used, quota.max));
        assert_eq!((of("DBInstances"), of("ManualSnapshots")), (Some((2, 3)), Some((1, 7))));
        assert_eq!((of("AllocatedStorage"), of("DBSubnetGroups")), (Some((40, UNLIMITED)), Some((2, 50))));
        assert_eq!(of("DBParameterGroups"), Some((0, 50)));
    }
}
