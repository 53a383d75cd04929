//! I10: a Secret or Service that is not the object's is never written, and an object is let go only on its way out.

use kube::ResourceExt;
use reconciler::binding::is_ours;
use shared::api::labels::{OWNER_NAME_ANNOTATION, OWNER_NAMESPACE_ANNOTATION};
use shared::names::InstanceIdentifier;

use super::Violation;
use crate::cluster::ClusterEvent;
use crate::history::{Event, Happened};
use crate::world::CLUSTER;

/// Whether something is marked as that of some object of the operator's.
fn marked<K: ResourceExt>(object: &K) -> bool {
    let annotation = |key: &str| object.annotations().get(key).map(String::as_str).unwrap_or_default();
    let namespace = annotation(OWNER_NAMESPACE_ANNOTATION);
    let name = annotation(OWNER_NAME_ANNOTATION);
    is_ours(object.meta().labels.as_ref(), object.meta().annotations.as_ref(), namespace, name)
}

/// What is somebody else's is left alone.
pub(super) fn respected(events: &[Happened]) -> Result<(), Violation> {
    for Happened { at, what } in events {
        let Event::Cluster(event) = what else { continue };
        let foreign = match event {
            ClusterEvent::Secret { of, before: Some(before), .. } if !marked(&**before) => Some(of),
            ClusterEvent::Service { of, before: Some(service), .. }
            | ClusterEvent::Service { of, after: Some(service), .. }
                if !marked(&**service) =>
            {
                Some(of)
            }
            _ => None,
        };
        if let Some(of) = foreign {
            let what = format!("{of} is not the operator's, and was changed");
            return Err(Violation { invariant: "I10", what, when: *at });
        }
    }
    Ok(())
}

/// A Service leads to the instance of the object that it is marked as that of, or to none.
pub(super) fn leading_home(events: &[Happened]) -> Result<(), Violation> {
    for Happened { at, what } in events {
        let Event::Cluster(ClusterEvent::Service { of, after: Some(service), .. }) = what else { continue };
        let annotation = |key: &str| service.annotations().get(key).map(String::as_str).unwrap_or_default();
        let (namespace, name) = (annotation(OWNER_NAMESPACE_ANNOTATION), annotation(OWNER_NAME_ANNOTATION));
        let home = InstanceIdentifier::derive(CLUSTER, namespace, name).to_string();
        let leads = service.spec.as_ref().and_then(|spec| spec.external_name.as_deref()).unwrap_or_default();
        if leads.split('.').next() != Some(home.as_str()) {
            let what = format!("{of} is that of {namespace}/{name} and leads to {leads}");
            return Err(Violation { invariant: "I10", what, when: *at });
        }
    }
    Ok(())
}

/// Nobody is let go who is to stay.
pub(super) fn held(events: &[Happened]) -> Result<(), Violation> {
    for Happened { at, what } in events {
        if let Event::Cluster(ClusterEvent::Finalizer { object, held: false }) = what
            && object["metadata"].get("deletionTimestamp").is_none()
        {
            let what = format!("{} was let go and is wanted", object["metadata"]["name"]);
            return Err(Violation { invariant: "I10", what, when: *at });
        }
    }
    Ok(())
}
