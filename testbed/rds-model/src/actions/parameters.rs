//! DescribeDBParameters, DescribeEngineDefaultParameters, ModifyDBParameterGroup and ResetDBParameterGroup.

use jiff::Timestamp;

use super::{filters, parameter_groups};
use crate::account::Account;
use crate::error::ApiError;
use crate::page::{Page, paginate};
use crate::parameters::{self, Parameter};
use crate::params::Params;
use crate::state::{ApplyMethod, ParameterGroup, Setting, State};

/// Parameters that one call may modify or reset.
const AT_ONCE: usize = 20;

/// A parameter as a group has it.
#[derive(Clone, Debug)]
pub struct ParameterOf {
    /// What it is.
    pub parameter: &'static Parameter,
    /// What the group sets, or RDS.
    pub value: Option<String>,
    /// `user`, `system` or `engine-default`.
    pub source: &'static str,
    /// How the value was, or would be, applied.
    pub method: ApplyMethod,
}

/// The parameters of a group, with the values that it sets.
pub fn describe_parameters(account: &Account, state: &State, params: &Params) -> Result<Page<ParameterOf>, ApiError> {
    let name = account.id_of("pg", params.required("DBParameterGroupName")?);
    let group = parameter_groups::find(state, &name)?;
    list(&group, params)
}

/// The parameters of a family, as its default group has them; and the family.
pub fn describe_engine_defaults(params: &Params) -> Result<(String, Page<ParameterOf>), ApiError> {
    let family = params.required("DBParameterGroupFamily")?;
    if parameters::major_of(family).is_none() {
        return Err(ApiError::invalid_value(format!(
            "ParameterGroupFamily {family} is not a valid parameter group family"
        )));
    }
    let group = parameter_groups::find(&State::default(), &format!("default.{family}"))?;
    Ok((family.to_owned(), list(&group, params)?))
}

fn list(group: &ParameterGroup, params: &Params) -> Result<Page<ParameterOf>, ApiError> {
    let names = filters::parse(params, &["parameter-name"])?;
    let source = match params.text("Source") {
        Some(source) if !["user", "system", "engine-default"].contains(&source) => {
            return Err(ApiError::invalid_value(format!(
                "Invalid value {source} for Source. Must be user, system or engine-default"
            )));
        }
        source => source,
    };
    let major = parameters::major_of(&group.family).unwrap_or_default();
    let shown = parameters::of_major(major).map(|parameter| shown(group, parameter));
    let accepted = shown.filter(|shown| {
        source.is_none_or(|source| source == shown.source)
            && filters::all(&names, |_, value| value == shown.parameter.name)
    });
    paginate(accepted, |shown| shown.parameter.name.to_ascii_lowercase(), params)
}

fn shown(group: &ParameterGroup, parameter: &'static Parameter) -> ParameterOf {
    let setting = group.settings.get(parameter.name);
    let by_user = setting.and_then(|setting| setting.value.clone());
    let source = if by_user.is_some() { "user" } else { parameter.source() };
    let method = setting.map_or(ApplyMethod::PendingReboot, |setting| setting.method);
    ParameterOf { parameter, value: by_user.or_else(|| parameter.value.map(str::to_owned)), source, method }
}

/// Sets parameters of a group. Instances that have it get them as the request says: it is the group's name.
pub fn modify_parameter_group(state: &mut State, params: &Params, now: Timestamp) -> Result<String, ApiError> {
    let mut group = changeable(state, params)?;
    let asked = asked(params)?;
    if asked.is_empty() {
        return Err(ApiError::missing_parameter("Parameters"));
    }
    for one in asked {
        let parameter = modifiable(&group, &one)?;
        let value = one.required("ParameterValue")?;
        let method = method(&one, parameter)?;
        parameters::check(parameter, value).map_err(|_| {
            ApiError::invalid_value(format!(
                "Invalid parameter value: {value} for: {} allowed values are: {}",
                parameter.name,
                parameter.allowed.unwrap_or_default()
            ))
        })?;
        group.settings.insert(parameter.name.to_owned(), Setting { value: Some(value.to_owned()), method });
    }
    Ok(keep(state, group, now))
}

