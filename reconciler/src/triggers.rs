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
pub fn concerns(instance: &Instance, cluster: &str, object: &Key, pinned: Option<&InstanceRef>) -> bool {
    let (marks, Key { namespace, name }) = (&instance.marks, object);
    let marked = marks.cluster.as_deref() == Some(cluster);
    let named = marked && marks.namespace.as_ref() == Some(namespace) && marks.name.as_ref() == Some(name);
    named
        || match pinned {
            Some(pinned) => {
                pinned.identifier == instance.identifier
                    || (pinned.resource_id.is_some() && pinned.resource_id == instance.resource_id)
            }
            None => InstanceIdentifier::derive(cluster, namespace, name).as_str() == instance.identifier,
        }
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
            let other = Key { name: "theirs".into(), ..key() };
            assert!(!concerns(instance, CLUSTER, &other, Some(&theirs)));
            concerns(instance, CLUSTER, &key(), pinned)
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
