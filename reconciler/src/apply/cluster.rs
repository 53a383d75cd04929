//! Effects on Kubernetes.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{Secret, Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::scene::{ApplyError, Scene};
use crate::binding::{self, Binding, SecretData, secret_data};
use crate::cluster::ClusterError;
use crate::engine::{Dialect, Password, secret_type};
use crate::plan::{ClusterStep, SecretFact, Seen, ServicePlace};
use crate::tell;

pub(super) async fn apply(scene: &Scene<'_>, step: &ClusterStep) -> Result<(), ApplyError> {
    let object = &scene.observation.world.object;
    let cluster = &scene.context.cluster;
    match step {
        ClusterStep::AddFinalizer => cluster.set_finalizer(scene.object, true).await?,
        ClusterStep::RemoveFinalizer => cluster.set_finalizer(scene.object, false).await?,
        ClusterStep::CreateSecret { secret, user, dialect } => {
            cluster.create_secret(&new_secret(scene, secret, user, *dialect)).await?;
        }
        ClusterStep::RepairPassword { secret, user, database, dialect } => {
            let binding = Binding { user, database: database.as_deref(), ..Binding::default() };
            let password = Password::generate(&*scene.context.entropy);
            write_secret(scene, secret, &secret_data(*dialect, binding, &password)).await?;
        }
        ClusterStep::UpdateSecret { secret, data, renewal } => {
            if *renewal {
                // Its turn is over, whatever comes of it.
                scene.context.memory.update(&object.uid, |recollection| recollection.renewal = None);
            }
            write_secret(scene, secret, data).await?;
        }
        ClusterStep::DeleteSecret { secret, version } => {
            cluster.delete_secret(&object.namespace, secret, version).await?;
        }
        ClusterStep::CreateService { place, external_name, port, dialect } => {
            cluster.create_service(&new_service(scene, *place, external_name, *port, *dialect)).await?;
        }
        ClusterStep::UpdateService { place, external_name, port, dialect, version } => {
            let (namespace, name) = whereabouts(scene, *place);
            let service = new_service(scene, *place, external_name, *port, *dialect);
            cluster.update_service(&namespace, &name, version, &service).await?;
        }
        ClusterStep::DeleteService { place, version } => {
            let (namespace, name) = whereabouts(scene, *place);
            cluster.delete_service(&namespace, &name, version).await?;
        }
    }
    if let Some(notice) = tell::of_cluster(step, &object.name) {
        cluster.notify(scene.object, notice).await;
    }
    Ok(())
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
fn new_secret(scene: &Scene<'_>, name: &str, user: &str, dialect: &dyn Dialect) -> Secret {
    let password = Password::generate(&*scene.context.entropy);
    let data = secret_data(dialect, Binding { user, ..Binding::default() }, &password);
    Secret {
        metadata: metadata(scene, scene.observation.world.object.namespace.clone(), name.to_owned()),
        type_: Some(secret_type(dialect)),
        data: Some(data.0.into_iter().map(|(key, value)| (key, ByteString(value))).collect::<BTreeMap<_, _>>()),
        ..Secret::default()
    }
}

fn new_service(
    scene: &Scene<'_>,
    place: ServicePlace,
    external_name: &str,
    port: u16,
    dialect: &dyn Dialect,
) -> Service {
    let (namespace, name) = whereabouts(scene, place);
    let port =
        ServicePort { name: Some(dialect.binding_type().into()), port: i32::from(port), ..ServicePort::default() };
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
    let namespace = match place {
        ServicePlace::Own => object.namespace.clone(),
        ServicePlace::Alias => scene.context.settings.service_namespace.clone().unwrap_or_default(),
    };
    (namespace, place.service(&object.name))
}

/// Changes what differs, on what was read: a password that somebody changed meanwhile is never taken back.
async fn write_secret(scene: &Scene<'_>, name: &str, wanted: &SecretData) -> Result<(), ApplyError> {
    let world = &scene.observation.world;
    let Some(Seen::Known(SecretFact::Ours { data, version })) = world.secrets.get(name) else {
        return Err(ClusterError::Conflict(format!("Secret {name}")).into());
    };
    let change = data.change_to(wanted);
    Ok(scene.context.cluster.update_secret(&world.object.namespace, name, version, &change).await?)
}
