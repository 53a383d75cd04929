//! Writes of the operator's, as values: made at once, or later where one is late. Each that changes something is told.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError};

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{Secret, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::Status;
use reconciler::cluster::{ClusterError, Version};
use reconciler::turns::Key;
use serde_json::{Value, json};

use super::{Changed, Kind, Kubernetes, ObjectFacts, State, key};
use crate::history::Event;

/// A write of the operator's.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Write {
    Finalizers { of: Key, read: String, finalizers: Vec<String> },
    Status { of: Key, read: String, status: Arc<Value> },
    CreateSecret(Box<Secret>),
    UpdateSecret { of: Key, read: Version, change: BTreeMap<String, Option<Vec<u8>>> },
    DeleteSecret { of: Key, read: Version },
    CreateService(Box<Service>),
    UpdateService { of: Key, read: Version, to: Box<Service> },
    DeleteService { of: Key, read: Version },
}

/// A change that the operator made.
#[derive(Clone, Debug)]
pub(crate) enum ClusterEvent {
    /// It holds an object from now on, or lets it go.
    Finalizer {
        object: Arc<Value>,
        held: bool,
    },
    /// The status of an object, which is as it was.
    Status {
        object: Arc<Value>,
        status: Arc<Value>,
    },
    /// A Secret as it was and as it is.
    Secret {
        of: Key,
        before: Option<Arc<Secret>>,
        after: Option<Arc<Secret>>,
    },
    Service {
        of: Key,
        before: Option<Arc<Service>>,
        after: Option<Arc<Service>>,
    },
    /// An Event on an object.
    Told {
        uid: String,
        note: String,
    },
}

/// An answer of the API server's that is an error.
pub(super) fn refused(what: &str, code: u16, reason: &str) -> ClusterError {
    let status = Status::failure(reason, reason).with_code(code).boxed();
    ClusterError::Api { what: what.to_owned(), why: reason.to_owned(), source: Box::new(kube::Error::Api(status)) }
}

fn conflict(of: &Key) -> ClusterError {
    ClusterError::Conflict(of.name.clone())
}

/// An object that is still as it was read.
fn unchanged<'a, K: kube::Resource>(
    objects: &'a BTreeMap<Key, Arc<K>>,
    of: &Key,
    read: &Version,
) -> Result<&'a Arc<K>, ClusterError> {
    let object = objects.get(of).ok_or_else(|| refused(&of.name, 404, "NotFound"))?;
    if Version::of(object.meta()) == *read { Ok(object) } else { Err(conflict(of)) }
}

impl Kubernetes {
    /// Makes a write, and gives what it made; a deletion leaves nothing.
    pub(super) fn make(&self, state: &mut State, write: &Write) -> Result<Option<Version>, ClusterError> {
        let written = match write {
            Write::Finalizers { of, read, finalizers } => {
                let held = !finalizers.is_empty();
                let object = state.databases.get(of).cloned().unwrap_or_default();
                let written =
                    self.change(state, of, read, |object| object["metadata"]["finalizers"] = json!(finalizers))?;
                self.effect(format_args!("{of} {}", if held { "finalizer" } else { "no finalizer" }));
                self.history.happened(Event::Cluster(ClusterEvent::Finalizer { object, held }));
                self.collect(state, of);
                Some(written)
            }
            Write::Status { of, read, status } => {
                let object = state.databases.get(of).cloned().unwrap_or_default();
                let written = self.change(state, of, read, |object| object["status"] = Value::clone(status))?;
                self.effect(format_args!("{of} status {}", Conditions(status)));
                self.history.happened(Event::Cluster(ClusterEvent::Status { object, status: status.clone() }));
                Some(written)
            }
            Write::CreateSecret(secret) => {
                let (of, metadata) = born(state, &secret.metadata)?;
                if state.secrets.contains_key(&of) {
                    return Err(conflict(&of));
                }
                self.put_secret(state, of, Some(Secret { metadata, ..Secret::clone(secret) }))
            }
            Write::UpdateSecret { of, read, change } => {
                let mut secret = Secret::clone(unchanged(&state.secrets, of, read)?);
                let data = secret.data.get_or_insert_default();
                for (key, value) in change {
                    match value {
                        Some(value) => drop(data.insert(key.clone(), ByteString(value.clone()))),
                        None => drop(data.remove(key)),
                    }
                }
                secret.metadata.resource_version = Some(state.next());
                self.put_secret(state, of.clone(), Some(secret))
            }
            Write::DeleteSecret { of, read } => {
                if !state.secrets.contains_key(of) {
                    return Ok(None);
                }
                unchanged(&state.secrets, of, read)?;
                self.put_secret(state, of.clone(), None)
            }
            Write::CreateService(service) => {
                let (of, metadata) = born(state, &service.metadata)?;
                if state.services.contains_key(&of) {
                    return Err(conflict(&of));
                }
                self.put_service(state, of, Some(Service { metadata, ..Service::clone(service) }))
            }
            Write::UpdateService { of, read, to } => {
                let mut service = Service::clone(unchanged(&state.services, of, read)?);
                service.spec.clone_from(&to.spec);
                service.metadata.resource_version = Some(state.next());
                self.put_service(state, of.clone(), Some(service))
            }
            Write::DeleteService { of, read } => {
                if !state.services.contains_key(of) {
                    return Ok(None);
                }
                unchanged(&state.services, of, read)?;
                self.put_service(state, of.clone(), None)
            }
        };
        Ok(written)
    }

