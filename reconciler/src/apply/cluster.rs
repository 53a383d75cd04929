//! Effects on Kubernetes.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{Secret, Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use shared::names;

use super::{ApplyError, Scene};
use crate::binding::{self, Binding, secret_data};
use crate::cluster::{ClusterError, Notice};
use crate::engine::Password;
use crate::plan::{ClusterStep, SecretFact, Seen, ServiceFact, ServicePlace};

pub(super) async fn apply(scene: &Scene<'_>, step: &ClusterStep) -> Result<(), ApplyError> {
    let object = &scene.observation.world.object;
    let cluster = &scene.context.cluster;
    match step {
        ClusterStep::AddFinalizer => cluster.set_finalizer(scene.object, true).await?,
        ClusterStep::RemoveFinalizer => {
            cluster.set_finalizer(scene.object, false).await?;
            scene.context.memory.forget(&object.uid);
        }
        ClusterStep::Pin => {}
        ClusterStep::CreateSecret { secret, user } => {
            cluster.create_secret(&new_secret(scene, secret, user)).await?;
            tell(scene, "SecretCreated", "CreateSecret", format!("Secret {secret} for the user {user}")).await;
        }
        ClusterStep::RepairPassword { secret, user } => {
            let data = secret_data(Binding { user, endpoint: None, databases: &[] }, &Password::generate());
            cluster.update_secret(&object.namespace, secret, &secret_uid(scene, secret)?, &data.0).await?;
            tell(
                scene,
                "PasswordRenewed",
                "RepairSecret",
                format!("Secret {secret} had lost its password and has a new one"),
            )
            .await;
        }
        ClusterStep::UpdateSecret { secret, data } => {
            cluster.update_secret(&object.namespace, secret, &secret_uid(scene, secret)?, &data.0).await?;
            tell(
                scene,
                "SecretUpdated",
                "UpdateSecret",
                format!("Secret {secret} follows the endpoint and the databases"),
            )
            .await;
        }
        ClusterStep::DeleteSecret { secret, uid } => {
            cluster.delete_secret(&object.namespace, secret, uid).await?;
            tell(scene, "SecretDeleted", "DeleteSecret", format!("Secret {secret}: its user left the spec")).await;
        }
        ClusterStep::CreateService { place, external_name, port } => {
            let service = new_service(scene, *place, external_name, *port);
            let name = service.metadata.name.clone().unwrap_or_default();
            cluster.create_service(&service).await?;
            tell(scene, "ServiceCreated", "CreateService", format!("Service {name} leads to {external_name}")).await;
        }
        ClusterStep::UpdateService { place, external_name, port } => {
            let (namespace, name) = whereabouts(scene, *place);
            let service = new_service(scene, *place, external_name, *port);
            cluster.update_service(&namespace, &name, &service_uid(scene, *place)?, &service).await?;
            tell(scene, "ServiceUpdated", "UpdateService", format!("Service {name} leads to {external_name} now"))
                .await;
        }
        ClusterStep::DeleteService { place, uid } => {
            let (namespace, name) = whereabouts(scene, *place);
            cluster.delete_service(&namespace, &name, uid).await?;
            tell(scene, "ServiceDeleted", "DeleteService", format!("Service {name}")).await;
        }
    }
    Ok(())
}

async fn tell(scene: &Scene<'_>, reason: &str, action: &str, note: String) {
    let notice = Notice { warning: false, reason: reason.into(), action: action.into(), note };
    scene.context.cluster.notify(scene.object, notice).await;
}

fn metadata(scene: &Scene<'_>, namespace: String, name: String) -> ObjectMeta {
    let object = &scene.observation.world.object;
    ObjectMeta {
        namespace: Some(namespace),
        name: Some(name),
        labels: Some(binding::labels(&object.name)),
        annotations: Some(binding::annotations(&object.namespace, &object.name)),
        ..ObjectMeta::default()
    }
}

/// No owner reference: the Secret outlives the object, so that its final snapshot can be opened again.
fn new_secret(scene: &Scene<'_>, name: &str, user: &str) -> Secret {
    let data = secret_data(Binding { user, endpoint: None, databases: &[] }, &Password::generate());
    Secret {
        metadata: metadata(scene, scene.observation.world.object.namespace.clone(), name.to_owned()),
        type_: Some(binding::secret_type()),
        data: Some(data.0.into_iter().map(|(key, value)| (key, ByteString(value))).collect::<BTreeMap<_, _>>()),
        ..Secret::default()
    }
}

fn new_service(scene: &Scene<'_>, place: ServicePlace, external_name: &str, port: u16) -> Service {
    let (namespace, name) = whereabouts(scene, place);
    let port = ServicePort { name: Some(binding::POSTGRESQL.into()), port: i32::from(port), ..ServicePort::default() };
    let spec = ServiceSpec {
        type_: Some("ExternalName".into()),
        external_name: Some(external_name.to_owned()),
        ports: Some(vec![port]),
        ..ServiceSpec::default()
    };
    Service { metadata: metadata(scene, namespace, name), spec: Some(spec), ..Service::default() }
}

fn whereabouts(scene: &Scene<'_>, place: ServicePlace) -> (String, String) {
    let object = &scene.observation.world.object;
    match place {
        ServicePlace::Own => (object.namespace.clone(), names::service_name(&object.name)),
        ServicePlace::Alias => (
            scene.context.settings.service_namespace.clone().unwrap_or_default(),
            names::alias_service_name(&object.name),
        ),
    }
}

fn secret_uid(scene: &Scene<'_>, name: &str) -> Result<String, ApplyError> {
    match scene.observation.world.secrets.get(name) {
        Some(Seen::Known(SecretFact::Ours { uid, .. })) => Ok(uid.clone()),
        _ => Err(ClusterError::Conflict(format!("Secret {name}")).into()),
    }
}

fn service_uid(scene: &Scene<'_>, place: ServicePlace) -> Result<String, ApplyError> {
    let world = &scene.observation.world;
    let seen = match place {
        ServicePlace::Own => Some(&world.service),
        ServicePlace::Alias => world.alias.as_ref(),
    };
    match seen {
        Some(Seen::Known(ServiceFact::Ours { uid, .. })) => Ok(uid.clone()),
        _ => Err(ApplyError::Inconsistent("UpdateService")),
    }
}
