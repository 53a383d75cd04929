//! Secrets and Services, told apart into ours and others'.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Secret, Service};
use kube::ResourceExt;
use kube::core::SelectorExt;
use shared::names;

use crate::binding::{self, SecretData};
use crate::cluster::{ClusterError, NamespaceFacts};
use crate::context::Context;
use crate::plan::{ObjectFacts, SecretFact, Seen, ServiceFact};
use crate::target::Target;

/// The Secrets that are wanted, and further ones marked as the object's.
pub(super) async fn secrets(
    context: &Context,
    object: &ObjectFacts,
    target: Option<&Target>,
) -> Result<BTreeMap<String, Seen<SecretFact>>, ClusterError> {
    // On the way out no Secret is touched.
    let Some(target) = target else {
        return Ok(BTreeMap::new());
    };
    let found = context.cluster.secrets_of(&object.namespace, &object.name).await?;
    let mut secrets: BTreeMap<String, Secret> = found.into_iter().map(|secret| (secret.name_any(), secret)).collect();
    let mut seen = BTreeMap::new();
    for (secret, user) in wanted(object, target) {
        // One without our labels is not in the list and may be there all the same.
        let found = match secrets.remove(&secret) {
            Some(found) => Some(found),
            None => context.cluster.secret(&object.namespace, &secret).await?,
        };
        let fact = found.map_or(Seen::Absent, |found| Seen::Known(secret_fact(found, object, Some(&user))));
        seen.insert(secret, fact);
    }
    seen.extend(secrets.into_iter().map(|(name, secret)| (name, Seen::Known(secret_fact(secret, object, None)))));
    Ok(seen)
}

fn wanted(object: &ObjectFacts, target: &Target) -> Vec<(String, String)> {
    let master = (names::master_secret_name(&object.name), target.desired.master_user.to_string());
    let users = target.desired.users.keys().map(|user| (names::secret_name(&object.name, user), user.to_string()));
    std::iter::once(master).chain(users).collect()
}

fn secret_fact(secret: Secret, object: &ObjectFacts, user: Option<&str>) -> SecretFact {
    let foreign = |why: String| SecretFact::Foreign { why };
    let (labels, annotations) = (secret.metadata.labels.as_ref(), secret.metadata.annotations.as_ref());
    if !binding::is_ours(labels, annotations, &object.namespace, &object.name) {
        return foreign("it is not marked as this object's".into());
    }
    if secret.type_.as_deref() != Some(&binding::secret_type()) {
        return foreign(format!(
            "its type is {}, not {}",
            secret.type_.as_deref().unwrap_or("Opaque"),
            binding::secret_type()
        ));
    }
    let uid = secret.metadata.uid.unwrap_or_default();
    let data = SecretData(secret.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0)).collect());
    match (user, data.text("username")) {
        (Some(user), Some(found)) if user != found => foreign(format!("it is for the user {found}, not {user}")),
        _ => SecretFact::Ours { data, uid },
    }
}

/// The Service beside the object.
pub(super) async fn service(context: &Context, object: &ObjectFacts) -> Result<Seen<ServiceFact>, ClusterError> {
    look(context, object, &object.namespace, &names::service_name(&object.name)).await
}

/// The alias in the shared namespace, where this object may have one.
pub(super) async fn alias(
    context: &Context,
    object: &ObjectFacts,
    namespace: &NamespaceFacts,
) -> Result<Option<Seen<ServiceFact>>, ClusterError> {
    let Some(shared) = &context.settings.service_namespace else {
        return Ok(None);
    };
    let permitted =
        context.settings.alias_namespaces.as_ref().is_none_or(|selector| selector.matches(&namespace.labels));
    // One that was made under a wider selector is still taken back when the object goes.
    if !permitted && !object.deleting {
        return Ok(None);
    }
    look(context, object, shared, &names::alias_service_name(&object.name)).await.map(Some)
}

async fn look(
    context: &Context,
    object: &ObjectFacts,
    namespace: &str,
    name: &str,
) -> Result<Seen<ServiceFact>, ClusterError> {
    let found = context.cluster.service(namespace, name).await?;
    Ok(found.map_or(Seen::Absent, |service| Seen::Known(service_fact(&service, object))))
}

fn service_fact(service: &Service, object: &ObjectFacts) -> ServiceFact {
    let (labels, annotations) = (service.metadata.labels.as_ref(), service.metadata.annotations.as_ref());
    if !binding::is_ours(labels, annotations, &object.namespace, &object.name) {
        return ServiceFact::Foreign { owner: owner(service) };
    }
    let spec = service.spec.as_ref();
    ServiceFact::Ours {
        external_name: spec.and_then(|spec| spec.external_name.clone()).unwrap_or_default(),
        port: spec.and_then(|spec| spec.ports.as_ref()).and_then(|ports| ports.first()).map(|port| port.port),
        uid: service.metadata.uid.clone().unwrap_or_default(),
    }
}

fn owner(service: &Service) -> String {
    use shared::api::labels::{OWNER_NAME_ANNOTATION, OWNER_NAMESPACE_ANNOTATION};
    let annotation = |key: &str| service.metadata.annotations.as_ref().and_then(|annotations| annotations.get(key));
    match (annotation(OWNER_NAMESPACE_ANNOTATION), annotation(OWNER_NAME_ANNOTATION)) {
        (Some(namespace), Some(name)) => format!("the RDSDatabase {name} in namespace {namespace}"),
        _ => "somebody else".into(),
    }
}
