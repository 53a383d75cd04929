//! What watches tell of changes.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use reconciler::turns::Key;
use serde::Deserialize as _;
use serde_json::Value;
use shared::api::InstanceRef;
use shared::api::labels::{MANAGED_BY, MANAGED_BY_LABEL};

use super::Kubernetes;

/// What is watched, each by a watch of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Databases,
    Secrets,
    Services,
    Namespaces,
    Classes,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [Self::Databases, Self::Secrets, Self::Services, Self::Namespaces, Self::Classes];
}

/// What of an object a watch is for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ObjectFacts {
    pub(crate) uid: String,
    pub(crate) version: String,
    pub(crate) leaving: bool,
    pub(crate) pinned: Option<InstanceRef>,
}

impl ObjectFacts {
    /// What names it and its version.
    pub(crate) fn metadata(&self) -> ObjectMeta {
        let (uid, resource_version) = (Some(self.uid.clone()), Some(self.version.clone()));
        ObjectMeta { uid, resource_version, ..ObjectMeta::default() }
    }

    pub(crate) fn of(raw: &Value) -> Self {
        Self {
            uid: raw["metadata"]["uid"].as_str().unwrap_or_default().to_owned(),
            version: raw["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned(),
            leaving: raw["metadata"].get("deletionTimestamp").is_some(),
            pinned: InstanceRef::deserialize(&raw["status"]["instance"]).ok(),
        }
    }
}

/// One change.
#[derive(Clone, Debug)]
pub(crate) enum Changed {
    /// The object as it is now; `None` where it is gone.
    Database(Key, Option<Box<ObjectFacts>>),
    /// A Secret or Service.
    Owned(Box<ObjectMeta>),
    Namespace(String),
    Class,
}

impl Kubernetes {
    /// Tells those who watch.
    pub(super) fn tell(&self, kind: Kind, change: Changed) {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).entry(kind).or_default().push(change);
        self.told.fetch_add(1, Ordering::Relaxed);
    }

    /// Tells of a Secret or Service. Only ours are watched.
    pub(super) fn tell_of(&self, kind: Kind, metadata: &ObjectMeta) {
        let labels = metadata.labels.as_ref();
        if labels.and_then(|labels| labels.get(MANAGED_BY_LABEL)).is_some_and(|value| value == MANAGED_BY) {
            self.tell(kind, Changed::Owned(Box::new(metadata.clone())));
        }
    }

    /// The changes of a kind from this one on.
    pub(crate) fn changes(&self, kind: Kind, from: usize) -> Vec<Changed> {
        let changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.get(&kind).and_then(|all| all.get(from..)).map(<[Changed]>::to_vec).unwrap_or_default()
    }

    /// How many changes there have been, of all kinds.
    pub(crate) fn all_told(&self) -> usize {
        self.told.load(Ordering::Relaxed)
    }

    /// How many changes of a kind there have been.
    pub(crate) fn told(&self, kind: Kind) -> usize {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).get(&kind).map_or(0, Vec::len)
    }
}
