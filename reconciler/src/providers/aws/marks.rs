//! Marks of ownership as tags.

use std::collections::BTreeMap;

use shared::api::labels::{ADOPT_TAG, CLUSTER_TAG, KEPT_TAG, NAME_TAG, NAMESPACE_TAG, RETAINED_TAG, UID_TAG};

use crate::providers::owner::{Mark, Marks, Owner};

pub(super) fn key(mark: Mark) -> &'static str {
    match mark {
        Mark::Cluster => CLUSTER_TAG,
        Mark::Namespace => NAMESPACE_TAG,
        Mark::Name => NAME_TAG,
        Mark::Uid => UID_TAG,
    }
}

/// The marks of an owner.
pub fn tags(owner: &Owner) -> BTreeMap<String, String> {
    Mark::ALL.map(|mark| (key(mark).to_owned(), owner.mark(mark).to_owned())).into()
}

/// The mark of what all objects of a cluster share.
pub fn shared(cluster: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(key(Mark::Cluster).to_owned(), cluster.to_owned())])
}

/// The tag of an instance that stays on purpose, or does so no more.
pub fn retained(retained: bool) -> (String, String) {
    (RETAINED_TAG.to_owned(), retained.to_string())
}

/// The tag of a snapshot that is kept for a while, and deleted when newer ones are there.
pub fn kept() -> (String, String) {
    (KEPT_TAG.to_owned(), true.to_string())
}

/// The marks among an instance's tags.
pub fn read(tags: &BTreeMap<String, String>) -> Marks {
    let mark = |mark| tags.get(key(mark)).cloned();
    Marks {
        cluster: mark(Mark::Cluster),
        namespace: mark(Mark::Namespace),
        name: mark(Mark::Name),
        uid: mark(Mark::Uid),
        retained: tags.get(RETAINED_TAG).map(|value| value == "true"),
        adopt: tags.get(ADOPT_TAG).cloned(),
        kept: tags.get(KEPT_TAG).is_some_and(|value| value == "true"),
    }
}
