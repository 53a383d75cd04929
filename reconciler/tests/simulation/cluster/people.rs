//! What people and other controllers do in Kubernetes: each as its API server lets them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{Secret, Service, ServiceSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt as _;
use reconciler::cluster::NamespaceFacts;
use reconciler::turns::Key;
use serde_json::{Value, json};
use shared::api::labels::DEFAULT_CLASS_ANNOTATION;
use shared::rules::{self, DefaultVersions, Subject};

use super::write::born;
use super::{Changed, Kind, Kubernetes, State, Write, key};
use crate::history::Event;

/// The day that the webhook has.
const TODAY: Date = jiff::civil::date(2027, 1, 15);

/// Passwords that somebody writes into a Secret by hand: one of their own, and one in place of ours.
pub(crate) const PEOPLES: [&str; 2] = ["planted-by-somebody", "changed-in-between"];

/// What the webhook says to somebody whose object it refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) String);

/// What somebody makes of a name that the operator's would have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Planted {
    /// A Secret with a password of theirs.
    Secret,
    /// A Service that leads elsewhere.
    Service,
}

impl Kubernetes {
    /// Somebody applies an object: the webhook fills in what is left out, and refuses what cannot work. With `webhook` away, whatever the
    /// schema takes is stored.
    pub(crate) fn apply(&self, of: &Key, spec: &Value, webhook: bool) -> Result<(), Refused> {
        let mut state = self.lock();
        if state.namespaces.get(&of.namespace).is_some_and(|namespace| namespace.terminating) {
            return Err(Refused("the namespace is being deleted".into()));
        }
        let old = state.databases.get(of).cloned();
        let old_spec = old.as_ref().map(|old| &old["spec"]);
        let versions = DefaultVersions::BUILT_IN;
        let spec = if webhook { rules::defaults(spec, old_spec, versions) } else { spec.clone() };
        if webhook {
            let new = Subject::new(&of.name, &spec);
            let verdict = match old_spec {
                Some(old) => rules::update(&new, &Subject::new(&of.name, old), TODAY),
                None => rules::create(&new, TODAY),
            };
            if let Some(error) = verdict.errors.first() {
                return Err(Refused(error.to_string()));
            }
        }
        match old {
            Some(old) if old["spec"] == spec => {}
            Some(old) => {
                let mut object = Value::clone(&old);
                let generation = object["metadata"]["generation"].as_i64().unwrap_or_default();
                object["metadata"]["generation"] = json!(generation + 1);
                object["spec"] = spec;
                self.put_database(&mut state, of, object);
                self.declared(&state, of);
            }
            None => {
                let uid = format!("uid-{}", state.next());
                let object = json!({
                    "apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabase", "spec": spec,
                    "metadata": {
                        "namespace": of.namespace, "name": of.name, "uid": uid, "generation": 1,
                        "creationTimestamp": self.now(),
                    },
                });
                self.put_database(&mut state, of, object);
                self.declared(&state, of);
            }
        }
        Ok(())
    }

    /// Somebody deletes an object. The webhook refuses that of one that is protected, unless it is away.
    pub(crate) fn delete(&self, of: &Key, webhook: bool) -> Result<(), Refused> {
        let mut state = self.lock();
        let Some(object) = state.databases.get(of).cloned() else { return Ok(()) };
        if let Some(error) = rules::delete(&object["spec"]).errors.first().filter(|_| webhook) {
            return Err(Refused(error.to_string()));
        }
        if object["metadata"].get("deletionTimestamp").is_none() {
            let mut object = Value::clone(&object);
            object["metadata"]["deletionTimestamp"] = json!(self.now());
            self.put_database(&mut state, of, object);
            self.declared(&state, of);
            self.collect(&mut state, of);
        }
        Ok(())
    }

