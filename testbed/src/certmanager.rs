//! cert-manager's own controllers and injector, beside the API server instead of in Pods: `certmanager/main.go` says which.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{
    controlplane::ControlPlane,
    go_programs,
    kubectl::Kubectl,
    process::{Process, Spec},
};

/// The folder with its `go.mod`, the program that is built from it, its namespace and its ServiceAccount's name in the audit log.
const NAME: &str = "certmanager";
const NAMESPACE: &str = "cert-manager";

/// It may do everything, as its own chart allows it for Secrets in all namespaces; what it does is not what is tried.
const RIGHTS: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: cert-manager}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: cert-manager, namespace: cert-manager}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: cert-manager}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: cert-manager, namespace: cert-manager}]
";

/// A running cert-manager. Dropping it kills it.
#[derive(Debug)]
pub struct CertManager {
    process: Process,
}

impl CertManager {
    /// Installs its CRDs and starts it, after building it where it is not there: some minutes the first time.
    ///
    /// # Errors
    /// When it cannot be built or installed.
    pub async fn start(plane: &ControlPlane, logs: &Path) -> Result<Self> {
        let programs = go_programs::build(NAME).await?;
        let kubectl = plane.kubectl();
        let crds = programs.join("crds");
        let crds = crds.to_str().context("the cache's path is not UTF-8")?;
        kubectl.ok(&["apply", "--server-side", "-f", crds]).await?;
        kubectl.ok(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]).await?;
        kubectl.apply(RIGHTS).await?;
        let kubeconfig = plane.service_account_kubeconfig(NAMESPACE, "cert-manager").await?;
        let spec = Spec::new(NAME, programs.join(NAME), logs).args(["--kubeconfig".as_ref(), kubeconfig.as_os_str()]);
        Ok(Self { process: Process::start(spec).await? })
    }

    /// Fails when it has ended, with the end of its log.
    ///
    /// # Errors
    /// When it is not running.
    pub fn check(&mut self) -> Result<()> {
        self.process.check()
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it cannot be ended.
    pub async fn stop(mut self) -> Result<()> {
        self.process.stop(Duration::from_secs(5)).await?;
        Ok(())
    }
}

/// A Certificate of the operator's namespace.
#[derive(Clone, Copy, Debug)]
pub struct Certificate<'a> {
    kubectl: &'a Kubectl,
    name: &'a str,
}

impl<'a> Certificate<'a> {
    /// The one of this name.
    pub fn new(kubectl: &'a Kubectl, name: &'a str) -> Self {
        Self { kubectl, name }
    }

    /// Which issuance it has; an error when it is not ready, or one is under way.
    ///
    /// # Errors
    /// Saying what it waits for.
    pub async fn revision(&self) -> Result<u64> {
        let found = self.read().await?;
        let condition = |kind: &str| {
            let mut all = found["status"]["conditions"].as_array().into_iter().flatten();
            all.find(|one| one["type"] == kind).cloned().unwrap_or_default()
        };
        let (ready, issuing) = (condition("Ready"), condition("Issuing"));
        ensure!(ready["status"] == "True" && issuing["status"] != "True", "{}: {ready} {issuing}", self.name);
        found["status"]["revision"].as_u64().context("no revision")
    }

    /// Asks for it to be issued anew, as `cmctl renew` does.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn renew(&self) -> Result<()> {
        let mut conditions = self.read().await?["status"]["conditions"].as_array().cloned().unwrap_or_default();
        conditions.retain(|condition| condition["type"] != "Issuing");
        conditions.push(json!({
            "type": "Issuing",
            "status": "True",
            "reason": "ManuallyTriggered",
            "message": "Certificate re-issuance manually triggered",
        }));
        let patch = json!({"status": {"conditions": conditions}}).to_string();
        let args = [
            "patch",
            "certificate",
            "-n",
            "rds-system",
            self.name,
            "--subresource=status",
            "--type=merge",
            "-p",
            &patch,
        ];
        self.kubectl.ok(&args).await?;
        Ok(())
    }

    async fn read(&self) -> Result<Value> {
        let text = self.kubectl.ok(&["get", "certificate", "-n", "rds-system", self.name, "-o", "json"]).await?;
        Ok(serde_json::from_str(&text)?)
    }
}
