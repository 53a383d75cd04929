//! `manifests/` against API servers that have never seen them.

mod chart;
mod monitoring;
mod rendered;
mod rights;
mod single_namespace;

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use libtest_mimic::Trial;
use tempfile::TempDir;
use testbed::{
    controlplane::{ControlPlane, Options, pki::Authority},
    eventually::eventually,
    go_programs,
    kubectl::Kubectl,
};

use crate::world::{World, trial};

const MANIFESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests");

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "manifests::the_base_installs_at_the_first_try", the_base_installs_at_the_first_try),
        trial(world, "manifests::cert_manager_installs_at_the_first_try", cert_manager_installs_at_the_first_try),
        trial(world, "manifests::self_managed_installs_at_the_first_try", self_managed_installs_at_the_first_try),
        trial(world, "manifests::the_documented_overlay_is_good", the_documented_overlay_is_good),
        trial(world, "manifests::one_namespace_is_enough", single_namespace::one_namespace_is_enough),
        trial(world, "monitoring::what_is_asked_for_is_there", monitoring::what_is_asked_for_is_there),
        trial(world, "chart::equals_the_overlays", chart::equals_the_overlays),
        trial(world, "chart::is_well_formed_and_refuses_mistakes", chart::is_well_formed_and_refuses_mistakes),
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
    rights::people(kubectl).await
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
        what_the_webhook_writes_stays(empty.kubectl(), how).await?;
        the_documented_removal_leaves_nothing(empty.kubectl()).await?;
        empty.stop().await?;
    }
    Ok(())
}

/// What the overlay with cert-manager asks for.
async fn install_cert_manager_crds(kubectl: &Kubectl) -> Result<()> {
    let crds = go_programs::build("certmanager").await?.join("crds");
    let crds = crds.to_str().context("the cache's path is not UTF-8")?;
    kubectl.ok(&["apply", "--server-side", "-f", crds]).await?;
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
    eventually(Duration::from_secs(20), &format!("nothing left to apply of {folder}"), async || {
        let mut diff = vec!["diff", "-k", &folder];
        diff.extend(how);
        // 0 means no difference, 1 that there is one, more that it could not be told.
        let difference = kubectl.run(&diff).await?;
        ensure!(difference.success, "the API server holds something else: {}{}", difference.stdout, difference.stderr);
        Ok(())
    })
    .await
}

/// Whoever applies the overlay again must not take away the authority, nor what API servers trust it by.
async fn what_the_webhook_writes_stays(kubectl: &Kubectl, how: &[&str]) -> Result<()> {
    let webhook = "--as=system:serviceaccount:rds-system:rds-webhook";
    let authority = BASE64_STANDARD.encode(Authority::new("rds-webhook")?.certificate());
    let data = format!(r#"{{"data": {{"tls.crt": "{authority}"}}}}"#);
    let bundle = format!(r#"[{{"op": "add", "path": "/webhooks/0/clientConfig/caBundle", "value": "{authority}"}}]"#);
    let secret = ["secret", "-n", "rds-system", "rds-webhook-authority"];
    let registration = ["mutatingwebhookconfiguration", "rds-webhook"];
    kubectl.ok(&[&["patch", webhook, "--type=merge", "-p", &data][..], &secret].concat()).await?;
    kubectl.ok(&[&["patch", webhook, "--type=json", "-p", &bundle][..], &registration].concat()).await?;

    install(kubectl, "overlays/self-managed", how).await?;
    let held = kubectl.ok(&[&["get", "-o", r"jsonpath={.data.tls\.crt}"][..], &secret].concat()).await?;
    ensure!(held == authority, "the authority is lost: {held}");
    let path = "jsonpath={.webhooks[0].clientConfig.caBundle}";
    let trusted = kubectl.ok(&[&["get", "-o", path][..], &registration].concat()).await?;
    ensure!(trusted == authority, "what API servers trust is lost: {trusted}");
    Ok(())
}

/// The commands of the guide's last chapter, one after the other.
async fn the_documented_removal_leaves_nothing(kubectl: &Kubectl) -> Result<()> {
    let guide = guide()?;
    let (_, removing) = guide.split_once("\n## Removing\n").context("docs/install.md says nothing of removing")?;
    let commands = blocks(removing, "sh").next().context("no commands")?;
    for command in commands.lines() {
        let args: Vec<&str> = command.split_whitespace().collect();
        let (Some((&"kubectl", args)), false) = (args.split_first(), command.contains('"')) else {
            bail!("not a plain command of kubectl: {command}")
        };
        kubectl.ok(args).await?;
    }
    let kinds = kubectl.ok(&["api-resources", "--verbs=list", "-o", "name"]).await?;
    for kind in kinds.lines().filter(|kind| !kind.starts_with("events")) {
        let left =
            kubectl.ok(&["get", kind, "-A", "-l", "app.kubernetes.io/part-of=rds-operator", "-o", "name"]).await?;
        ensure!(left.is_empty(), "left behind: {left}");
    }
    Ok(())
}

fn guide() -> Result<String> {
    std::fs::read_to_string(format!("{MANIFESTS}/../docs/install.md")).context("docs/install.md")
}

/// What stands between fences of this language.
fn blocks<'a>(text: &'a str, language: &str) -> impl Iterator<Item = &'a str> {
    let fence = format!("```{language}\n");
    let found: Vec<&str> = text.split(&fence).skip(1).filter_map(|rest| rest.split("```").next()).collect();
    found.into_iter()
}

/// The overlay that `docs/install.md` tells people to write, beside the shipped ones and with nothing but what it says.
async fn the_documented_overlay_is_good(world: &World) -> Result<()> {
    let guide = guide()?;
    let overlays: Vec<&str> = blocks(&guide, "yaml").filter(|block| block.contains("kind: Kustomization")).collect();
    ensure!(!overlays.is_empty(), "docs/install.md has no overlay");

    let empty = Empty::start(world).await?;
    install_cert_manager_crds(empty.kubectl()).await?;
    let copy = empty.dir.path().join("checkout");
    for folder in ["manifests", "certs"] {
        let from = format!("{MANIFESTS}/../{folder}");
        copy_folder(Path::new(&from), &copy.join(folder))?;
    }
    for overlay in overlays {
        let folder = copy.join("manifests/overlays/production");
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("kustomization.yaml"), overlay)?;
        let folder = folder.to_str().context("the folder's path is not UTF-8")?;
        let rendered = empty.kubectl().ok(&["kustomize", folder]).await?;
        for (_, object) in rendered::objects(&rendered)? {
            ensure!(!serde_json::to_string(&object)?.contains("replaced\""), "nothing was filled in: {object}");
        }
        let output = empty.kubectl().run(&["apply", "-k", folder]).await?;
        // What the prometheus-operator brings is not here.
        let foreign = output
            .stderr
            .lines()
            .all(|line| line.contains("monitoring.coreos.com") || line.contains("ensure CRDs are installed first"));
        ensure!(output.success || (overlay.contains("monitoring") && foreign), "{overlay}\n{}", output.stderr);
        rights::rendered_pods_are_restricted(empty.kubectl(), &rendered).await?;
    }
    empty.stop().await
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
