//! What of an object matters for its way out; it is read even where the rest of the spec is invalid.

use std::collections::BTreeMap;
use std::sync::Arc;

use shared::api::{DeletionPolicy, RDSDatabase};

use super::class::{GuardedClass, resolved, select};
use super::permit::Fence;
use super::refusal::Refusal;
use crate::providers::ProviderConfig;

/// An object that is being deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departure {
    /// The way into the cloud, or why the class that would name it cannot be had.
    pub provider: Result<ProviderConfig, Refusal>,
    /// What happens to the data, or why the class does not permit that or cannot be asked.
    pub policy: Result<DeletionPolicy, Refusal>,
    /// The policies that the class allows.
    pub allowed: Vec<DeletionPolicy>,
    /// What the spec says of deletion protection; `None` says nothing.
    pub protection: Option<bool>,
    /// Nothing is to be done now.
    pub paused: bool,
}

impl Departure {
    /// What the spec says of the end. A policy that cannot be read is the careful one.
    pub(super) fn of(object: &RDSDatabase, classes: &[Arc<GuardedClass>]) -> Self {
        let fields = object.spec.0.as_ref();
        let pinned = object.status.as_ref().and_then(|status| status.instance.as_ref());
        // What an edit names on the way out is no way to the instance.
        let named = fields.and_then(|fields| fields.class_name.as_deref()).filter(|_| pinned.is_none());
        let class = select(named, pinned, classes);
        let spec = class.as_ref().ok().and_then(|class| class.map(|class| &class.spec));
        let policy = match fields.and_then(|fields| fields.deletion_policy.as_deref()) {
            Some(text) => text.parse().unwrap_or(DeletionPolicy::Snapshot),
            None => spec.and_then(|spec| spec.default_deletion_policy).unwrap_or_default(),
        };
        let allowed = spec.and_then(|spec| spec.allowed_deletion_policies.clone());
        let permitted = match &class {
            Ok(class) => class.map_or(Ok(()), |class| Fence::of(class, &BTreeMap::new()).deletion_policy(policy)),
            Err(refusal) if pinned.is_some() && policy != DeletionPolicy::Retain => {
                Err(Refusal::Unreachable(Box::new(refusal.clone())))
            }
            // Nothing was made, or what was made stays.
            Err(_) => Ok(()),
        };
        Self {
            provider: class.map(|class| resolved(class).provider),
            policy: permitted.map(|()| policy),
            allowed: allowed.unwrap_or_else(|| DeletionPolicy::ALL.to_vec()),
            protection: fields.and_then(|fields| fields.deletion_protection),
            paused: fields.and_then(|fields| fields.paused).unwrap_or(false),
        }
    }

    /// The way out that an edit opens: no policy is advised that the class does not allow.
    pub(crate) fn without(&self, policies: &[DeletionPolicy]) -> String {
        let open: Vec<_> = policies.iter().filter(|policy| self.allowed.contains(policy)).collect();
        let words: Vec<_> = if open.is_empty() { policies.iter().collect() } else { open.clone() }
            .into_iter()
            .map(|policy| match policy {
                DeletionPolicy::Retain => "deletionPolicy: Retain to let the object go without the instance",
                _ => "deletionPolicy: Delete to let the data go",
            })
            .collect();
        match open.is_empty() {
            false => format!("or set {}", words.join(", or ")),
            true => format!("the class does not allow {}: ask the platform to allow it", words.join(", or ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::Reason;

    /// An object in the class `gone`, of which there is none.
    fn unclassed(policy: Option<&str>, made: bool) -> Departure {
        let object: RDSDatabase = serde_json::from_value(json!({
            "apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabase", "metadata": {"name": "orders"},
            "spec": {"className": "gone", "deletionPolicy": policy},
            "status": {"instance": made.then(|| json!({"identifier": "orders", "className": "gone", "created": true}))},
        }))
        .unwrap();
        Departure::of(&object, &[])
    }

    #[test]
    fn i7_an_object_whose_class_is_gone_says_so_on_its_way_out() {
        for policy in [None, Some("Snapshot"), Some("Delete")] {
            let refusal = unclassed(policy, true).policy.unwrap_err();
            assert_eq!(refusal.reason(), Reason::ClassGone);
            let message = refusal.to_string();
            for said in ["\"gone\"", "create it again", "deletionPolicy: Retain"] {
                assert!(message.contains(said), "{said}: {message}");
            }
        }
        assert_eq!(unclassed(Some("Retain"), true).policy, Ok(DeletionPolicy::Retain));
        assert_eq!(unclassed(None, false).policy, Ok(DeletionPolicy::Snapshot), "nothing was made");
    }
}