    /// Somebody sets an annotation, or takes it away.
    pub(crate) fn annotate(&self, of: &Key, annotation: &str, value: Option<&str>) {
        let mut state = self.lock();
        let Some(object) = state.databases.get(of) else { return };
        let mut object = Value::clone(object);
        match (value, object["metadata"]["annotations"].as_object_mut()) {
            (Some(value), _) => object["metadata"]["annotations"][annotation] = json!(value),
            (None, Some(annotations)) => drop(annotations.remove(annotation)),
            (None, None) => return,
        }
        self.put_database(&mut state, of, object);
        self.declared(&state, of);
    }

    /// Somebody sets the finalizers of an object.
    pub(crate) fn finalizers(&self, of: &Key, finalizers: &[&str]) {
        let mut state = self.lock();
        let Some(object) = state.databases.get(of) else { return };
        let mut object = Value::clone(object);
        object["metadata"]["finalizers"] = json!(finalizers);
        self.put_database(&mut state, of, object);
        self.collect(&mut state, of);
    }

    /// A namespace is made, or labelled otherwise.
    pub(crate) fn namespace(&self, name: &str, labels: BTreeMap<String, String>) {
        let mut state = self.lock();
        state.namespaces.entry(name.to_owned()).or_default().labels = labels;
        self.tell(Kind::Namespaces, Changed::Namespace(name.to_owned()));
    }

    /// Somebody deletes a namespace: its controller deletes all that is in it.
    pub(crate) fn terminate(&self, name: &str) {
        let mut state = self.lock();
        let NamespaceFacts { terminating, .. } = state.namespaces.entry(name.to_owned()).or_default();
        *terminating = true;
        self.tell(Kind::Namespaces, Changed::Namespace(name.to_owned()));
        let within = |key: &&Key| key.namespace == name;
        for of in state.secrets.keys().filter(within).cloned().collect::<Vec<_>>() {
            self.store_secret(&mut state, &of, None);
        }
        for of in state.services.keys().filter(within).cloned().collect::<Vec<_>>() {
            self.store_service(&mut state, &of, None);
        }
        for of in state.databases.keys().filter(within).cloned().collect::<Vec<_>>() {
            let mut object = Value::clone(&state.databases[&of]);
            if object["metadata"].get("deletionTimestamp").is_none() {
                object["metadata"]["deletionTimestamp"] = json!(self.now());
                self.put_database(&mut state, &of, object);
                self.declared(&state, &of);
                self.collect(&mut state, &of);
            }
        }
    }

    /// The platform writes a class, or takes it away.
    pub(crate) fn class(&self, name: &str, spec: Option<&Value>, default: bool) {
        let mut state = self.lock();
        let resource = state.next();
        match spec {
            Some(spec) => {
                let annotations = default.then(|| json!({DEFAULT_CLASS_ANNOTATION: "true"}));
                let class = json!({
                    "apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabaseClass", "spec": spec,
                    "metadata": {
                        "name": name, "uid": format!("uid-{resource}"), "resourceVersion": resource,
                        "annotations": annotations,
                    },
                });
                state.classes.insert(name.to_owned(), Arc::new(class));
            }
            None => drop(state.classes.remove(name)),
        }
        self.tell(Kind::Classes, Changed::Class);
    }

    /// Somebody changes a Secret, or takes it away: `change` gives what becomes of it.
    pub(crate) fn change_secret(&self, of: &Key, change: impl FnOnce(Secret) -> Option<Secret>) {
        let mut state = self.lock();
        let Some(secret) = state.secrets.get(of).cloned() else { return };
        let changed = change(Arc::unwrap_or_clone(secret)).map(|mut secret| {
            secret.metadata.resource_version = Some(state.next());
            Arc::new(secret)
        });
        self.store_secret(&mut state, of, changed);
    }

    /// Somebody changes a Service, or takes it away: `change` gives what becomes of it.
    pub(crate) fn change_service(&self, of: &Key, change: impl FnOnce(Service) -> Option<Service>) {
        let mut state = self.lock();
        let Some(service) = state.services.get(of).cloned() else { return };
        let changed = change(Arc::unwrap_or_clone(service)).map(|mut service| {
            service.metadata.resource_version = Some(state.next());
            Arc::new(service)
        });
        self.store_service(&mut state, of, changed);
    }

