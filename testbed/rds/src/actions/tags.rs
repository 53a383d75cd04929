//! AddTagsToResource, ListTagsForResource and RemoveTagsFromResource.

use super::{Answer, Call, fields, render};
use crate::model::{State, Tags};
use crate::wire::ApiError;

pub(super) async fn add(call: &Call<'_>) -> Answer {
    let target = Target::parse(call)?;
    let added = fields::tags(call.params)?;
    call.service
        .store
        .update(|state| {
            let tags = target.tags(state)?;
            let mut together = tags.clone();
            together.extend(added);
            fields::check_tag_count(&together)?;
            *tags = together;
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(None)
}

pub(super) async fn remove(call: &Call<'_>) -> Answer {
    let target = Target::parse(call)?;
    let keys = call.params.texts("TagKeys").ok_or_else(|| ApiError::missing_parameter("TagKeys"))?;
    call.service
        .store
        .update(|state| {
            target.tags(state)?.retain(|key, _| !keys.contains(key));
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(None)
}

pub(super) async fn list(call: &Call<'_>) -> Answer {
    let target = Target::parse(call)?;
    let node = call
        .service
        .store
        .read(|state| {
            let tags = match &target {
                Target::Instance(id) => state.instances.get(id).map(|found| &found.tags),
                Target::Snapshot(id) => state.snapshots.get(id).map(|found| &found.tags),
            };
            tags.map(render::tag_list)
        })
        .await;
    let node = node.ok_or_else(|| target.not_found())?;
    Ok(Some(vec![node]))
}

/// The resource that an ARN names.
enum Target {
    Instance(String),
    Snapshot(String),
}

impl Target {
    fn parse(call: &Call<'_>) -> Result<Self, ApiError> {
        let arn = call.params.required("ResourceName")?;
        let named = |kind: &str| {
            arn.strip_prefix(&call.service.arn(kind, "")).filter(|id| !id.is_empty()).map(str::to_ascii_lowercase)
        };
        named("db")
            .map(Self::Instance)
            .or_else(|| named("snapshot").map(Self::Snapshot))
            .ok_or_else(|| ApiError::invalid_value(format!("Invalid resource name: {arn}")))
    }

    fn tags<'a>(&self, state: &'a mut State) -> Result<&'a mut Tags, ApiError> {
        match self {
            Self::Instance(id) => state.instances.get_mut(id).map(|found| &mut found.tags),
            Self::Snapshot(id) => state.snapshots.get_mut(id).map(|found| &mut found.tags),
        }
        .ok_or_else(|| self.not_found())
    }

    fn not_found(&self) -> ApiError {
        match self {
            Self::Instance(id) => ApiError::instance_not_found(id),
            Self::Snapshot(id) => ApiError::snapshot_not_found(id),
        }
    }
}
