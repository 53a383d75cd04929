//! The port on a real API server.

use std::collections::BTreeMap;
use std::env;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::header::{DATE, HeaderMap};
use hyper::{Request, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use k8s_openapi::ByteString;
use kube::api::{GetParams, Patch, PatchParams};
use kube::client::Body;
use kube::config::KubeConfigOptions;
use kube::core::{self, Status};
use kube::{Client, Config};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::cluster::{Cluster, ClusterError, Registered, Registrar, Registration, Stored};

/// Who writes, in `managedFields`.
const MANAGER: &str = "rds-webhook";

/// Annotations that ask cert-manager to write caBundles begin so: `inject-ca-from`, `inject-ca-from-secret`, `inject-apiserver-ca`.
const INJECTED: &str = "cert-manager.io/inject-";

/// Longest wait for an answer.
const LIMIT: Duration = Duration::from_secs(10);

/// Where the objects lie.
#[derive(Clone, Debug)]
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

/// A real API server. Requests are written out, for what the typed ones do not give: when the API server answered, by its own clock.
#[derive(Clone)]
pub struct Kubernetes {
    client: Client,
    names: Names,
}

/// What is read of a Secret and of webhook configurations.
#[derive(Deserialize)]
struct Object {
    metadata: Metadata,
    #[serde(default)]
    data: Option<BTreeMap<String, ByteString>>,
    #[serde(default)]
    webhooks: Option<Vec<Webhook>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    resource_version: String,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Webhook {
    name: String,
    client_config: ClientConfig,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientConfig {
    service: Option<Service>,
    ca_bundle: Option<ByteString>,
}

#[derive(Deserialize)]
struct Service {
    name: String,
    namespace: String,
}

/// An answer of the API server.
struct Answer {
    object: Object,
    time: Option<Timestamp>,
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
        Ok(Self::new(client, names))
    }

    /// What `client` leads to.
    pub fn new(client: Client, names: Names) -> Self {
        Self { client, names }
    }

    fn secrets(&self) -> core::Request {
        core::Request::new(format!("/api/v1/namespaces/{}/secrets", self.names.namespace))
    }

    fn secret_name(&self) -> String {
        format!("Secret {}/{}", self.names.namespace, self.names.secret)
    }

    fn no_secret(&self) -> ClusterError {
        ClusterError::Missing { object: self.secret_name(), flag: "--authority-secret" }
    }

    fn configuration_name(&self, registrar: Registrar) -> String {
        format!("{registrar} {}", self.names.configuration)
    }

    /// A webhook of a configuration, where it leads to our Service.
    fn ours(&self, webhook: Webhook) -> Option<Registered> {
        let Webhook { name, client_config: ClientConfig { service, ca_bundle } } = webhook;
        let service = service?;
        let ours = service.name == self.names.service && service.namespace == self.names.namespace;
        ours.then(|| Registered { name, bundle: ca_bundle.unwrap_or_default().0 })
    }

    async fn get(&self, requests: &core::Request, name: &str, object: &str) -> Result<Option<Answer>, ClusterError> {
        self.ask("get", object, requests.get(name, &GetParams::default())).await
    }

    /// Changes an object, and gives its new version; none where it is not there.
    async fn patch<T: Serialize>(
        &self,
        requests: &core::Request,
        name: &str,
        object: &str,
        patch: &Patch<T>,
    ) -> Result<Option<String>, ClusterError> {
        let params = PatchParams { field_manager: Some(MANAGER.into()), ..Default::default() };
        let answer = self.ask("patch", object, requests.patch(name, &params, patch)).await?;
        Ok(answer.map(|answer| answer.object.metadata.resource_version))
    }

    /// Asks, and reads the answer; none where there is no such object.
    async fn ask(
        &self,
        verb: &'static str,
        object: &str,
        request: Result<Request<Vec<u8>>, core::request::Error>,
    ) -> Result<Option<Answer>, ClusterError> {
        let object = object.to_owned();
        let request = request.map_err(|error| ClusterError::Refused {
            verb,
            object: object.clone(),
            why: root(&error).to_string(),
        })?;
        let call = async {
            let answer = self.client.send(request.map(Body::from)).await?;
            let (code, time) = (answer.status(), date(answer.headers()));
            Ok::<_, kube::Error>((code, time, answer.into_body().collect().await?.to_bytes()))
        };
        let (code, time, body) = match timeout(LIMIT, call).await {
            Err(_) => return Err(ClusterError::TooSlow { verb, object, limit: LIMIT }),
            Ok(Err(error)) => {
                return Err(ClusterError::Unreachable { verb, object, why: root(&error).to_string() });
            }
            Ok(Ok(answer)) => answer,
        };
        match code {
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::UNAUTHORIZED => Err(ClusterError::Unauthorized { object }),
            StatusCode::FORBIDDEN => Err(ClusterError::Forbidden { verb, object }),
            StatusCode::CONFLICT => Err(ClusterError::Conflict { object }),
            code if code.is_success() => {
                // What is wrong with it is not said: it may hold a key.
                let unreadable = |_| ClusterError::Refused { verb, object, why: "the answer is no such object".into() };
                Ok(Some(Answer { object: serde_json::from_slice(&body).map_err(unreadable)?, time }))
            }
            code => {
                let status = serde_json::from_slice(&body).map(|status: Status| status.message);
                Err(ClusterError::Refused { verb, object, why: status.unwrap_or_else(|_| code.to_string()) })
            }
        }
    }
}

fn configurations(registrar: Registrar) -> core::Request {
    let plural = match registrar {
        Registrar::Mutating => "mutatingwebhookconfigurations",
        Registrar::Validating => "validatingwebhookconfigurations",
    };
    core::Request::new(format!("/apis/admissionregistration.k8s.io/v1/{plural}"))
}

impl Cluster for Kubernetes {
    async fn secret(&self) -> Result<Stored, ClusterError> {
        let read = self.get(&self.secrets(), &self.names.secret, &self.secret_name()).await?;
        let Answer { object, time } = read.ok_or_else(|| self.no_secret())?;
        let data = object.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0)).collect();
        Ok(Stored { version: object.metadata.resource_version, time, data })
    }

    async fn amend(&self, version: &str, data: BTreeMap<&'static str, Option<String>>) -> Result<String, ClusterError> {
        let data: BTreeMap<_, _> =
            data.into_iter().map(|(key, value)| (key, value.map(|value| ByteString(value.into_bytes())))).collect();
        let patch = Patch::Merge(json!({"metadata": {"resourceVersion": version}, "data": data}));
        let version = self.patch(&self.secrets(), &self.names.secret, &self.secret_name(), &patch).await?;
        version.ok_or_else(|| self.no_secret())
    }

    async fn registration(&self, registrar: Registrar) -> Result<Option<Registration>, ClusterError> {
        let (requests, object) = (configurations(registrar), self.configuration_name(registrar));
        let Some(Answer { object, .. }) = self.get(&requests, &self.names.configuration, &object).await? else {
            return Ok(None);
        };
        let webhooks = object.webhooks.into_iter().flatten().filter_map(|webhook| self.ours(webhook)).collect();
        let mut annotations = object.metadata.annotations.into_iter().flatten().map(|(key, _)| key);
        let injected = annotations.find(|key| key.starts_with(INJECTED));
        Ok(Some(Registration { version: object.metadata.resource_version, injected, webhooks }))
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
        let (requests, object) = (configurations(registrar), self.configuration_name(registrar));
        let version = self.patch(&requests, &self.names.configuration, &object, &patch).await?;
        version.ok_or(ClusterError::Missing { object, flag: "--webhook-configuration" })
    }
}

/// When an answer was given, by the clock of the API server.
fn date(headers: &HeaderMap) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(headers.get(DATE)?).ok()
}

/// What is at the bottom of an error: the layers above it only say that a request failed.
fn root<'a>(error: &'a (dyn std::error::Error + 'static)) -> &'a (dyn std::error::Error + 'static) {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    root
}
