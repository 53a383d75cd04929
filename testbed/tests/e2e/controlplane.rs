//! The control plane itself: what the other tests stand on.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, ExitCode, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use libtest_mimic::Trial;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use testbed::{
    controlplane::{Binaries, ControlPlane, Mark, Options},
    eventually::eventually,
};

use crate::world::{World, trial};

/// With this first argument the test executable starts a control plane in the folder that follows, prints the processes' ids and waits to be
/// killed.
const PARENT: &str = "as-parent-of-a-control-plane";

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "controlplane::namespaces_come_and_go", namespaces_come_and_go),
        trial(world, "controlplane::a_service_account_has_the_rights_of_its_roles", rights_of_a_service_account),
        trial(world, "controlplane::owned_objects_go_with_their_owner", owned_objects_go_with_their_owner),
        trial(world, "controlplane::two_run_side_by_side", two_run_side_by_side),
        trial(world, "controlplane::dies_with_its_parent", dies_with_its_parent),
    ]
}

async fn namespaces_come_and_go(world: &World) -> Result<()> {
    let kubectl = world.controlplane().await?.kubectl();
    let listed = kubectl.ok(&["get", "namespaces", "-o", "name"]).await?;
    ensure!(listed.lines().any(|line| line == "namespace/kube-system"), "{listed}");
    kubectl.ok(&["create", "namespace", "brief"]).await?;
    kubectl.ok(&["create", "configmap", "-n", "brief", "content"]).await?;
    // Waits until the namespace controller has emptied it.
    kubectl.ok(&["delete", "namespace", "brief", "--timeout=30s"]).await?;
    Ok(())
}

async fn rights_of_a_service_account(world: &World) -> Result<()> {
    let plane = world.controlplane().await?;
    let admin = plane.kubectl();
    admin.ok(&["create", "namespace", "rights"]).await?;
    admin.ok(&["create", "serviceaccount", "-n", "rights", "clerk"]).await?;
    let clerk = plane.kubectl_as("rights", "clerk").await?;

    let refused = clerk.run(&["get", "secrets", "-n", "rights"]).await?;
    let expected = r#"User "system:serviceaccount:rights:clerk" cannot list resource "secrets""#;
    ensure!(!refused.success && refused.stderr.contains(expected), "{refused:?}");

    admin.ok(&["create", "role", "-n", "rights", "filing", "--verb=list,create", "--resource=secrets"]).await?;
    admin
        .ok(&["create", "rolebinding", "-n", "rights", "filing", "--role=filing", "--serviceaccount=rights:clerk"])
        .await?;
    eventually("the right to list Secrets", async || clerk.ok(&["get", "secrets", "-n", "rights"]).await).await?;

    clerk.ok(&["create", "secret", "generic", "-n", "rights", "receipt"]).await?;
    // A request is logged when its answer is on the way.
    eventually("the write in the audit log", async || {
        let (writes, _) = plane.writes_since(Mark::default())?;
        let seen = writes.iter().any(|write| {
            write.user == "system:serviceaccount:rights:clerk"
                && (write.verb.as_str(), write.resource.as_str(), write.code) == ("create", "secrets", 201)
        });
        ensure!(seen, "{writes:?}");
        Ok(())
    })
    .await
}

async fn owned_objects_go_with_their_owner(world: &World) -> Result<()> {
    let kubectl = world.controlplane().await?.kubectl();
    kubectl.ok(&["create", "namespace", "owners"]).await?;
    kubectl.ok(&["create", "configmap", "-n", "owners", "owner"]).await?;
    let uid = kubectl.ok(&["get", "configmap", "-n", "owners", "owner", "-o", "jsonpath={.metadata.uid}"]).await?;
    let owned = format!(
        "---\n{{apiVersion: v1, kind: ConfigMap, metadata: {{name: owned, namespace: owners, \
         ownerReferences: [{{apiVersion: v1, kind: ConfigMap, name: owner, uid: {uid}}}]}}}}"
    );
    kubectl.apply(&owned).await?;
    kubectl.ok(&["delete", "configmap", "-n", "owners", "owner"]).await?;
    eventually("the owned object to go", async || {
        let left = kubectl.ok(&["get", "configmap", "-n", "owners", "-o", "name"]).await?;
        ensure!(!left.contains("owned"), "still there: {left}");
        Ok(())
    })
    .await
}

async fn two_run_side_by_side(world: &World) -> Result<()> {
    let first = world.controlplane().await?;
    let dir = tempfile::tempdir()?;
    let options = Options { kubeconfig: dir.path().join("kubeconfig"), logs: dir.path().join("logs"), audit: false };
    let second = ControlPlane::start(world.binaries().await?, dir.path(), options).await?;
    second.kubectl().ok(&["create", "namespace", "only-in-the-second"]).await?;
    let listed = first.kubectl().ok(&["get", "namespaces", "-o", "name"]).await?;
    ensure!(!listed.contains("only-in-the-second"), "{listed}");
    let address = async |plane: &ControlPlane| {
        plane.kubectl().ok(&["get", "service", "kubernetes", "-o", "jsonpath={.spec.clusterIP}"]).await
    };
    ensure!(address(first).await? != address(&second).await?, "both have the same Service addresses");
    second.stop().await
}

async fn dies_with_its_parent(world: &World) -> Result<()> {
    world.binaries().await?;
    let dir = tempfile::tempdir()?;
    let mut parent =
        Command::new(std::env::current_exe()?).arg(PARENT).arg(dir.path()).stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    BufReader::new(parent.stdout.take().context("no stdout")?).read_line(&mut line)?;
    let pids: Vec<i32> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    ensure!(pids.len() == 3 && pids.iter().all(|&pid| is_running(pid)), "not running: {line:?}");

    kill(Pid::from_raw(i32::try_from(parent.id())?), Signal::SIGKILL)?;
    parent.wait()?;
    eventually("the end of the children", async || {
        let left: Vec<_> = pids.iter().filter(|&&pid| is_running(pid)).collect();
        ensure!(left.is_empty(), "still running: {left:?}");
        Ok(())
    })
    .await
}

/// Neither gone nor a zombie that its new parent has not collected yet.
fn is_running(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The state follows the name, which is in parentheses and may hold spaces.
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// Runs as the parent that [`dies_with_its_parent`] kills, if that is what this process was started for.
pub(crate) fn run_as_parent() -> Result<Option<ExitCode>> {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_none_or(|verb| verb != PARENT) {
        return Ok(None);
    }
    let dir = args.next().context("no folder given")?;
    tokio::runtime::Runtime::new()?.block_on(async {
        let dir = Path::new(&dir);
        let options = Options { kubeconfig: dir.join("kubeconfig"), logs: dir.join("logs"), audit: false };
        let plane = ControlPlane::start(&Binaries::ensure().await?, dir, options).await?;
        let pids: Vec<String> = plane.pids().await.iter().map(ToString::to_string).collect();
        writeln!(std::io::stdout(), "{}", pids.join(" "))?;
        tokio::time::sleep(Duration::from_mins(2)).await;
        bail!("nobody killed this process")
    })
}
