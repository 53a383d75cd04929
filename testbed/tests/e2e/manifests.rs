//! `manifests/` against API servers that have never seen them.

mod chart;
mod guide;
mod handover;
mod monitoring;
mod rendered;
mod rights;
mod single_namespace;

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use tempfile::TempDir;
use testbed::{
    controlplane::{ControlPlane, Options},
    eventually::eventually,
    go_programs,
    kubectl::Kubectl,
    ports,
    process::{Process, Spec},
    stack::Programs,
};

use crate::{
    replica::page_of,
    world::{World, trial},
};

const MANIFESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests");

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "manifests::the_base_installs_at_the_first_try", the_base_installs_at_the_first_try),
        trial(world, "manifests::cert_manager_installs_at_the_first_try", cert_manager_installs_at_the_first_try),
        trial(world, "manifests::self_managed_installs_at_the_first_try", self_managed_installs_at_the_first_try),
        trial(world, "manifests::the_documented_overlay_is_good", guide::the_documented_overlay_is_good),
        trial(world, "manifests::the_examples_go_together", the_examples_go_together),
        trial(world, "manifests::one_namespace_is_enough", single_namespace::one_namespace_is_enough),
        trial(world, "monitoring::what_is_asked_for_is_there", monitoring::what_is_asked_for_is_there),
        trial(world, "monitoring::a_users_slip_pages_nobody_and_what_hangs_does", monitoring::alerts_fire_as_tested),
        trial(world, "chart::equals_the_overlays", chart::equals_the_overlays),
        trial(world, "chart::is_well_formed_and_refuses_mistakes", chart::is_well_formed_and_refuses_mistakes),
        trial(world, "chart::brings_about_no_unknown_flag", chart::brings_about_no_unknown_flag),
        trial(world, "chart::comes_and_goes_without_the_databases", chart::comes_and_goes_without_the_databases),
    ]
}

/// A control plane of a test's own, with nothing of ours in it.
struct Empty {
    plane: ControlPlane,
    dir: TempDir,
}

impl Empty {
    async fn start(world: &World) -> Result<Self> {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let options =
            Options { kubeconfig: dir.path().join("admin.kubeconfig"), logs: dir.path().join("logs"), audit: false };
        let plane = ControlPlane::start(world.binaries().await?, &dir.path().join("plane"), options).await?;
        Ok(Self { plane, dir })
    }

    async fn stop(self) -> Result<()> {
        self.plane.stop().await?;
        Ok(self.dir.close()?)
    }

    fn kubectl(&self) -> &Kubectl {
        self.plane.kubectl()
    }
}

/// As the documentation says: one command, no second try, no object of our own kinds before the CRDs are served.
async fn the_base_installs_at_the_first_try(world: &World) -> Result<()> {
    let kubectl = world.controlplane().await?.kubectl();
    install(kubectl, "base", &[]).await?;
    rights::people(kubectl).await?;
    rights::the_reconciler_has_its_lease(kubectl).await
}

async fn cert_manager_installs_at_the_first_try(world: &World) -> Result<()> {
    for how in [&[][..], &["--server-side"][..]] {
        let empty = Empty::start(world).await?;
        install_cert_manager_crds(empty.kubectl()).await?;
        install(empty.kubectl(), "overlays/cert-manager", how).await?;
        rights::pods_are_restricted(empty.kubectl(), "overlays/cert-manager").await?;
        rights::the_webhook_has_none(empty.kubectl()).await?;
        empty.stop().await?;
    }
    Ok(())
}

async fn self_managed_installs_at_the_first_try(world: &World) -> Result<()> {
    for how in [&[][..], &["--server-side"][..]] {
        let empty = Empty::start(world).await?;
        install(empty.kubectl(), "overlays/self-managed", how).await?;
        rights::pods_are_restricted(empty.kubectl(), "overlays/self-managed").await?;
        rights::the_webhook_has_its_own_names(empty.kubectl()).await?;
        what_the_webhook_writes_stays(&empty, how).await?;
        guide::the_documented_removal_leaves_nothing(empty.kubectl()).await?;
        empty.stop().await?;
    }
    Ok(())
}

/// What the overlay with cert-manager asks for.
async fn install_cert_manager_crds(kubectl: &Kubectl) -> Result<()> {
    install_crds(kubectl, &go_programs::build("certmanager").await?.join("crds")).await
}

/// What the component for monitoring asks for.
async fn install_monitoring_crds(kubectl: &Kubectl) -> Result<()> {
    let folder = go_programs::build("helm").await?.join("prometheus-operator-crds");
    for kind in ["servicemonitors", "prometheusrules"] {
        install_crds(kubectl, &folder.join(format!("monitoring.coreos.com_{kind}.yaml"))).await?;
    }
    Ok(())
}

async fn install_crds(kubectl: &Kubectl, path: &Path) -> Result<()> {
    let path = path.to_str().context("the cache's path is not UTF-8")?;
    kubectl.ok(&["apply", "--server-side", "-f", path]).await?;
    kubectl.ok(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]).await?;
    Ok(())
}

