//! A question that could not be asked yet, and one that was not answered.

use std::time::Duration;

use thiserror::Error;

use crate::plan::Seen;
use crate::providers::CloudError;

/// Others wait for the same account already: this object is looked at again after so long, and nothing is said of it until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("others wait for the same account already")]
pub struct Crowded(pub Duration);

/// An answer that is not there says nothing; a question that was not asked is asked again.
pub(super) fn unknown<T>(error: &CloudError) -> Result<Seen<T>, Crowded> {
    match error.crowded {
        Some(again) => Err(Crowded(again)),
        None => Ok(Seen::Unknown(error.with_remedy())),
    }
}
