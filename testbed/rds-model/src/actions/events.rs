//! DescribeEvents.

use jiff::{SignedDuration, Timestamp};

use crate::error::ApiError;
use crate::page::{Page, paginate};
use crate::params::Params;
use crate::state::{Event, State};

/// The values of `SourceType` in the service model. Only the first two have events here.
const SOURCE_TYPES: [&str; 11] = [
    "db-instance",
    "db-snapshot",
    "db-parameter-group",
    "db-security-group",
    "db-cluster",
    "db-cluster-snapshot",
    "custom-engine-version",
    "db-proxy",
    "blue-green-deployment",
    "db-shard-group",
    "zero-etl",
];

/// What happened in a span of time: the last hour unless the request says otherwise.
pub fn describe_events<'a>(state: &'a State, params: &Params, now: Timestamp) -> Result<Page<&'a Event>, ApiError> {
    let source = params.text("SourceIdentifier").map(str::to_ascii_lowercase);
    let kind = params.text("SourceType");
    if let Some(unknown) = kind.filter(|kind| !SOURCE_TYPES.contains(kind)) {
        return Err(ApiError::invalid_value(format!("Invalid source type: {unknown}")));
    }
    if source.is_some() && kind.is_none() {
        return Err(ApiError::invalid_combination("SourceType must be specified when SourceIdentifier is specified"));
    }
    let categories = params.texts("EventCategories").unwrap_or_default();
    let (from, to) = span(params, now)?;
    let accepted = state.events.iter().filter(|event| {
        (from..=to).contains(&event.at)
            && kind.is_none_or(|kind| kind == event.source.kind())
            && source.as_ref().is_none_or(|id| id == event.source.id())
            && (categories.is_empty() || categories.iter().any(|name| name == event.category.name()))
    });
    paginate(accepted, |event| format!("{:020}", event.sequence), params)
}

fn span(params: &Params, now: Timestamp) -> Result<(Timestamp, Timestamp), ApiError> {
    let to: Timestamp = params.parsed("EndTime")?.unwrap_or(now);
    let minutes: i64 = params.parsed("Duration")?.unwrap_or(60);
    if !(1..=14 * 24 * 60).contains(&minutes) {
        return Err(ApiError::invalid_value(format!(
            "Invalid duration: {minutes}. Must be between 1 and 20160 minutes"
        )));
    }
    let from = to.checked_sub(SignedDuration::from_mins(minutes)).unwrap_or(Timestamp::MIN);
    Ok((params.parsed("StartTime")?.unwrap_or(from), to))
}
