//! What the status of a class says: how many databases it has, by which an admission policy keeps a class that is in use, and whether
//! another one is marked as the default as well.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::api::{Api, Patch, PatchParams};
use kube::runtime::reflector::Store;
use kube::{Client, Resource};
use serde_json::json;
use shared::api::labels::FIELD_MANAGER;
use shared::api::{RDSDatabase, RDSDatabaseClass, RDSDatabaseClassStatus};

use crate::clock::Clock;
use crate::context::Guarded;
use crate::lease::Fence;
use crate::plan::Reason;
use crate::subject::{GuardedClass, is_default};

/// Counting what the watches have costs no call: soon enough that a class is hardly ever deleted with its first database.
const PACE: Duration = Duration::from_secs(1);
/// After a write that failed.
const PATIENCE: Duration = Duration::from_secs(10);
/// The condition of classes that are all marked as the default one.
const DEFAULT_AMBIGUOUS: &str = "DefaultAmbiguous";
/// Classes that a message names.
const CLASSES_TOLD: usize = 5;

/// What counting needs.
pub(crate) struct Counting {
    pub(crate) client: Client,
    pub(crate) classes: Store<GuardedClass>,
    pub(crate) objects: Store<Guarded>,
    pub(crate) fence: Fence,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Counting {
    /// Keeps the status of all classes; never ends. For the leader, and where it sees all namespaces.
    pub(crate) async fn run(self) {
        let Self { client, classes, objects, fence, clock } = self;
        let api: Api<RDSDatabaseClass> = Api::all(client);
        let ready = async { classes.wait_until_ready().await.and(objects.wait_until_ready().await) };
        if ready.await.is_err() {
            // The watches are gone, and with them the process.
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(PACE).await;
            let now = clock.wall();
            for (name, status) in changed(&classes.state(), &objects.state(), now) {
                if fence.check().is_err() {
                    break;
                }
                if let Some(new) =
                    status.conditions.iter().find(|condition| condition.last_transition_time == Time(now))
                {
                    tracing::warn!(
                        class = name,
                        message = new.message,
                        "another class is marked as the default one too"
                    );
                }
                if let Err(error) = write(&api, &name, &status).await {
                    tracing::warn!(class = name, %error, "the status of a class cannot be written");
                    tokio::time::sleep(PATIENCE).await;
                    break;
                }
            }
        }
    }
}

async fn write(api: &Api<RDSDatabaseClass>, name: &str, status: &RDSDatabaseClassStatus) -> Result<(), kube::Error> {
    let parameters = PatchParams { field_manager: Some(FIELD_MANAGER.into()), ..PatchParams::default() };
    // An empty list has to be written: a merge leaves alone what it is not told of.
    let patch = json!({"status": {"databases": status.databases, "conditions": status.conditions}});
    api.patch_status(name, &parameters, &Patch::Merge(patch)).await.map(drop)
}

/// The classes whose status says something else than it should. One that cannot be read keeps what it says.
fn changed(
    classes: &[Arc<GuardedClass>],
    objects: &[Arc<Guarded>],
    now: Timestamp,
) -> Vec<(String, RDSDatabaseClassStatus)> {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for class in objects.iter().filter_map(|object| class_of(object.0.as_ref().ok()?)) {
        *counts.entry(class).or_default() += 1;
    }
    let unreadable = objects.iter().any(|object| object.0.is_err());
    let mut defaults: Vec<&str> =
        classes.iter().filter(|class| is_default(class)).filter_map(|class| class.meta().name.as_deref()).collect();
    defaults.sort_unstable();
    let readable = classes.iter().filter_map(|class| class.0.as_ref().ok());
    let status = |class: &RDSDatabaseClass| {
        let name = class.metadata.name.clone()?;
        let before = class.status.clone().unwrap_or_default();
        let count = counts.get(name.as_str()).copied().unwrap_or(0);
        // An object that cannot be read may be in any class: while there is one, no count falls.
        let known = if unreadable { before.databases.unwrap_or(0) } else { 0 };
        let ambiguous = (defaults.len() > 1 && defaults.contains(&name.as_str())).then(|| {
            let same = before.conditions.iter().find(|condition| condition.type_ == DEFAULT_AMBIGUOUS);
            ambiguity(
                &defaults,
                class.metadata.generation,
                same.map_or(Time(now), |same| same.last_transition_time.clone()),
            )
        });
        let status =
            RDSDatabaseClassStatus { databases: Some(count.max(known)), conditions: ambiguous.into_iter().collect() };
        (class.status.as_ref() != Some(&status)).then_some((name, status))
    };
    readable.filter_map(status).collect()
}

/// The class an object was made with, or, before anything was made, the one it names.
fn class_of(object: &RDSDatabase) -> Option<&str> {
    match object.status.as_ref().and_then(|status| status.instance.as_ref()) {
        Some(instance) => instance.class_name.as_deref(),
        None => object.spec.0.as_ref()?.class_name.as_deref(),
    }
}

pub(crate) fn ambiguity(defaults: &[&str], generation: Option<i64>, since: Time) -> Condition {
    let told = defaults.iter().take(CLASSES_TOLD).copied().collect::<Vec<_>>().join(", ");
    let more = if defaults.len() > CLASSES_TOLD { ", …" } else { "" };
    Condition {
        type_: DEFAULT_AMBIGUOUS.to_owned(),
        status: "True".to_owned(),
        reason: Reason::SeveralDefaults.to_string(),
        message: format!(
            "{} classes are marked as the default one ({told}{more}): objects that name none get {}, the first by name; take the \
             annotation from the others",
            defaults.len(),
            defaults.first().unwrap_or(&"none"),
        ),
        observed_generation: generation,
        last_transition_time: since,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn class(name: &str, default: bool, status: &Value) -> Arc<GuardedClass> {
        let annotations = default.then(|| json!({"rdsdatabaseclass.matrixmind.cloud/is-default-class": "true"}));
        let object = json!({
            "apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabaseClass",
            "metadata": {"name": name, "annotations": annotations}, "spec": {}, "status": status,
        });
        Arc::new(serde_json::from_value(object).unwrap())
    }

    fn object(spec: &Value, status: &Value) -> Arc<Guarded> {
        let object = json!({
            "apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabase", "metadata": {"name": "orders"},
            "spec": spec, "status": status,
        });
        Arc::new(serde_json::from_value(object).unwrap())
    }

    fn pinned(class: Option<&str>) -> Value {
        json!({"instance": {"identifier": "orders", "className": class}})
    }

    fn counts(classes: &[Arc<GuardedClass>], objects: &[Arc<Guarded>]) -> Vec<(String, Option<i64>)> {
        let changed = changed(classes, objects, Timestamp::UNIX_EPOCH);
        changed.into_iter().map(|(name, status)| (name, status.databases)).collect()
    }

    #[test]
    fn a_class_has_what_was_made_with_it_and_what_names_it() {
        let objects = [
            object(&json!({"className": "gold"}), &json!(null)),
            object(&json!({}), &pinned(Some("gold"))),
            object(&json!({"className": "gold"}), &pinned(Some("silver"))),
            object(&json!({"className": "gold"}), &pinned(None)),
            object(&json!(null), &json!(null)),
        ];
        let classes = [
            class("gold", false, &json!(null)),
            class("silver", true, &json!(null)),
            class("tin", false, &json!(null)),
        ];
        let wanted = [("gold", 2), ("silver", 1), ("tin", 0)].map(|(name, count)| (name.to_owned(), Some(count)));
        assert_eq!(counts(&classes, &objects), wanted);
    }

    #[test]
    fn i5_a_count_that_stands_is_not_written() {
        let objects = [object(&json!({}), &pinned(Some("gold")))];
        assert_eq!(counts(&[class("gold", false, &json!({"databases": 1}))], &objects), []);
        assert_eq!(counts(&[class("gold", false, &json!({"databases": 2}))], &objects), [("gold".to_owned(), Some(1))]);
    }

    #[test]
    fn i8_an_object_that_cannot_be_read_lets_no_count_fall() {
        let objects = [object(&json!({"users": "app"}), &pinned(Some("gold")))];
        assert!(objects[0].0.is_err());
        assert_eq!(counts(&[class("gold", false, &json!({"databases": 1}))], &objects), []);
    }

    #[test]
    fn two_default_classes_are_told_on_both_until_there_is_one() {
        let both = [
            class("usual", true, &json!({"databases": 0})),
            class("new", true, &json!({"databases": 0})),
            class("other", false, &json!({"databases": 0})),
        ];
        let told = changed(&both, &[], Timestamp::UNIX_EPOCH);
        assert_eq!(told.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["usual", "new"]);
        let condition = &told[0].1.conditions[0];
        assert_eq!((condition.type_.as_str(), condition.status.as_str()), ("DefaultAmbiguous", "True"));
        assert!(condition.message.contains("(new, usual): objects that name none get new"), "{}", condition.message);

        let known = serde_json::to_value(&told[0].1).unwrap();
        let later = "2027-01-01T00:00:00Z".parse().unwrap();
        let still = [class("usual", true, &known), class("new", true, &known)];
        assert_eq!(changed(&still, &[], later), [], "i5: the time of the condition stays");
        let one = [class("usual", true, &known), class("new", false, &json!({"databases": 0}))];
        assert_eq!(changed(&one, &[], later)[0].1.conditions, []);
    }
}
