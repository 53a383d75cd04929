//! Which objects something concerns that has changed beside them: pure.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use shared::api::InstanceRef;
use shared::api::labels::{OWNER_NAME_ANNOTATION, OWNER_NAMESPACE_ANNOTATION};
use shared::names::InstanceIdentifier;

use crate::providers::Instance;
use crate::turns::Key;

/// The object that a Secret or Service of this operator's belongs to. What lies in a third namespace can name whom it likes: only what is
/// beside the object, or in the namespace of the aliases, calls for a pass over it.
pub fn owner(metadata: &ObjectMeta, aliases: Option<&str>) -> Option<Key> {
    let annotations = metadata.annotations.as_ref()?;
    let namespace = annotations.get(OWNER_NAMESPACE_ANNOTATION)?;
    let lies_in = metadata.namespace.as_ref()?;
    (lies_in == namespace || Some(lies_in.as_str()) == aliases).then_some(())?;
    Some(Key { namespace: namespace.clone(), name: annotations.get(OWNER_NAME_ANNOTATION)?.clone() })
}

/// Whether an instance concerns an object: its tags name the object, or it is the object's by its name or its resource id, because tags can
/// be lost. `pinned` is what the object's status says of its instance.
///
/// Each change of an instance asks it of every object: what is costly comes last.
pub fn concerns(instance: &Instance, cluster: &str, namespace: &str, name: &str, pinned: Option<&InstanceRef>) -> bool {
    let marks = &instance.marks;
    let marked = marks.cluster.as_deref() == Some(cluster);
    let named = marked && marks.namespace.as_deref() == Some(namespace) && marks.name.as_deref() == Some(name);
    named
        || match pinned {
            Some(pinned) => {
                pinned.identifier == instance.identifier
                    || (pinned.resource_id.is_some() && pinned.resource_id == instance.resource_id)
            }
            None => {
                begins_with(&instance.identifier, name)
                    && InstanceIdentifier::derive(cluster, namespace, name).as_str() == instance.identifier
            }
        }
}

/// Whether an identifier begins as one that is derived from this name does: hyphens in a row are one in it, and the end of a long name is cut off.
fn begins_with(identifier: &str, name: &str) -> bool {
    const NEVER_CUT: usize = 40;
    let mut before = None;
    let single = name.bytes().filter(|byte| before.replace(*byte) != Some(b'-') || *byte != b'-');
    identifier.bytes().zip(single).take(NEVER_CUT).all(|(found, wanted)| found == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::{CLUSTER, NAME, NAMESPACE, RESOURCE, instance};
    use crate::providers::Marks;

    fn key() -> Key {
        Key { namespace: NAMESPACE.into(), name: NAME.into() }
    }

    #[test]
    fn a_changed_instance_is_its_objects_also_without_its_tags() {
        let pinned = |identifier: &str, resource: &str| InstanceRef {
            identifier: identifier.into(),
            resource_id: Some(resource.into()),
            created: true,
            ..InstanceRef::default()
        };
        let theirs = InstanceRef { identifier: "theirs".into(), created: true, ..InstanceRef::default() };
        let ours = |instance: &Instance, pinned: Option<&InstanceRef>| {
            assert!(!concerns(instance, CLUSTER, NAMESPACE, "theirs", Some(&theirs)));
            assert!(!concerns(instance, CLUSTER, NAMESPACE, "theirs", None));
            concerns(instance, CLUSTER, NAMESPACE, NAME, pinned)
        };
        let tagged = instance("stopped");
        let mut bare = tagged.clone();
        bare.marks = Marks::default();
        assert!(ours(&tagged, Some(&pinned("before", "db-BEFORE"))));
        assert!(ours(&bare, Some(&pinned(&bare.identifier, "db-BEFORE"))));
        assert!(ours(&bare, Some(&pinned("before", RESOURCE))));
        assert!(ours(&bare, None), "by the name that its instance would have");
        assert!(!ours(&bare, Some(&pinned("before", "db-BEFORE"))));
    }

    #[test]
    fn what_is_derived_from_a_name_begins_as_the_name() {
        for name in ["a", "orders", "orders-0001", "a--b---c", &format!("o{}", "-x".repeat(29)), &"z".repeat(59)] {
            let derived = InstanceIdentifier::derive(CLUSTER, NAMESPACE, name);
            assert!(begins_with(derived.as_str(), name), "{name}: {derived:?}");
            assert!(!begins_with(derived.as_str(), &format!("x{name}")), "{name}");
        }
    }

    #[test]
    fn i13_what_lies_elsewhere_calls_for_no_pass() {
        let secret = |lies_in: &str| ObjectMeta {
            namespace: Some(lies_in.into()),
            annotations: Some(crate::binding::annotations(NAMESPACE, NAME)),
            ..ObjectMeta::default()
        };
        assert_eq!(owner(&secret(NAMESPACE), None), Some(key()));
        assert_eq!(owner(&secret("elsewhere"), None), None);
        assert_eq!(owner(&secret("elsewhere"), Some("rds")), None);
        assert_eq!(owner(&secret("rds"), Some("rds")), Some(key()), "an alias");
    }
}
