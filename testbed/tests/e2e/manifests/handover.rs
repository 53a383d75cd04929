//! From the webhook's own certificates to cert-manager's, as far as it is the webhook's part.

use anyhow::{Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use serde_json::json;
use testbed::eventually::eventually;
use testbed::kubectl::Kubectl;
use testbed::process::Process;

/// `docs/install.md`, from self-managed to cert-manager: whom the Secret names as a former authority is trusted before anyone serves by it,
/// and an annotated configuration is cert-manager's.
pub(super) async fn others_are_trusted_and_injected_bundles_left_alone(
    kubectl: &Kubectl,
    webhook: &Process,
) -> Result<()> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let theirs = params.self_signed(&key)?.pem();
    let data = json!({"data": {"previous.crt": STANDARD.encode(&theirs)}}).to_string();
    kubectl.ok(&["patch", "secret", "-n", "rds-system", "rds-webhook-authority", "--type=merge", "-p", &data]).await?;
    let configurations = ["mutatingwebhookconfiguration", "validatingwebhookconfiguration"];
    for kind in configurations {
        eventually("both authorities to be trusted", async || {
            let bundle = bundle(kubectl, kind).await?;
            ensure!(bundle.contains(&theirs) && bundle.matches("BEGIN").count() == 2, "{kind}: {bundle}");
            Ok(())
        })
        .await?;
    }
    for kind in configurations {
        kubectl.ok(&["annotate", kind, "rds-webhook", "cert-manager.io/inject-ca-from=rds-system/rds-webhook"]).await?;
        let injected =
            json!([{"op": "replace", "path": "/webhooks/0/clientConfig/caBundle", "value": STANDARD.encode(&theirs)}]);
        kubectl.ok(&["patch", kind, "rds-webhook", "--type=json", "-p", &injected.to_string()]).await?;
    }
    eventually("the webhook to say that it leaves them alone", async || {
        let log = std::fs::read_to_string(webhook.log())?;
        for kind in ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] {
            let said = format!("{kind} is annotated with cert-manager.io/inject-ca-from");
            ensure!(log.contains(&said), "{log}");
        }
        Ok(())
    })
    .await?;
    for kind in configurations {
        let bundle = bundle(kubectl, kind).await?;
        ensure!(bundle == theirs, "{kind}: {bundle}");
    }
    Ok(())
}

/// The caBundle of the first webhook of a configuration, as PEM.
async fn bundle(kubectl: &Kubectl, kind: &str) -> Result<String> {
    let path = "jsonpath={.webhooks[0].clientConfig.caBundle}";
    let encoded = kubectl.ok(&["get", kind, "rds-webhook", "-o", path]).await?;
    Ok(String::from_utf8(STANDARD.decode(encoded.trim())?)?)
}
