//! CreateDBParameterGroup, DescribeDBParameterGroups and DeleteDBParameterGroup.

use std::collections::BTreeMap;

use super::{fields, filters};
use crate::account::Account;
use crate::error::ApiError;
use crate::page::{Page, paginate};
use crate::parameters;
use crate::params::Params;
use crate::state::{Instance, ParameterGroup, State, Tags, default_group};
use crate::versions::EngineVersion;

/// Adds a group that sets nothing yet.
pub fn create_parameter_group(
    account: &Account,
    state: &mut State,
    params: &Params,
) -> Result<ParameterGroup, ApiError> {
    let name = fields::identifier(params, "DBParameterGroupName", 255)?;
    let family = params.required("DBParameterGroupFamily")?;
    let description = params.required("Description")?;
    let tags = fields::tags(params)?;
    if parameters::major_of(family).is_none() {
        return Err(ApiError::invalid_value(format!(
            "ParameterGroupFamily {family} is not a valid parameter group family"
        )));
    }
    if state.parameter_groups.contains_key(&name) {
        return Err(ApiError::of("DBParameterGroupAlreadyExists", format!("Parameter group {name} already exists")));
    }
    if state.parameter_groups.len() >= account.quotas.parameter_groups {
        return Err(ApiError::of(
            "DBParameterGroupQuotaExceeded",
            "Cannot create more parameter groups: the quota of the account is reached.",
        ));
    }
    let group = ParameterGroup {
        name: name.clone(),
        family: family.to_owned(),
        description: description.to_owned(),
        tags,
        settings: BTreeMap::new(),
    };
    state.parameter_groups.insert(name, group.clone());
    Ok(group)
}

/// All groups, the default ones of all families among them, or the one that is named.
pub fn describe_parameter_groups(
    account: &Account,
    state: &State,
    params: &Params,
) -> Result<Page<ParameterGroup>, ApiError> {
    filters::parse(params, &[])?;
    let mut groups: BTreeMap<String, ParameterGroup> =
        default_groups().map(|group| (group.name.clone(), group)).collect();
    groups.extend(state.parameter_groups.clone());
    if let Some(name) = params.text("DBParameterGroupName") {
        let name = account.id_of("pg", name);
        groups.retain(|known, _| *known == name);
        if groups.is_empty() {
            return Err(not_found(&name));
        }
    }
    paginate(groups.into_values(), |group| group.name.clone(), params)
}

/// Removes a group that no instance has, nor is about to have.
pub fn delete_parameter_group(state: &mut State, params: &Params) -> Result<ParameterGroup, ApiError> {
    let name = params.required("DBParameterGroupName")?.to_ascii_lowercase();
    if name.starts_with("default.") {
        return Err(ApiError::of("InvalidDBParameterGroupState", "A default DB parameter group can't be deleted."));
    }
    let group = state.parameter_groups.get(&name).ok_or_else(|| not_found(&name))?;
    let used = |instance: &Instance| {
        instance.parameter_group == name || instance.pending_change().parameter_group.as_ref() == Some(&group.name)
    };
    if state.instances.values().any(used) {
        return Err(ApiError::of(
            "InvalidDBParameterGroupState",
            "One or more database instances are still members of this parameter group, so the group cannot be deleted",
        ));
    }
    state.parameter_groups.remove(&name).ok_or_else(|| not_found(&name))
}

/// The groups that every account has.
fn default_groups() -> impl Iterator<Item = ParameterGroup> {
    let newest = EngineVersion::all().filter(|version| version.is_default());
    newest.map(|version| ParameterGroup {
        name: default_group(version),
        family: version.family(),
        description: format!("Default parameter group for {}", version.family()),
        tags: Tags::new(),
        settings: BTreeMap::new(),
    })
}

/// A group by name, made or default.
pub(super) fn find(state: &State, name: &str) -> Result<ParameterGroup, ApiError> {
    let made = state.parameter_groups.get(name).cloned();
    made.or_else(|| default_groups().find(|group| group.name == name)).ok_or_else(|| not_found(name))
}

