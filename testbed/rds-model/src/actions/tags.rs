//! AddTagsToResource, ListTagsForResource and RemoveTagsFromResource.

use super::{fields, parameter_groups};
use crate::account::Account;
use crate::error::ApiError;
use crate::params::Params;
use crate::state::{State, Tags};

/// Puts tags on the resource of an ARN.
pub fn add_tags(account: &Account, state: &mut State, params: &Params) -> Result<(), ApiError> {
    let target = Target::parse(account, params)?;
    let added = fields::tags(params)?;
    let tags = target.tags_mut(state)?;
    let mut together = tags.clone();
    together.extend(added);
    fields::check_tag_count(&together)?;
    *tags = together;
    Ok(())
}

/// Takes tags off, by their keys.
pub fn remove_tags(account: &Account, state: &mut State, params: &Params) -> Result<(), ApiError> {
    let target = Target::parse(account, params)?;
    let keys = params.texts("TagKeys").ok_or_else(|| ApiError::missing_parameter("TagKeys"))?;
    target.tags_mut(state)?.retain(|key, _| !keys.contains(key));
    Ok(())
}

/// The tags of the resource of an ARN.
pub fn list_tags<'a>(account: &Account, state: &'a State, params: &Params) -> Result<&'a Tags, ApiError> {
    Target::parse(account, params)?.tags(state)
}

/// The resource that an ARN names.
enum Target {
    Instance(String),
    Snapshot(String),
    ParameterGroup(String),
}

impl Target {
    fn parse(account: &Account, params: &Params) -> Result<Self, ApiError> {
        let arn = params.required("ResourceName")?;
        let named = |kind: &str| {
            arn.strip_prefix(&account.arn(kind, "")).filter(|id| !id.is_empty()).map(str::to_ascii_lowercase)
        };
        named("db")
            .map(Self::Instance)
            .or_else(|| named("snapshot").map(Self::Snapshot))
            .or_else(|| named("pg").map(Self::ParameterGroup))
            .ok_or_else(|| ApiError::invalid_value(format!("Invalid resource name: {arn}")))
    }

    fn tags<'a>(&self, state: &'a State) -> Result<&'a Tags, ApiError> {
        match self {
            Self::Instance(id) => state.instances.get(id).map(|found| &found.tags),
            Self::Snapshot(id) => state.snapshots.get(id).map(|found| &found.tags),
            Self::ParameterGroup(name) => state.parameter_groups.get(name).map(|found| &found.tags),
        }
        .ok_or_else(|| self.not_found())
    }

    fn tags_mut<'a>(&self, state: &'a mut State) -> Result<&'a mut Tags, ApiError> {
        match self {
            Self::Instance(id) => state.instances.get_mut(id).map(|found| &mut found.tags),
            Self::Snapshot(id) => state.snapshots.get_mut(id).map(|found| &mut found.tags),
            Self::ParameterGroup(name) => state.parameter_groups.get_mut(name).map(|found| &mut found.tags),
        }
        .ok_or_else(|| self.not_found())
    }

    fn not_found(&self) -> ApiError {
        match self {
            Self::Instance(id) => ApiError::instance_not_found(id),
            Self::Snapshot(id) => ApiError::snapshot_not_found(id),
            Self::ParameterGroup(name) => parameter_groups::not_found(name),
        }
    }
}
