//! `docs/install.md`, followed to the letter.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use testbed::kubectl::Kubectl;

use super::{Empty, MANIFESTS, install_cert_manager_crds, install_monitoring_crds, rendered, rights};
use crate::world::World;

/// The overlay that `docs/install.md` tells people to write, beside the shipped ones and with nothing but what it says.
pub(super) async fn the_documented_overlay_is_good(world: &World) -> Result<()> {
    let guide = read()?;
    let overlays: Vec<&str> = blocks(&guide, "yaml").filter(|block| block.contains("kind: Kustomization")).collect();
    ensure!(!overlays.is_empty(), "docs/install.md has no overlay");

    let empty = Empty::start(world).await?;
    install_cert_manager_crds(empty.kubectl()).await?;
    install_monitoring_crds(empty.kubectl()).await?;
    let copy = empty.dir.path().join("checkout");
    for folder in ["manifests", "certs"] {
        let from = format!("{MANIFESTS}/../{folder}");
        copy_folder(Path::new(&from), &copy.join(folder))?;
    }
    let folder = copy.join("manifests/overlays/production");
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("kustomization.yaml");
    let folder = folder.to_str().context("the folder's path is not UTF-8")?;
    let mut powers_of_each = Vec::new();
    for overlay in overlays {
        std::fs::write(&file, overlay)?;
        let rendered = empty.kubectl().ok(&["kustomize", folder]).await?;
        for (_, object) in rendered::objects(&rendered)? {
            let text = object.to_string();
            let untouched = ["replaced\"", "'replaced'"].iter().any(|left| text.contains(left));
            ensure!(!untouched, "nothing was filled in: {object}");
        }
        let output = empty.kubectl().run(&["apply", "-k", folder]).await?;
        ensure!(output.success && !output.stderr.contains("Warning:"), "{overlay}\n{}", output.stderr);
        rights::rendered_pods_are_restricted(empty.kubectl(), &rendered).await?;
        powers_of_each.push(powers(empty.kubectl()).await?);
    }
    let [first, second] = powers_of_each.as_slice() else { bail!("the guide has {} overlays", powers_of_each.len()) };
    ensure!(second.len() > first.len(), "the second overlay brings nothing of its own: {second:?}");

    // Back to the first one, which leaves the powers of the second for people to take away.
    follow(empty.kubectl(), "Upgrading").await?;
    let left = powers(empty.kubectl()).await?;
    ensure!(left == *first, "the first overlay has {first:#?}, left are {left:#?}");

    empty.kubectl().ok(&["apply", "-k", folder]).await?;
    the_documented_removal_leaves_nothing(empty.kubectl()).await?;
    empty.stop().await
}

/// What is the operator's among rights, rules of admission, and Secrets.
async fn powers(kubectl: &Kubectl) -> Result<Vec<String>> {
    let kinds = "roles,rolebindings,clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings,secrets";
    let labelled = ["get", kinds, "-A", "-l", "app.kubernetes.io/part-of=rds-operator", "-o", "name"];
    Ok(kubectl.ok(&labelled).await?.lines().map(str::to_owned).collect())
}

/// The first commands of a chapter of the guide, one after the other.
async fn follow(kubectl: &Kubectl, chapter: &str) -> Result<()> {
    let guide = read()?;
    let (_, text) = guide.split_once(&format!("\n## {chapter}\n")).with_context(|| format!("no chapter {chapter}"))?;
    let commands = blocks(text, "sh").next().context("no commands")?;
    for command in commands.lines().filter(|line| !line.is_empty()) {
        let args: Vec<&str> = command.split_whitespace().collect();
        let (Some((&"kubectl", args)), false) = (args.split_first(), command.contains('"')) else {
            bail!("not a plain command of kubectl: {command}")
        };
        kubectl.ok(args).await?;
    }
    Ok(())
}

/// Of what was installed, whichever overlays and components it was.
pub(super) async fn the_documented_removal_leaves_nothing(kubectl: &Kubectl) -> Result<()> {
    follow(kubectl, "Removing").await?;
    let kinds = kubectl.ok(&["api-resources", "--verbs=list", "-o", "name"]).await?;
    for kind in kinds.lines().filter(|kind| !kind.starts_with("events")) {
        let left =
            kubectl.ok(&["get", kind, "-A", "-l", "app.kubernetes.io/part-of=rds-operator", "-o", "name"]).await?;
        ensure!(left.is_empty(), "left behind: {left}");
    }
    Ok(())
}

fn read() -> Result<String> {
    std::fs::read_to_string(format!("{MANIFESTS}/../docs/install.md")).context("docs/install.md")
}

/// What stands between fences of this language.
fn blocks<'a>(text: &'a str, language: &str) -> impl Iterator<Item = &'a str> {
    let fence = format!("```{language}\n");
    let found: Vec<&str> = text.split(&fence).skip(1).filter_map(|rest| rest.split("```").next()).collect();
    found.into_iter()
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
