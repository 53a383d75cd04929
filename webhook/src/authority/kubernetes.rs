//! The port on a real API server.

use std::collections::BTreeMap;
use std::env;
use std::future::Future;
use std::time::Duration;

use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration, WebhookClientConfig,
};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, Patch, PatchParams};
use kube::config::KubeConfigOptions;
use kube::{Client, Config, ResourceExt};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::Cluster;
use super::cluster::{ClusterError, Registered, Registrar, Registration, Stored};

/// Who writes, in `managedFields`.
const MANAGER: &str = "rds-webhook";

/// Longest wait for an answer.
const LIMIT: Duration = Duration::from_secs(10);

/// Where the objects lie.
#[derive(Debug, Clone)]
pub struct Names {
    /// Namespace of the Secret and of the Service.
    pub namespace: String,
    /// The Service.
    pub service: String,
    /// The Secret.
    pub secret: String,
    /// Both webhook configurations.
    pub configuration: String,
}

/// Why there is no API server to talk to.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// `KUBECONFIG` is set and leads nowhere.
    #[error("KUBECONFIG={path:?} cannot be used")]
    Kubeconfig {
        /// What it is set to.
        path: String,
        /// Why not.
        source: Box<kube::config::KubeconfigError>,
    },
    /// Not in a Pod, or in one without a token.
    #[error(
        "--tls-source=self-managed needs an API server: neither KUBECONFIG is set, nor is this a Pod with a ServiceAccount's token"
    )]
    InCluster(#[source] kube::config::InClusterError),
    /// The client cannot be made.
    #[error("cannot make a client for the API server")]
    Client(#[source] Box<kube::Error>),
}

/// A real API server.
#[derive(Clone)]
pub struct Kubernetes {
    client: Client,
    names: Names,
}

impl Kubernetes {
    /// A client by `KUBECONFIG`, where it is set, or by the Pod's ServiceAccount. Nothing is asked yet.
    ///
    /// # Errors
    /// When there is neither.
    pub async fn connect(names: Names) -> Result<Self, ConnectError> {
        let mut config = match env::var("KUBECONFIG") {
            Ok(path) if !path.is_empty() => Config::from_kubeconfig(&KubeConfigOptions::default())
                .await
                .map_err(|source| ConnectError::Kubeconfig { path, source: Box::new(source) })?,
            _ => Config::incluster().map_err(ConnectError::InCluster)?,
        };
        config.connect_timeout = Some(LIMIT);
        config.read_timeout = Some(LIMIT);
        config.write_timeout = Some(LIMIT);
        // Whoever asks comes again by itself.
        config.default_retry = false;
        let client = Client::try_from(config).map_err(|source| ConnectError::Client(Box::new(source)))?;
        Ok(Self { client, names })
    }

    fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &self.names.namespace)
    }

    fn secret_name(&self) -> String {
        format!("Secret {}/{}", self.names.namespace, self.names.secret)
    }

    fn configuration_name(&self, registrar: Registrar) -> String {
        format!("{registrar} {}", self.names.configuration)
    }

    /// A webhook of a configuration, where it leads to our Service.
    fn ours(&self, name: String, client: WebhookClientConfig) -> Option<Registered> {
        let service = client.service?;
        let ours = service.name == self.names.service && service.namespace == self.names.namespace;
        ours.then(|| Registered { name, bundle: client.ca_bundle.unwrap_or_default().0 })
    }
}

