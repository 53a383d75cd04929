//! DescribeValidDBInstanceModifications: what the volume of one instance can become.

use std::ops::RangeInclusive;

use jiff::Timestamp;

use super::fields;
use super::storage::least_growth;
use super::storage_types::{STORAGE_TYPES, StorageType};
use crate::abilities::Abilities;
use crate::account::Account;
use crate::error::ApiError;
use crate::params::Params;
use crate::state::State;

/// A type of storage that an instance can have, with the sizes that it can have then.
#[derive(Clone, Debug)]
pub struct ValidStorage {
    /// With what can be chosen of it.
    pub kind: StorageType,
    /// GiB: the present size, where the type has it, and from the least growth on.
    pub sizes: Vec<RangeInclusive<u32>>,
}

/// What an instance's storage can be changed to. That a volume is being optimized is said by the change alone.
pub fn describe_valid_modifications(
    account: &Account,
    state: &State,
    params: &Params,
    now: Timestamp,
) -> Result<Vec<ValidStorage>, ApiError> {
    let id = account.id_of("db", &fields::instance_id(params)?);
    let instance = state.instances.get(&id).ok_or_else(|| ApiError::instance_not_found(&id))?;
    let shown = account.status(instance, now);
    if !Abilities::of(instance, shown).iter().all(|can| can.modify.takes(&["AllocatedStorage"])) {
        return Err(ApiError::invalid_instance_state("Database instance is not in available state."));
    }
    let present = instance.allocated_storage;
    let valid = STORAGE_TYPES.into_iter().map(|kind| {
        let (least, most) = (*kind.sizes.start(), *kind.sizes.end());
        let grown = least_growth(present).max(least)..=most;
        let sizes = kind.sizes.contains(&present).then_some(present..=present);
        ValidStorage { sizes: sizes.into_iter().chain([grown]).filter(|sizes| !sizes.is_empty()).collect(), kind }
    });
    Ok(valid.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Activity, Instance, Phase};
    use crate::testing::{account, at, instance};

    #[test]
    fn the_present_size_stays_or_grows_by_a_tenth() {
        let mut state = State::default();
        state.instances.insert("orders".into(), Instance { allocated_storage: 45, ..instance("orders") });
        let params = Params::from_iter([("DBInstanceIdentifier", "Orders")]);
        let valid = describe_valid_modifications(&account(), &state, &params, at(0)).unwrap();
        let sizes = |name: &str| valid.iter().find(|storage| storage.kind.name == name).unwrap().sizes.clone();
        assert_eq!((sizes("gp3"), sizes("io1")), (vec![45..=45, 50..=65_536], vec![100..=65_536]));
        state.instances.get_mut("orders").unwrap().allocated_storage = 65_536;
        let full = describe_valid_modifications(&account(), &state, &params, at(0)).unwrap();
        assert_eq!(full[0].sizes, [65_536..=65_536]);
        state.instances.get_mut("orders").unwrap().phase = Phase::begin(Activity::Rebooting, at(0));
        let busy = describe_valid_modifications(&account(), &state, &params, at(0)).unwrap_err();
        assert_eq!(busy.code, "InvalidDBInstanceState");
    }
}
