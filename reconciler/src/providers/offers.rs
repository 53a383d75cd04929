//! Which provider offers what.

use super::aws::offer::Rds;
use super::offer::Offer;

/// The offer of a provider, by the name that classes give it; where they give none it is the first.
pub(crate) fn offer(_provider: Option<&str>) -> &'static dyn Offer {
    &Rds
}