impl Cluster for Kubernetes {
    async fn secret(&self) -> Result<Stored, ClusterError> {
        let read = ask("get", &self.secret_name(), self.secrets().get_opt(&self.names.secret)).await?;
        let secret =
            read.ok_or_else(|| ClusterError::Missing { object: self.secret_name(), flag: "--authority-secret" })?;
        let version = secret.resource_version().unwrap_or_default();
        let data = secret.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0)).collect();
        Ok(Stored { version, data })
    }

    async fn amend(&self, version: &str, data: BTreeMap<&'static str, Option<String>>) -> Result<String, ClusterError> {
        let data: BTreeMap<_, _> =
            data.into_iter().map(|(key, value)| (key, value.map(|value| ByteString(value.into_bytes())))).collect();
        let patch = Patch::Merge(json!({"metadata": {"resourceVersion": version}, "data": data}));
        let (secrets, params) =
            (self.secrets(), PatchParams { field_manager: Some(MANAGER.into()), ..Default::default() });
        let written = ask("patch", &self.secret_name(), secrets.patch(&self.names.secret, &params, &patch)).await?;
        Ok(written.resource_version().unwrap_or_default())
    }

    async fn registration(&self, registrar: Registrar) -> Result<Option<Registration>, ClusterError> {
        let (name, object) = (&self.names.configuration, self.configuration_name(registrar));
        let (version, webhooks): (_, Vec<_>) = match registrar {
            Registrar::Mutating => {
                let api: Api<MutatingWebhookConfiguration> = Api::all(self.client.clone());
                let Some(read) = ask("get", &object, api.get_opt(name)).await? else { return Ok(None) };
                let webhooks = read.webhooks.into_iter().flatten();
                (read.metadata.resource_version, webhooks.map(|each| (each.name, each.client_config)).collect())
            }
            Registrar::Validating => {
                let api: Api<ValidatingWebhookConfiguration> = Api::all(self.client.clone());
                let Some(read) = ask("get", &object, api.get_opt(name)).await? else { return Ok(None) };
                let webhooks = read.webhooks.into_iter().flatten();
                (read.metadata.resource_version, webhooks.map(|each| (each.name, each.client_config)).collect())
            }
        };
        let webhooks = webhooks.into_iter().filter_map(|(name, client)| self.ours(name, client)).collect();
        Ok(Some(Registration { version: version.unwrap_or_default(), webhooks }))
    }

    async fn publish(&self, registrar: Registrar, read: &Registration, bundle: &str) -> Result<String, ClusterError> {
        let bundle = ByteString(bundle.as_bytes().to_vec());
        // Webhooks are merged by their names: whatever else they hold is left alone.
        let webhooks: Vec<Value> = read
            .webhooks
            .iter()
            .map(|webhook| json!({"name": webhook.name, "clientConfig": {"caBundle": bundle}}))
            .collect();
        let patch = Patch::Strategic(json!({"metadata": {"resourceVersion": read.version}, "webhooks": webhooks}));
        let (name, object) = (&self.names.configuration, self.configuration_name(registrar));
        let params = PatchParams { field_manager: Some(MANAGER.into()), ..Default::default() };
        let version = match registrar {
            Registrar::Mutating => {
                let api: Api<MutatingWebhookConfiguration> = Api::all(self.client.clone());
                ask("patch", &object, api.patch(name, &params, &patch)).await?.metadata.resource_version
            }
            Registrar::Validating => {
                let api: Api<ValidatingWebhookConfiguration> = Api::all(self.client.clone());
                ask("patch", &object, api.patch(name, &params, &patch)).await?.metadata.resource_version
            }
        };
        Ok(version.unwrap_or_default())
    }
}

async fn ask<T>(
    verb: &'static str,
    object: &str,
    call: impl Future<Output = kube::Result<T>>,
) -> Result<T, ClusterError> {
    let object = object.to_owned();
    match timeout(LIMIT, call).await {
        Err(_) => Err(ClusterError::TooSlow { verb, object, limit: LIMIT }),
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(kube::Error::Api(status))) => Err(match status.code {
            401 => ClusterError::Unauthorized { object },
            403 => ClusterError::Forbidden { verb, object },
            409 => ClusterError::Conflict { object },
            _ => ClusterError::Refused { verb, object, why: status.message },
        }),
        Ok(Err(error)) => Err(ClusterError::Unreachable { verb, object, why: root(&error).to_string() }),
    }
}

/// What is at the bottom of an error: the layers above it only say that a request failed.
fn root<'a>(error: &'a (dyn std::error::Error + 'static)) -> &'a (dyn std::error::Error + 'static) {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    root
}
