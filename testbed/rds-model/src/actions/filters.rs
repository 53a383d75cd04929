//! The `Filters` of the Describe actions.

use crate::error::ApiError;
use crate::params::Params;

/// A filter: its name and the values it accepts.
pub(super) type Filter = (String, Vec<String>);

/// The filters of a request, of which an action knows only some.
pub(super) fn parse(params: &Params, known: &[&str]) -> Result<Vec<Filter>, ApiError> {
    let filters = params.filters()?;
    match filters.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        Some((name, _)) => Err(ApiError::invalid_value(format!("Unrecognized filter name: {name}"))),
        None => Ok(filters),
    }
}

/// Whether every filter has a value that fits.
pub(super) fn all(filters: &[Filter], fits: impl Fn(&str, &str) -> bool) -> bool {
    filters.iter().all(|(name, values)| values.iter().any(|value| fits(name, value)))
}