pub(super) fn not_found(name: &str) -> ApiError {
    ApiError::of("DBParameterGroupNotFound", format!("DBParameterGroup not found: {name}"))
}

/// The group that a request names for an instance of this version.
pub(super) fn named(
    account: &Account,
    state: &State,
    params: &Params,
    version: EngineVersion,
) -> Result<Option<String>, ApiError> {
    let Some(name) = params.text("DBParameterGroupName") else {
        return Ok(None);
    };
    let group = find(state, &account.id_of("pg", name))?;
    let family = version.family();
    if group.family != family {
        return Err(ApiError::invalid_combination(format!(
            "The Parameter Group {} with DBParameterGroupFamily {} can't be used for this instance. Please use a Parameter Group with \
             DBParameterGroupFamily {family}",
            group.name, group.family
        )));
    }
    Ok(Some(group.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Quotas;
    use crate::testing::{account, instance};

    fn create(account: &Account, state: &mut State, body: &str) -> Result<ParameterGroup, String> {
        create_parameter_group(account, state, &Params::parse(body)).map_err(|error| error.code)
    }

    fn mine(name: &str) -> String {
        format!("DBParameterGroupName={name}&DBParameterGroupFamily=postgres12&Description=mine")
    }

    #[test]
    fn what_is_no_name_or_family_or_is_there_or_too_much_is_refused() {
        let quotas = Quotas { parameter_groups: 2, ..Quotas::default() };
        let (account, mut state) = (Account { quotas, ..account() }, State::default());
        assert_eq!(create(&account, &mut state, &mine("Mine")).unwrap().name, "mine");
        for (body, code) in [
            (mine("mine"), "DBParameterGroupAlreadyExists"),
            (mine("1st"), "InvalidParameterValue"),
            (mine("my--own"), "InvalidParameterValue"),
            (mine("default.postgres12"), "InvalidParameterValue"),
            (mine("other").replace("postgres12", "postgres11"), "InvalidParameterValue"),
            (mine("other").replace("&Description=mine", ""), "MissingParameter"),
        ] {
            assert_eq!(create(&account, &mut state, &body).unwrap_err(), code, "{body}");
        }
        create(&account, &mut state, &mine("second")).unwrap();
        assert_eq!(create(&account, &mut state, &mine("third")).unwrap_err(), "DBParameterGroupQuotaExceeded");
    }

    #[test]
    fn the_default_groups_are_listed_and_stay() {
        let (account, mut state) = (account(), State::default());
        create(&account, &mut state, &mine("mine")).unwrap();
        let listed = describe_parameter_groups(&account, &state, &Params::default()).unwrap().items;
        assert_eq!(listed.len(), 8);
        let named = |name: &str| {
            let params = Params::from_iter([("DBParameterGroupName", name)]);
            describe_parameter_groups(&account, &state, &params).map(|page| page.items[0].family.clone())
        };
        assert_eq!(named("default.postgres18").unwrap(), "postgres18");
        assert_eq!(named(&account.arn("pg", "mine")).unwrap(), "postgres12");
        assert_eq!(named("none").unwrap_err().code, "DBParameterGroupNotFound");
    }

    #[test]
    fn a_group_in_use_is_not_deleted_nor_one_that_comes_with_an_upgrade() {
        let (account, mut state) = (account(), State::default());
        for name in ["mine", "next", "free"] {
            create(&account, &mut state, &mine(name)).unwrap();
        }
        let mut orders = instance("orders");
        orders.parameter_group = "mine".into();
        orders.pending.parameter_group = Some("next".into());
        state.instances.insert("orders".into(), orders);
        let mut delete = |name: &str| {
            let params = Params::from_iter([("DBParameterGroupName", name)]);
            delete_parameter_group(&mut state, &params).map(|group| group.name).map_err(|error| error.code)
        };
        for used in ["mine", "Next", "default.postgres12"] {
            assert_eq!(delete(used).unwrap_err(), "InvalidDBParameterGroupState", "{used}");
        }
        assert_eq!(delete("free").unwrap(), "free");
        assert_eq!(delete("free").unwrap_err(), "DBParameterGroupNotFound");
    }
}