/// Gives parameters of a group, or all, their defaults back.
pub fn reset_parameter_group(state: &mut State, params: &Params, now: Timestamp) -> Result<String, ApiError> {
    let mut group = changeable(state, params)?;
    let asked = asked(params)?;
    let all = params.boolean("ResetAllParameters")?.unwrap_or(asked.is_empty());
    if all && !asked.is_empty() {
        return Err(ApiError::invalid_combination("Parameters can't be specified together with ResetAllParameters."));
    }
    if all {
        let major = parameters::major_of(&group.family).unwrap_or_default();
        for (name, setting) in &mut group.settings {
            let is_static = parameters::find(major, name).is_none_or(|parameter| parameter.is_static);
            let method = if is_static { ApplyMethod::PendingReboot } else { ApplyMethod::Immediate };
            *setting = Setting { value: None, method };
        }
    } else if asked.is_empty() {
        return Err(ApiError::missing_parameter("Parameters"));
    }
    for one in asked {
        let parameter = modifiable(&group, &one)?;
        let method = method(&one, parameter)?;
        group.settings.insert(parameter.name.to_owned(), Setting { value: None, method });
    }
    Ok(keep(state, group, now))
}

/// The group that a request names, unless it is a default one.
fn changeable(state: &State, params: &Params) -> Result<ParameterGroup, ApiError> {
    let name = params.required("DBParameterGroupName")?.to_ascii_lowercase();
    if name.starts_with("default.") {
        return Err(ApiError::invalid_value("Cannot modify a default parameter group."));
    }
    state.parameter_groups.get(&name).cloned().ok_or_else(|| parameter_groups::not_found(&name))
}

fn asked(params: &Params) -> Result<Vec<Params>, ApiError> {
    let asked = params.list("Parameters").unwrap_or_default();
    if asked.len() > AT_ONCE {
        return Err(ApiError::invalid_value(format!(
            "Too many parameters: {}. At most {AT_ONCE} can be modified in one request.",
            asked.len()
        )));
    }
    let mut names: Vec<_> = asked.iter().filter_map(|one| one.text("ParameterName")).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(ApiError::invalid_combination(format!("The parameter {} is there more than once.", pair[0]))),
        None => Ok(asked),
    }
}

fn modifiable(group: &ParameterGroup, one: &Params) -> Result<&'static Parameter, ApiError> {
    let name = one.required("ParameterName")?;
    let major = parameters::major_of(&group.family).unwrap_or_default();
    let parameter = parameters::find(major, name)
        .ok_or_else(|| ApiError::invalid_value(format!("Could not find parameter with name: {name}")))?;
    if parameter.modifiable {
        Ok(parameter)
    } else {
        Err(ApiError::invalid_value(format!("The parameter {name} cannot be modified.")))
    }
}

/// Static parameters wait for a reboot.
fn method(one: &Params, parameter: &Parameter) -> Result<ApplyMethod, ApiError> {
    match one.required("ApplyMethod")? {
        "pending-reboot" => Ok(ApplyMethod::PendingReboot),
        "immediate" if parameter.is_static => {
            Err(ApiError::invalid_combination("cannot use immediate apply method for static parameter"))
        }
        "immediate" => Ok(ApplyMethod::Immediate),
        other => Err(ApiError::invalid_value(format!(
            "Invalid value {other} for ApplyMethod. Must be immediate or pending-reboot"
        ))),
    }
}

