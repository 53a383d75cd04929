//! Who the API server is to webhooks: it shows a client certificate to those that ask for one.
//!
//! The files are those of Kubernetes' documentation ("Authenticate API servers"): an AdmissionConfiguration that names a kubeconfig, whose
//! users are named after the hosts of webhooks.

use std::path::Path;

use anyhow::Result;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;

use super::pki::Identity;

/// The `--admission-control-config-file`.
pub(super) fn configuration(credentials: &Path) -> String {
    let plugin = |name: &str| {
        json!({
            "name": name,
            "configuration": {
                "apiVersion": "apiserver.config.k8s.io/v1",
                "kind": "WebhookAdmissionConfiguration",
                "kubeConfigFile": credentials,
            },
        })
    };
    let plugins = [plugin("MutatingAdmissionWebhook"), plugin("ValidatingAdmissionWebhook")];
    json!({"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AdmissionConfiguration", "plugins": plugins})
        .to_string()
}

/// The kubeconfig that it names. The port is a part of a host's name unless it is 443.
pub(super) fn credentials(identity: &Identity) -> Result<String> {
    let user = json!({
        "client-certificate-data": BASE64_STANDARD.encode(&identity.certificate),
        "client-key-data": BASE64_STANDARD.encode(&identity.key),
    });
    let users = [json!({"name": "rds-webhook.rds-system.svc:8443", "user": user})];
    Ok(serde_yaml_ng::to_string(&json!({"apiVersion": "v1", "kind": "Config", "users": users}))?)
}
