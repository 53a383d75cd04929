//! Secrets and Services, told apart into ours and others'.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Secret, Service};
use kube::ResourceExt;
use kube::core::SelectorExt;
use shared::names;

use crate::binding::{self, SecretData};
use crate::cluster::{NamespaceFacts, Version};
use crate::context::Context;
use crate::engine::{Dialect, secret_type};
use crate::plan::{ObjectFacts, SecretFact, Seen, ServiceFact};
use crate::subject::{Subject, Target};

/// The Secrets that are wanted, and further ones marked as the object's. One that cannot be read is unknown, and hides no other.
pub(super) async fn secrets(
    context: &Context,
    object: &ObjectFacts,
    subject: &Subject,
) -> BTreeMap<String, Seen<SecretFact>> {
    // On the way out no Secret is touched.
    let Subject::Living(target) = subject else {
        return BTreeMap::new();
    };
    let found = match context.cluster.secrets_of(&object.namespace, &object.name).await {
        Ok(found) => found,
        Err(error) => {
            let unknown = |(secret, _)| (secret, Seen::Unknown(error.to_string()));
            return wanted(object, target).into_iter().map(unknown).collect();
        }
    };
    let mut secrets: BTreeMap<String, Secret> = found.into_iter().map(|secret| (secret.name_any(), secret)).collect();
    let mut seen = BTreeMap::new();
    for (secret, user) in wanted(object, target) {
        // One without our labels is not in the list and may be there all the same.
        let found = match secrets.remove(&secret) {
            Some(found) => Ok(Some(found)),
            None => context.cluster.secret(&object.namespace, &secret).await,
        };
        let fact = match found {
            Ok(Some(found)) => Seen::Known(secret_fact(target.dialect(), found, object, Some(&user))),
            Ok(None) => Seen::Absent,
            Err(error) => Seen::Unknown(error.to_string()),
        };
        seen.insert(secret, fact);
    }
    seen.extend(
        secrets
            .into_iter()
            .map(|(name, secret)| (name, Seen::Known(secret_fact(target.dialect(), secret, object, None)))),
    );
    seen
}

fn wanted(object: &ObjectFacts, target: &Target) -> Vec<(String, String)> {
    let master = (names::master_secret_name(&object.name), target.desired.master_user.to_string());
    let users = target.desired.users.keys().map(|user| (names::secret_name(&object.name, user), user.to_string()));
    std::iter::once(master).chain(users).collect()
}

/// What a Secret is to an object; `user` is whom it should be for, where it is a wanted one.
pub(crate) fn secret_fact(
    dialect: &dyn Dialect,
    secret: Secret,
    object: &ObjectFacts,
    user: Option<&str>,
) -> SecretFact {
    let foreign = |why: String| SecretFact::Foreign { why };
    let (labels, annotations) = (secret.metadata.labels.as_ref(), secret.metadata.annotations.as_ref());
    if !binding::is_ours(labels, annotations, &object.namespace, &object.name) {
        return foreign("it is not marked as this object's".into());
    }
    if secret.type_.as_deref() != Some(&secret_type(dialect)) {
        return foreign(format!(
            "its type is {}, not {}",
            secret.type_.as_deref().unwrap_or("Opaque"),
            secret_type(dialect)
        ));
    }
    let version = Version::of(&secret.metadata);
    let data = SecretData(secret.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0)).collect());
    match (user, data.text("username")) {
        (Some(user), Some(found)) if user != found => foreign(format!("it is for the user {found}, not {user}")),
        _ => SecretFact::Ours { data, version },
    }
}

/// The Service beside the object.
pub(super) async fn service(context: &Context, object: &ObjectFacts) -> Seen<ServiceFact> {
    look(context, object, &object.namespace, &names::service_name(&object.name)).await
}

/// The alias in the shared namespace, where this object may have one.
pub(super) async fn alias(
    context: &Context,
    object: &ObjectFacts,
    namespace: &NamespaceFacts,
) -> Option<Seen<ServiceFact>> {
    let shared = context.settings.service_namespace.as_ref()?;
    let permitted =
        context.settings.alias_namespaces.as_ref().is_none_or(|selector| selector.matches(&namespace.labels));
    // One that was made under a wider selector is still taken back when the object goes.
    if !permitted && !object.deleting {
        return None;
    }
    Some(look(context, object, shared, &names::alias_service_name(&object.name)).await)
}

async fn look(context: &Context, object: &ObjectFacts, namespace: &str, name: &str) -> Seen<ServiceFact> {
    match context.cluster.service(namespace, name).await {
        Ok(Some(found)) => Seen::Known(service_fact(&found, object)),
        Ok(None) => Seen::Absent,
        Err(error) => Seen::Unknown(error.to_string()),
    }
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
        version: Version::of(&service.metadata),
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
