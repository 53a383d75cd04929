//! What the class decides of a running instance: tags and security groups follow it. The rest stays as at birth, because changing it is an
//! outage, or is not possible at all; a message says what the class says now.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::guard::hold;
use super::{CloudStep, Effect, Moment, Outcome, Reason, Step, World};
use crate::providers::Instance;
use crate::subject::Target;

/// Keys of tags that an Event or a condition names.
const KEYS_TOLD: usize = 8;

/// The class's tags that the instance lacks. One that left the class stays: whose it was is not known.
pub(super) fn tags(target: &Target, world: &World, instance: &Instance, now: Moment) -> Option<Outcome> {
    let arn = instance.arn.clone()?;
    let missing: BTreeMap<String, String> = target
        .class
        .tags
        .iter()
        // The marks of ownership are no class's to give.
        .filter(|(key, value)| instance.tags.get(*key) != Some(*value) && !key.starts_with("matrixmind.cloud/"))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if missing.is_empty() || instance.status.creating() {
        return None;
    }
    let request = describe_tags(&missing);
    Some(hold(world, Effect::OtherTags, &request, now).unwrap_or_else(|| {
        let step = CloudStep::Tag { effect: Effect::OtherTags, arn, tags: missing };
        Outcome::act(Reason::Tagging, request, Step::Cloud(step))
    }))
}

/// The class's security groups, where the instance has others.
pub(super) fn security_groups(target: &Target, instance: &Instance) -> Option<Vec<String>> {
    let wanted = &target.class.security_groups;
    let (have, want): (BTreeSet<_>, BTreeSet<_>) = (instance.security_groups.iter().collect(), wanted.iter().collect());
    (!wanted.is_empty() && have != want).then(|| wanted.clone())
}

/// What the class says for new databases, where this one is otherwise.
pub(super) fn otherwise(target: &Target, instance: &Instance) -> Option<String> {
    let class = &target.class;
    let differs = |says: &str, is: &Option<String>| {
        is.as_ref().filter(|is| !is.eq_ignore_ascii_case(says)).map(|is| (says.to_owned(), is.clone()))
    };
    let own = target.desired.instance_class.is_some();
    let different = [
        differs(&class.instance_class, &instance.instance_class).filter(|_| !own),
        differs(&class.storage_type, &instance.storage_type),
        class.subnet_group.as_deref().and_then(|says| differs(says, &instance.subnet_group)),
        class.kms_key.as_deref().filter(|says| another_key(says, instance)).and_then(|s| differs(s, &instance.kms_key)),
    ];
    let (says, stays): (Vec<_>, Vec<_>) = different.into_iter().flatten().unzip();
    (!says.is_empty())
        .then(|| format!("the class says {} for new databases; this one stays {}", says.join(", "), stays.join(", ")))
}

/// Tags that the class does not name (any more): whose they are is not known, so they stay.
pub(super) fn left_over(target: &Target, instance: &Instance) -> Option<String> {
    target.class.name.as_ref()?;
    // RDS and CloudFormation add some of their own.
    let others = |key: &str| !key.starts_with("aws:") && !key.starts_with("matrixmind.cloud/");
    let left = instance.tags.keys().filter(|key| others(key) && !target.class.tags.contains_key(*key));
    let left: Vec<&str> = left.map(String::as_str).collect();
    (!left.is_empty()).then(|| format!("tags that the class does not name stay: {}", some(&left)))
}

/// RDS tells the key by its ARN. Which key an alias leads to is not known here.
fn another_key(says: &str, instance: &Instance) -> bool {
    let is = instance.kms_key.as_deref().unwrap_or_default();
    let alias = says.starts_with("alias/") || says.contains(":alias/");
    !alias && is != says && is.rsplit_once('/').map(|(_, id)| id) != Some(says)
}

/// New tags as Events, retries and the breaker know them: other values are another request.
pub(crate) fn describe_tags(tags: &BTreeMap<String, String>) -> String {
    let keys: Vec<&str> = tags.keys().map(String::as_str).collect();
    let digest = hex::encode(Sha256::digest(format!("{tags:?}")));
    format!("AddTagsToResource {} (values {})", some(&keys), &digest[..8])
}

/// The first of these keys, and how many more there are.
fn some(keys: &[&str]) -> String {
    let told = keys.iter().take(KEYS_TOLD).copied().collect::<Vec<_>>().join(", ");
    match keys.len().saturating_sub(KEYS_TOLD) {
        0 => told,
        more => format!("{told} and {more} more"),
    }
}