    /// Somebody makes a Secret or a Service, where there is none of the name.
    pub(crate) fn plant(&self, of: &Key, what: Planted) {
        let mut state = self.lock();
        let metadata =
            ObjectMeta { namespace: Some(of.namespace.clone()), name: Some(of.name.clone()), ..ObjectMeta::default() };
        let there = match what {
            Planted::Secret => state.secrets.contains_key(of),
            Planted::Service => state.services.contains_key(of),
        };
        // A namespace that is being deleted takes nothing.
        let Some((_, metadata)) = born(&mut state, &metadata).ok().filter(|_| !there) else { return };
        match what {
            Planted::Secret => {
                let secret = put(Secret { metadata, ..Secret::default() }, "password", Some(PEOPLES[0]));
                self.store_secret(&mut state, of, Some(Arc::new(secret)));
            }
            Planted::Service => {
                let spec = ServiceSpec { external_name: Some("elsewhere.example".into()), ..ServiceSpec::default() };
                let service = Service { metadata, spec: Some(spec), ..Service::default() };
                self.store_service(&mut state, of, Some(Arc::new(service)));
            }
        }
    }

    /// Somebody changes what a write of the operator's is about to be made on.
    pub(super) fn outrun(&self, write: &Write) {
        let named = |metadata: &ObjectMeta| {
            key(metadata.namespace.as_deref().unwrap_or_default(), metadata.name.as_deref().unwrap_or_default())
        };
        match write {
            Write::Finalizers { of, .. } => self.annotate(of, "touched", Some("in between")),
            Write::Status { of, .. } => self.supplant(of),
            Write::CreateSecret(secret) => self.plant(&named(&secret.metadata), Planted::Secret),
            Write::UpdateSecret { of, .. } | Write::DeleteSecret { of, .. } => {
                self.change_secret(of, |secret| Some(put(secret, "password", Some(PEOPLES[1]))));
            }
            Write::CreateService(service) => self.plant(&named(&service.metadata), Planted::Service),
            Write::UpdateService { of, .. } | Write::DeleteService { of, .. } => {
                self.change_service(of, |mut service| {
                    service.labels_mut().clear();
                    Some(service)
                });
            }
        }
    }

    /// Tells what is declared from now on.
    pub(super) fn declared(&self, state: &State, of: &Key) {
        if let Some(object) = state.databases.get(of).cloned() {
            self.history.happened(Event::Declared { object });
        }
    }

    /// An object is gone by force, and another one of its name is there.
    fn supplant(&self, of: &Key) {
        let state = self.state();
        let Some(object) = state.databases.get(of) else { return };
        self.finalizers(of, &[]);
        // Without the webhook nothing is refused, but in a namespace that is being deleted.
        drop(self.delete(of, false).and_then(|()| self.apply(of, &object["spec"], false)));
    }

    fn now(&self) -> String {
        // The API server's times are whole seconds.
        self.time.wall().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }
}

/// What a Secret holds under a key.
pub(crate) fn text<'a>(secret: &'a Secret, key: &str) -> Option<&'a str> {
    let ByteString(value) = secret.data.as_ref()?.get(key)?;
    std::str::from_utf8(value).ok()
}

/// Another value under a key of a Secret, or none.
pub(crate) fn put(mut secret: Secret, key: &str, value: Option<&str>) -> Secret {
    let data = secret.data.get_or_insert_default();
    match value {
        Some(value) => drop(data.insert(key.to_owned(), ByteString(value.as_bytes().to_vec()))),
        None => drop(data.remove(key)),
    }
    secret
}

/// A Secret that has lost its labels.
pub(crate) fn unlabelled(mut secret: Secret) -> Secret {
    secret.labels_mut().clear();
    secret
}