    /// Changes an object that is still as it was read.
    fn change(
        &self,
        state: &mut State,
        of: &Key,
        read: &str,
        change: impl FnOnce(&mut Value),
    ) -> Result<Version, ClusterError> {
        let object = state.databases.get(of).ok_or_else(|| refused(&of.name, 404, "NotFound"))?;
        if object["metadata"]["resourceVersion"] != read {
            return Err(conflict(of));
        }
        let mut object = Value::clone(object);
        change(&mut object);
        Ok(self.put_database(state, of, object))
    }

    /// Stores an object under a new version, which it gives, and tells those who watch.
    pub(super) fn put_database(&self, state: &mut State, of: &Key, mut object: Value) -> Version {
        object["metadata"]["resourceVersion"] = json!(state.next());
        let version = Version::in_json(&object);
        self.tell(Kind::Databases, Changed::Database(of.clone(), Some(Box::new(ObjectFacts::of(&object)))));
        state.databases.insert(of.clone(), Arc::new(object));
        version
    }

    /// Takes away an object that is being deleted and that nobody holds any more.
    pub(super) fn collect(&self, state: &mut State, of: &Key) {
        let Some(object) = state.databases.get(of) else { return };
        let held = object["metadata"]["finalizers"].as_array().is_some_and(|held| !held.is_empty());
        if object["metadata"].get("deletionTimestamp").is_some() && !held {
            self.history.log(format_args!("{of} is gone"));
            let last = state.databases.remove(of);
            self.gone.lock().unwrap_or_else(PoisonError::into_inner).extend(last.map(|object| (of.clone(), object)));
            self.tell(Kind::Databases, Changed::Database(of.clone(), None));
        }
    }

    fn put_secret(&self, state: &mut State, of: Key, after: Option<Secret>) -> Option<Version> {
        let (before, after) = (state.secrets.get(&of).cloned(), after.map(Arc::new));
        let keys: Vec<_> = after.iter().flat_map(|secret| secret.data.iter().flat_map(BTreeMap::keys)).collect();
        self.effect(format_args!("{of} Secret {keys:?}"));
        self.store_secret(state, &of, after.clone());
        let written = after.as_ref().map(|secret| Version::of(&secret.metadata));
        self.history.happened(Event::Cluster(ClusterEvent::Secret { of, before, after }));
        written
    }

    /// Stores a Secret or takes it away, and tells those who watch.
    pub(super) fn store_secret(&self, state: &mut State, of: &Key, after: Option<Arc<Secret>>) {
        let [before, now] =
            [state.secrets.get(of), after.as_ref()].map(|secret| secret.map(|secret| secret.metadata.clone()));
        told(state, before, now).iter().for_each(|metadata| self.tell_of(Kind::Secrets, metadata));
        match after {
            Some(secret) => drop(state.secrets.insert(of.clone(), secret)),
            None => drop(state.secrets.remove(of)),
        }
    }

    fn put_service(&self, state: &mut State, of: Key, after: Option<Service>) -> Option<Version> {
        let (before, after) = (state.services.get(&of).cloned(), after.map(Arc::new));
        let spec = after.as_ref().and_then(|service| service.spec.as_ref());
        self.effect(format_args!("{of} Service {:?}", spec.and_then(|spec| spec.external_name.as_ref())));
        self.store_service(state, &of, after.clone());
        let written = after.as_ref().map(|service| Version::of(&service.metadata));
        self.history.happened(Event::Cluster(ClusterEvent::Service { of, before, after }));
        written
    }

    /// Stores a Service or takes it away, and tells those who watch.
    pub(super) fn store_service(&self, state: &mut State, of: &Key, after: Option<Arc<Service>>) {
        let [before, now] =
            [state.services.get(of), after.as_ref()].map(|service| service.map(|service| service.metadata.clone()));
        told(state, before, now).iter().for_each(|metadata| self.tell_of(Kind::Services, metadata));
        match after {
            Some(service) => drop(state.services.insert(of.clone(), service)),
            None => drop(state.services.remove(of)),
        }
    }

    fn effect(&self, line: fmt::Arguments<'_>) {
        self.history.log(line);
    }
}

/// The metadata of an object that is made now, where its namespace takes one.
pub(super) fn born(state: &mut State, metadata: &ObjectMeta) -> Result<(Key, ObjectMeta), ClusterError> {
    let of = key(metadata.namespace.as_deref().unwrap_or_default(), metadata.name.as_deref().unwrap_or_default());
    if state.namespaces.get(&of.namespace).is_some_and(|namespace| namespace.terminating) {
        return Err(ClusterError::NamespaceTerminating);
    }
    let resource = state.next();
    let uid = Some(format!("uid-{resource}"));
    Ok((of, ObjectMeta { uid, resource_version: Some(resource), ..metadata.clone() }))
}

/// What a watch tells of an object: how it is now, or of one that is gone how it was, whose end is a version of its own.
fn told(state: &mut State, before: Option<ObjectMeta>, now: Option<ObjectMeta>) -> Option<ObjectMeta> {
    now.or_else(|| Some(ObjectMeta { resource_version: Some(state.next()), ..before? }))
}

/// The conditions of a status, in short.
struct Conditions<'a>(&'a Value);

impl fmt::Display for Conditions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for condition in self.0["conditions"].as_array().into_iter().flatten() {
            let word = |key: &str| condition[key].as_str().unwrap_or_default();
            write!(f, "{}={}/{} ", word("type"), word("status"), word("reason"))?;
        }
        Ok(())
    }
}
