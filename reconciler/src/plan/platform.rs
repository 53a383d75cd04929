//! What the class decides of a running instance: tags and security groups follow it. The rest stays as at birth, because changing it is an
//! outage, or is not possible at all; a message says what the class says now.

use std::collections::BTreeMap;

use super::world::World;
use crate::providers::{Instance, MarkInstance, some};
use crate::subject::Target;

/// The class's tags that the instance lacks. One that left the class stays: whose it was is not known.
pub(super) fn tags(target: &Target, world: &World, instance: &Instance) -> Option<MarkInstance> {
    let resource = instance.resource_name.clone()?;
    let missing: BTreeMap<String, String> = target
        .class
        .tags
        .iter()
        // The marks of ownership are no class's to give.
        .filter(|(key, value)| instance.tags.get(*key) != Some(*value) && !world.offer.gives_tag(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
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
        differs(Some(&class.storage_type), &running.storage_type),
        differs(class.subnet_group.as_deref(), &running.subnet_group),
        differs(class.kms_key.as_deref().filter(other_key), &running.kms_key),
    ];
    let (says, stays): (Vec<_>, Vec<_>) = different.into_iter().flatten().unzip();
    (!says.is_empty())
        .then(|| format!("the class says {} for new databases; this one stays {}", says.join(", "), stays.join(", ")))
}

/// Tags that the class does not name (any more): whose they are is not known, so they stay.
pub(super) fn left_over(target: &Target, world: &World, instance: &Instance) -> Option<String> {
    target.class.name.as_ref()?;
    let left = instance.tags.keys().map(String::as_str);
    let left: Vec<_> =
        left.filter(|key| !world.offer.gives_tag(key) && !target.class.tags.contains_key(*key)).collect();
    (!left.is_empty()).then(|| format!("tags that the class does not name stay: {}", some(left.into_iter())))
}
