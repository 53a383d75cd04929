//! What the class decides of a running instance: its tags, beside those of the object, and security groups follow it. The rest stays as at birth, because changing it is an
//! outage, or is not possible at all; a message says what the class says now.

use crate::plan::world::World;
use crate::providers::{Instance, MarkInstance, some};
use crate::subject::Target;

/// The tags of class and object that the instance lacks. One that left them stays: whose it was is not known.
pub(super) fn tags(target: &Target, world: &World, instance: &Instance) -> Option<MarkInstance> {
    let resource = instance.resource_name.clone()?;
    let mut missing = target.tags();
    // The marks of ownership are no class's to give.
    missing.retain(|key, value| instance.tags.get(key) != Some(value) && !world.offer.gives_tag(key));
    (!missing.is_empty() && !instance.status.creating()).then(|| MarkInstance {
        resource,
        tags: missing,
        ..MarkInstance::default()
    })
}

/// What the class says for new databases, where this one is otherwise.
pub(super) fn otherwise(target: &Target, world: &World, instance: &Instance) -> Option<String> {
    let (class, running) = (&target.class, &instance.running);
    let differs = |says: Option<&str>, is: &Option<String>| {
        let (says, is) = (says?, is.as_deref()?);
        (!is.eq_ignore_ascii_case(says)).then(|| (says.to_owned(), is.to_owned()))
    };
    let own = target.desired.instance_class.is_some();
    let other_key = |says: &&str| world.offer.is_another_key(says, running.kms_key.as_deref().unwrap_or_default());
    let different = [
        differs(Some(&class.instance_class), &running.instance_class).filter(|_| !own),
        differs(Some(&class.storage_type), &running.storage_type).filter(|_| target.desired.storage.kind.is_none()),
        differs(class.subnet_group.as_deref(), &running.subnet_group),
        differs(class.kms_key.as_deref().filter(other_key), &running.kms_key),
    ];
    let (says, stays): (Vec<_>, Vec<_>) = different.into_iter().flatten().unzip();
    (!says.is_empty())
        .then(|| format!("the class says {} for new databases; this one stays {}", says.join(", "), stays.join(", ")))
}

/// Tags that neither the class nor the object names (any more): whose they are is not known, so they stay.
pub(super) fn left_over(target: &Target, world: &World, instance: &Instance) -> Option<String> {
    target.class.name.as_ref()?;
    let named = target.tags();
    let left = instance.tags.keys().map(String::as_str);
    let left: Vec<_> = left.filter(|key| !world.offer.gives_tag(key) && !named.contains_key(*key)).collect();
    (!left.is_empty())
        .then(|| format!("tags that neither the class nor the object names stay: {}", some(left.into_iter())))
}
