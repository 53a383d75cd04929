//! `manifests/` as they are shipped, and the Pods that they ask for.

use std::path::Path;

use anyhow::{Context, Result};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use k8s_openapi::api::apps::v1::Deployment;
use serde::{Deserialize as _, de::DeserializeOwned};
use serde_yaml_ng::Value;

use super::WORKSPACE;
use crate::{kubectl::Kubectl, kubelet::Pod};

/// The overlay for services that run beside the control plane: without their Deployments, which nobody would act on.
pub const LOCAL: &str = "manifests/overlays/local";

/// The overlay with cert-manager.
pub const CERT_MANAGER: &str = "manifests/overlays/cert-manager";

/// The overlay whose webhook makes its own certificates.
pub const SELF_MANAGED: &str = "manifests/overlays/self-managed";

/// What `kubectl kustomize` makes of an overlay.
#[derive(Clone, Debug)]
pub struct Manifests(Vec<Value>);

impl Manifests {
    /// Renders an overlay, which is named from the workspace's root.
    ///
    /// # Errors
    /// When kubectl cannot render it.
    pub async fn render(kubectl: &Kubectl, overlay: &str) -> Result<Self> {
        let overlay = Path::new(WORKSPACE).join(overlay);
        let overlay = overlay.to_str().context("the workspace's path is not UTF-8")?;
        Self::parse(&kubectl.ok(&["kustomize", overlay]).await?)
    }

    fn parse(text: &str) -> Result<Self> {
        let documents = serde_yaml_ng::Deserializer::from_str(text).map(Value::deserialize);
        Ok(Self(documents.collect::<Result<_, _>>().context("rendered manifests that are no YAML")?))
    }

    /// The Pod that the Deployment of this name asks for.
    ///
    /// # Errors
    /// When there is no such Deployment, or it asks for what the test bed does not play.
    pub fn pod(&self, deployment: &str) -> Result<Pod> {
        let deployment: Deployment = self.object("Deployment", deployment)?;
        let template = deployment.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
        let account = template.and_then(|spec| spec.service_account_name.as_deref()).unwrap_or_default();
        Pod::new(&deployment, &self.object("ServiceAccount", account)?)
    }

    /// How many Pods the Deployment of this name asks for.
    ///
    /// # Errors
    /// When there is no such Deployment.
    pub fn replicas(&self, deployment: &str) -> Result<usize> {
        let deployment: Deployment = self.object("Deployment", deployment)?;
        Ok(usize::try_from(deployment.spec.and_then(|spec| spec.replicas).unwrap_or(1))?)
    }

    /// Whether there is anything in them that cert-manager acts on.
    pub fn needs_cert_manager(&self) -> bool {
        let group = |object: &Value| {
            object["apiVersion"].as_str().is_some_and(|version| version.starts_with("cert-manager.io/"))
        };
        self.0.iter().any(group)
    }

    fn object<T: DeserializeOwned>(&self, kind: &str, name: &str) -> Result<T> {
        let wanted = |object: &&Value| object["kind"] == kind && object["metadata"]["name"] == name;
        let found = self.0.iter().find(wanted).with_context(|| format!("the manifests have no {kind} {name}"))?;
        T::deserialize(found).with_context(|| format!("the {kind} {name}"))
    }

    /// All but the webhook configurations: what must be there before the services can run.
    ///
    /// # Errors
    /// When the objects cannot be written as YAML.
    pub fn without_registrations(&self) -> Result<String> {
        Self::to_yaml(self.0.iter().filter(|object| !is_registration(object)))
    }

    /// The CRDs alone.
    ///
    /// # Errors
    /// When the objects cannot be written as YAML.
    pub fn crds(&self) -> Result<String> {
        Self::to_yaml(self.0.iter().filter(|object| object["kind"] == "CustomResourceDefinition"))
    }

    /// The namespaces alone.
    ///
    /// # Errors
    /// When the objects cannot be written as YAML.
    pub fn namespaces(&self) -> Result<String> {
        Self::to_yaml(self.0.iter().filter(|object| object["kind"] == "Namespace"))
    }

    /// What the API server judges by itself, without a webhook.
    ///
    /// # Errors
    /// When the objects cannot be written as YAML.
    pub fn policies(&self) -> Result<String> {
        let is_policy = |kind: &str| kind.starts_with("ValidatingAdmissionPolicy");
        Self::to_yaml(self.0.iter().filter(|object| object["kind"].as_str().is_some_and(is_policy)))
    }

    /// The webhook configurations, with the CA that the API server shall trust: to be applied when the webhook answers.
    ///
    /// # Errors
    /// When the objects cannot be written as YAML.
    pub fn registrations(&self, ca: &str) -> Result<String> {
        let bundle = BASE64_STANDARD.encode(ca);
        let mut registrations: Vec<Value> = self.0.iter().filter(|object| is_registration(object)).cloned().collect();
        for registration in &mut registrations {
            for webhook in registration["webhooks"].as_sequence_mut().into_iter().flatten() {
                webhook["clientConfig"]["caBundle"] = Value::from(bundle.as_str());
            }
        }
        Self::to_yaml(&registrations)
    }

    fn to_yaml<'a>(objects: impl IntoIterator<Item = &'a Value>) -> Result<String> {
        let documents: Vec<String> =
            objects.into_iter().map(serde_yaml_ng::to_string).collect::<Result<_, _>>().context("writing manifests")?;
        Ok(documents.join("---\n"))
    }
}

fn is_registration(object: &Value) -> bool {
    object["kind"].as_str().is_some_and(|kind| kind.ends_with("WebhookConfiguration"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RENDERED: &str = "\
kind: CustomResourceDefinition
metadata: {name: things}
---
kind: Service
metadata: {name: rds-webhook}
---
kind: ValidatingWebhookConfiguration
metadata: {name: rds-webhook}
webhooks:
- name: a
  clientConfig: {service: {name: rds-webhook}}
- name: b
  clientConfig: {service: {name: rds-webhook}}
";

    #[test]
    fn registrations_get_the_ca_and_wait_for_the_rest() {
        let manifests = Manifests::parse(RENDERED).unwrap();
        let first = Manifests::parse(&manifests.without_registrations().unwrap()).unwrap();
        let kinds: Vec<_> = first.0.iter().map(|object| object["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["CustomResourceDefinition", "Service"]);

        let then = Manifests::parse(&manifests.registrations("a certificate").unwrap()).unwrap();
        let [configuration] = then.0.as_slice() else { panic!("{then:?}") };
        for webhook in configuration["webhooks"].as_sequence().unwrap() {
            assert_eq!(webhook["clientConfig"]["caBundle"], "YSBjZXJ0aWZpY2F0ZQ==");
            assert_eq!(webhook["clientConfig"]["service"]["name"], "rds-webhook");
        }
    }
}
