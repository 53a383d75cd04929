//! What fits, with its worst status, into what Kubernetes stores of one object.
//!
//! This is a rule of admission alone: what is stored already is worked on, whatever its size.

use super::draft::Draft;
use super::path::SPEC;
use super::violations::Violations;
use super::{Refusal, Rule, Verdict};

/// Most bytes that the users listed over all databases take, each with its quotes and its comma. They are stored three times: in the
/// specification, in the status and, by client-side `kubectl apply`, in an annotation, which may have 256 KiB. With as many users and databases as
/// may be and everything in trouble that is 1.25 MiB at most; etcd refuses 1.5 MiB.
///
/// Source: etcd, `--max-request-bytes`; apimachinery, `TotalAnnotationSizeLimitB`.
pub const LISTED_LIMIT: usize = 192 * 1024;

/// Users that are listed over all databases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Listed {
    count: usize,
    bytes: usize,
}

impl Listed {
    fn of(draft: &Draft<'_>) -> Self {
        let members = || draft.databases.values().flatten();
        let bytes = members().map(|name| name.as_str().len() + "\"\",".len()).sum();
        Self { count: members().count(), bytes }
    }

    const fn fits(self) -> bool {
        self.bytes <= LISTED_LIMIT
    }
}

/// Refuses more than fits. What did not fit before may stay and become less, with a warning.
pub(super) fn judge(new: &Draft<'_>, old: Option<&Draft<'_>>, errors: &mut Violations, verdict: &mut Verdict) {
    let (listed, before) = (Listed::of(new), old.map(Listed::of).unwrap_or_default());
    if listed.fits() {
        return;
    }
    let at = SPEC.field("databases");
    if listed.bytes <= before.bytes {
        verdict.warn(Rule::UnchangedMistake, &at, "still wrong: too large to be stored with its whole status");
        return;
    }
    let Listed { count, bytes } = listed;
    let message = format!(
        "lists {count} users over all databases, which take {bytes} bytes: at most {LISTED_LIMIT} fit beside their status in what \
         Kubernetes stores"
    );
    errors.push(Refusal::new(Rule::TooManyEntries, message).at(&at));
}