/// Applies a folder once; nothing may be warned of, and nothing may be left to apply.
async fn install(kubectl: &Kubectl, folder: &str, how: &[&str]) -> Result<()> {
    let folder = format!("{MANIFESTS}/{folder}");
    let mut apply = vec!["apply", "-k", &folder];
    apply.extend(how);
    let output = kubectl.run(&apply).await?;
    ensure!(output.success, "{}", output.stderr);
    ensure!(!output.stderr.contains("Warning:"), "{}", output.stderr);
    kubectl.ok(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]).await?;
    for name in ["rdsdatabases", "rds", "rdsdatabaseclasses"] {
        kubectl.ok(&["get", name]).await?;
    }
    // A controller may still be adding to what was applied, the aggregated roles for one.
    eventually(&format!("nothing left to apply of {folder}"), async || {
        let mut diff = vec!["diff", "-k", &folder];
        diff.extend(how);
        // 0 means no difference, 1 that there is one, more that it could not be told.
        let difference = kubectl.run(&diff).await?;
        ensure!(difference.success, "the API server holds something else: {}{}", difference.stdout, difference.stderr);
        Ok(())
    })
    .await
}

/// The webhook's own rights are enough, and whoever applies the overlay again takes away neither the authority nor what API servers trust it
/// by.
async fn what_the_webhook_writes_stays(empty: &Empty, how: &[&str]) -> Result<()> {
    let kubectl = empty.kubectl();
    let mut webhook = SelfManaged::start(empty).await?;
    let written = what_the_webhook_wrote(kubectl).await?;
    install(kubectl, "overlays/self-managed", how).await?;
    ensure!(what_the_webhook_wrote(kubectl).await? == written, "applying the overlay again took something away");
    webhook.process.check()?;
    let log = std::fs::read_to_string(webhook.process.log())?;
    ensure!(!log.contains("may not"), "it asked for more than it may: {log}");
    handover::others_are_trusted_and_injected_bundles_left_alone(kubectl, &webhook.process).await
}

/// The Secret's contents, and the caBundle of each webhook; each must be there.
async fn what_the_webhook_wrote(kubectl: &Kubectl) -> Result<Vec<String>> {
    let mut written = Vec::new();
    for (object, path) in [
        (&["secret", "-n", "rds-system", "rds-webhook-authority"][..], "jsonpath={.data}"),
        (&["mutatingwebhookconfiguration", "rds-webhook"], "jsonpath={.webhooks[*].clientConfig.caBundle}"),
        (&["validatingwebhookconfiguration", "rds-webhook"], "jsonpath={.webhooks[*].clientConfig.caBundle}"),
    ] {
        let found = kubectl.ok(&[&["get", "-o", path][..], object].concat()).await?;
        ensure!(!found.is_empty(), "{object:?} is empty");
        written.push(found);
    }
    Ok(written)
}

/// The webhook with the rights that `overlays/self-managed` gives it, on a control plane that has that overlay. Dropping it kills it.
struct SelfManaged {
    process: Process,
    admin: String,
}

impl SelfManaged {
    /// Starts it and waits until it is ready, which it is when API servers can trust it.
    async fn start(empty: &Empty) -> Result<Self> {
        let program = Programs::build().await?.reconciler().with_file_name("rds-webhook");
        let [port, admin] = ports::free()?;
        let kubeconfig = empty.plane.service_account_kubeconfig("rds-system", "rds-webhook").await?;
        let spec = Spec::new("self-managed", program, &empty.dir.path().join("logs"))
            .args(["--tls-source=self-managed", "--namespace=rds-system"])
            .args([format!("--listen=127.0.0.1:{port}"), format!("--admin-listen=127.0.0.1:{admin}")])
            .env("KUBECONFIG", kubeconfig);
        let process = Process::start(spec).await?;
        let webhook = Self { process, admin: format!("http://127.0.0.1:{admin}") };
        eventually("the self-managed webhook to be ready", async || {
            let (status, text) = page_of(&webhook.admin, "readyz").await?;
            ensure!(status == 200, "{status} {text}\n{}", webhook.process.log_tail(5));
            Ok(())
        })
        .await?;
        Ok(webhook)
    }
}

/// In one folder of a repository, as Flux and Argo CD build it: no object may be there twice.
async fn the_examples_go_together(world: &World) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let examples = format!("{MANIFESTS}/examples");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&examples)? {
        let entry = entry?;
        if entry.path().extension().is_some_and(|extension| extension == "yaml") {
            std::fs::copy(entry.path(), folder.path().join(entry.file_name()))?;
            names.push(entry.file_name().into_string().ok().context("an example's name is not UTF-8")?);
        }
    }
    let kustomization = serde_json::json!({"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
        "resources": names});
    std::fs::write(folder.path().join("kustomization.yaml"), kustomization.to_string())?;
    let kubectl = world.controlplane().await?.kubectl();
    let built = kubectl.ok(&["kustomize", folder.path().to_str().context("the folder's path is not UTF-8")?]).await?;
    let databases = rendered::objects(&built)?.into_keys().filter(|(kind, ..)| kind == "RDSDatabase").count();
    ensure!(databases == 2 && names.len() == 4, "{names:?} have {databases} databases");
    Ok(())
}
