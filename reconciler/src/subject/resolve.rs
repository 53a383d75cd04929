//! From an object that is wanted and the classes to what is wanted of the cloud.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use shared::api::{DeletionPolicy, RDSDatabase};
use shared::rules::{self, DefaultVersions, Desired, Observed, Violation};

use super::class::{Class, GuardedClass, resolved, select};
use super::permit::Fence;
use super::refusal::Refusal;
use crate::engine::{Dialect, Server, Servers};
use crate::providers::offer;

/// What an object asks for, with what its class adds and allows.
#[derive(Clone, Debug)]
pub struct Target {
    /// The parsed specification, defaults included.
    pub desired: Desired,
    /// What is spoken to its engine with.
    pub server: Arc<dyn Server>,
    /// What the class decides.
    pub class: Class,
    /// What the class allows.
    pub fence: Fence,
    /// What happens to the data when the object goes.
    pub deletion_policy: DeletionPolicy,
}

/// An instance that an object is to take over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adoption {
    /// Its identifier.
    pub identifier: String,
    /// Whether the class permits that.
    pub permitted: Result<(), Refusal>,
}

impl Target {
    /// The instance that the object is to take over.
    pub(crate) fn adopts(&self) -> Option<Adoption> {
        let identifier = self.desired.adopt.clone()?;
        Some(Adoption { identifier, permitted: self.fence.adoption() })
    }

    /// How its engine is spoken of.
    pub fn dialect(&self) -> &'static dyn Dialect {
        self.server.dialect()
    }

    /// The compute size of a new instance: the object's own, else its class's.
    pub(crate) fn instance_class(&self) -> &str {
        self.desired.instance_class.as_deref().unwrap_or(&self.class.instance_class)
    }

    /// The tags of the instance beside its marks: the class's go first.
    pub(crate) fn tags(&self) -> BTreeMap<String, String> {
        let mut tags = self.desired.tags.clone();
        tags.extend(self.class.tags.clone());
        tags
    }

    /// The parameters that are asked for, by the object and by its class where the object says nothing.
    pub(crate) fn parameters(&self) -> BTreeMap<String, String> {
        let mut parameters = self.class.parameters.clone();
        parameters.extend(self.desired.parameters.clone());
        parameters
    }

    /// Whether the class allows this database to be born.
    ///
    /// # Errors
    /// What it does not allow.
    pub(crate) fn birth(&self) -> Result<(), Refusal> {
        self.fence.birth(&self.desired, &self.class, self.deletion_policy)
    }
}

/// Resolves an object: defaults, rules, class. With `require_class` none is born in the built-in one. The same rules as at admission, for
/// what was admitted while the webhook was away.
pub(crate) fn resolve(
    object: &RDSDatabase,
    classes: &[Arc<GuardedClass>],
    require_class: bool,
    namespace_labels: &BTreeMap<String, String>,
    versions: DefaultVersions,
    servers: &Servers,
) -> Result<Target, Refusal> {
    let name = object.metadata.name.as_deref().unwrap_or_default();
    // A default that changed is no upgrade of what runs.
    let running = object.status.as_ref().and_then(|status| status.engine_version.clone());
    let versions = versions.behind(&Observed { engine_version: running, ..Observed::default() });
    let spec = rules::defaults(&written_spec(object), None, versions);
    let desired = rules::parse(name, &spec)
        .map_err(|violations| Refusal::InvalidSpec(violations.iter().map(sentence).collect()))?;
    let server = servers.of(desired.engine).ok_or_else(|| Refusal::EngineNotSupported(desired.engine.to_string()))?;
    let pinned = object.status.as_ref().and_then(|status| status.instance.as_ref());
    let class = select(desired.class_name.as_deref(), pinned, classes)?;
    if require_class && class.is_none() && pinned.is_none() {
        return Err(Refusal::ClassRequired);
    }
    let supported = offer(None).provider();
    if let Some(class) = class
        && let Some(provider) = class.spec.provider.as_deref().filter(|provider| *provider != supported)
    {
        return Err(Refusal::ClassNotPermitted {
            class: class.metadata.name.clone().unwrap_or_default(),
            why: format!("its provider {provider} is not supported; {supported} is"),
        });
    }
    let default_policy = class.and_then(|class| class.spec.default_deletion_policy);
    let target = Target {
        class: resolved(class),
        fence: class.map(|class| Fence::of(class, namespace_labels)).unwrap_or_default(),
        deletion_policy: desired.deletion_policy.or(default_policy).unwrap_or_default(),
        desired,
        server,
    };
    // What runs already is asked about each change, by the plan.
    if !pinned.is_some_and(|pinned| pinned.created) {
        target.birth()?;
    }
    Ok(target)
}

/// The spec as JSON; what cannot be written as JSON was never read from it.
fn written_spec(object: &RDSDatabase) -> Value {
    serde_json::to_value(&object.spec).unwrap_or(Value::Null)
}

fn sentence(violation: &Violation) -> String {
    format!("{}: {}", violation.field, violation.message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::paper::servers;

    #[test]
    fn a_default_version_that_changed_is_no_upgrade_of_what_runs() {
        let versions = DefaultVersions::given(&["postgresql=17".parse().unwrap()]).unwrap();
        let version = |spec: Value, running: Option<&str>| {
            let object = json!({
                "apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabase", "metadata": {"name": "orders"},
                "spec": spec, "status": {"engineVersion": running},
            });
            let object = serde_json::from_value(object).unwrap();
            resolve(&object, &[], false, &BTreeMap::new(), versions, &servers()).unwrap().desired.version.to_string()
        };
        assert_eq!(version(json!({}), None), "17");
        assert_eq!(version(json!({}), Some("12.22")), "12");
        assert_eq!(version(json!({"version": "15"}), Some("12.22")), "15", "what is written is asked for");
    }
}