fn keep(state: &mut State, group: ParameterGroup, now: Timestamp) -> String {
    let name = group.name.clone();
    state.parameter_groups.insert(name.clone(), group);
    for instance in state.instances.values_mut().filter(|instance| instance.parameter_group == name) {
        instance.compare_parameters(&state.parameter_groups, now);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{account, at, instance};

    fn state() -> State {
        let mut state = State::default();
        let params = Params::parse("DBParameterGroupName=mine&DBParameterGroupFamily=postgres12&Description=mine");
        parameter_groups::create_parameter_group(&account(), &mut state, &params).unwrap();
        let mut orders = instance("orders");
        orders.parameter_group = "mine".into();
        orders.load_parameters(&state.parameter_groups);
        state.instances.insert("orders".into(), orders);
        state
    }

    fn parameter(name: &str, value: &str, method: &str) -> Params {
        Params::from_iter([
            ("DBParameterGroupName", "mine"),
            ("Parameters.Parameter.1.ParameterName", name),
            ("Parameters.Parameter.1.ParameterValue", value),
            ("Parameters.Parameter.1.ApplyMethod", method),
        ])
    }

    #[test]
    fn what_rds_refuses_is_refused_in_its_words_and_changes_nothing() {
        let mut state = state();
        for (name, value, method, code, words) in [
            (
                "work_memory",
                "64",
                "immediate",
                "InvalidParameterValue",
                "Could not find parameter with name: work_memory",
            ),
            ("work_mem", "1", "immediate", "InvalidParameterValue", "allowed values are: 64-2147483647"),
            ("fsync", "0", "immediate", "InvalidParameterValue", "The parameter fsync cannot be modified."),
            (
                "max_connections",
                "50",
                "immediate",
                "InvalidParameterCombination",
                "cannot use immediate apply method for static parameter",
            ),
            ("work_mem", "64", "soon", "InvalidParameterValue", "ApplyMethod"),
            ("work_mem", "", "immediate", "MissingParameter", "ParameterValue"),
        ] {
            let refused = modify_parameter_group(&mut state, &parameter(name, value, method), at(0)).unwrap_err();
            assert_eq!(refused.code, code, "{name}");
            assert!(refused.message.contains(words), "{}", refused.message);
        }
        assert!(state.parameter_groups["mine"].settings.is_empty());
        let many = (1..=21).flat_map(|n| {
            let key = |field: &str| format!("Parameters.Parameter.{n}.{field}");
            [(key("ParameterName"), format!("p{n}")), (key("ApplyMethod"), "immediate".to_owned())]
        });
        let many = many.chain([("DBParameterGroupName".to_owned(), "mine".to_owned())]).collect();
        assert!(modify_parameter_group(&mut state, &many, at(0)).unwrap_err().message.contains("At most 20"));
        let default = Params::from_iter([("DBParameterGroupName", "default.postgres12")]);
        let refused = modify_parameter_group(&mut state, &default, at(0)).unwrap_err();
        assert_eq!(refused.message, "Cannot modify a default parameter group.");
    }

    #[test]
    fn a_listing_says_who_set_what() {
        let mut state = state();
        modify_parameter_group(&mut state, &parameter("work_mem", "64", "immediate"), at(0)).unwrap();
        let listed = |source: &str, more: &str| {
            let params = Params::parse(&format!("DBParameterGroupName=mine&Source={source}{more}"));
            describe_parameters(&account(), &state, &params)
        };
        let by_user = listed("user", "").unwrap().items;
        assert_eq!(
            (by_user.len(), by_user[0].value.as_deref(), by_user[0].method),
            (1, Some("64"), ApplyMethod::Immediate)
        );
        let system = listed("system", "").unwrap().items;
        assert!(
            system.iter().any(|shown| shown.parameter.name == "rds.force_ssl" && shown.value.as_deref() == Some("0"))
        );
        let defaults = listed("engine-default", "&MaxRecords=100").unwrap();
        assert!(defaults.marker.is_some() && defaults.items.iter().all(|shown| shown.value.is_none()));
        assert_eq!(listed("mine", "").unwrap_err().code, "InvalidParameterValue");
        let (family, page) = describe_engine_defaults(&Params::parse("DBParameterGroupFamily=postgres18")).unwrap();
        assert_eq!((family.as_str(), page.items.len()), ("postgres18", 100));
    }

    #[test]
    fn instances_in_use_are_told_and_a_reset_gives_the_defaults_back() {
        let mut state = state();
        let status = |state: &State| state.instances["orders"].running.status();
        modify_parameter_group(&mut state, &parameter("max_connections", "50", "pending-reboot"), at(0)).unwrap();
        assert_eq!(status(&state), "pending-reboot");
        let reset = Params::parse("DBParameterGroupName=mine&ResetAllParameters=true");
        reset_parameter_group(&mut state, &reset, at(1)).unwrap();
        assert_eq!(status(&state), "in-sync");
        modify_parameter_group(&mut state, &parameter("work_mem", "64", "immediate"), at(2)).unwrap();
        assert_eq!(status(&state), "applying");
        reset_parameter_group(&mut state, &parameter("work_mem", "", "immediate"), at(3)).unwrap();
        assert_eq!(status(&state), "in-sync");
    }
}
