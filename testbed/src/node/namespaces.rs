//! Where a node lives: in network, mount and process namespaces of its own, so that nothing of the machine's is touched.
//!
//! The program that wants a node is run a second time inside of them, by `unshare` of util-linux. Interfaces, routes, tables of nftables and
//! mounts are the namespaces' own and go with them; the processes go with the first of them, which goes with `unshare`, which goes with us.
//! Only control groups and a socket outlive a kill: they are named after the process that made them, and the next start removes those of the
//! dead.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs::{self, File},
    io,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, ensure};
use nix::mount::{MsFlags, mount};
use tokio::signal::unix::{SignalKind, signal};

use super::door::{self, Door};
use crate::{eventually::eventually, launcher};

/// Set for the run inside: the process id of the run outside, and the port where it lets people in.
const INSIDE: &str = "RDS_TESTBED_NODE_OF";
const DOOR: &str = "RDS_TESTBED_NODE_DOOR";

/// Where control groups are, one folder below for each hierarchy (version 1) or this folder itself (version 2).
const CGROUPS: &str = "/sys/fs/cgroup";

/// What the names of a node's control groups begin with; the process id of the run outside follows.
pub const CGROUP: &str = "rds-testbed-node-";

/// Folders in which programs of a node write under names that cannot be changed.
const COVERED: [&str; 4] = ["/run", "/var/lib/cni", "/var/lib/kubelet", "/var/log"];

/// Says what this machine lacks.
const REQUIREMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/node/requirements.sh");

/// Where Debian puts the CNI plugins.
pub(super) const CNI_PLUGINS: &str = "/usr/lib/cni";

/// Fails with what this machine lacks for a node, in a line.
///
/// # Errors
/// Where it is not Linux, this is not root, or a package is missing.
pub fn require() -> Result<()> {
    let output = Command::new(REQUIREMENTS).output().with_context(|| format!("running {REQUIREMENTS}"))?;
    ensure!(output.status.success(), "a node needs {}", String::from_utf8_lossy(&output.stdout).trim());
    Ok(())
}

/// The psql of Debian itself: the one in the search path is a script that looks for it.
pub(super) fn psql() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let programs = versions.filter_map(|version| Some(version.ok()?.path().join("bin/psql")));
    programs.filter(|program| program.is_file()).max()
}

/// Whether this is the run inside.
pub fn inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Runs this program again, with the same arguments, in namespaces of its own, and gives how it ended. Ctrl-C is for the run inside; SIGTERM
/// ends both at once.
///
/// # Errors
/// When the machine lacks something, or control groups of an earlier node cannot be removed.
pub async fn enter() -> Result<ExitCode> {
    require()?;
    sweep().await?;
    let door = Door::open(std::process::id()).await?;
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let own = std::process::id();
    // The first process of the namespace is a shell: it waits for whatever is orphaned, which nobody else there would. Ctrl-C is not for it.
    let mut args: Vec<OsString> =
        ["--net", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc", "--propagation=private"]
            .into_iter()
            .chain(["sh", "-c", r#"trap "" INT; "$@"; exit $?"#, "sh"])
            .map(Into::into)
            .collect();
    args.push(std::env::current_exe()?.into());
    args.extend(std::env::args_os().skip(1));
    let mut command = tokio::process::Command::from(launcher::command("unshare".as_ref(), &args));
    command.env(INSIDE, own.to_string()).env(DOOR, door.port().to_string()).kill_on_drop(true);
    let mut child = command.spawn().context("running unshare")?;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status?,
            _ = interrupt.recv() => {}
            _ = terminate.recv() => child.start_kill()?,
        }
    };
    remove_cgroups(own).await?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// The process id of the run outside.
pub(super) fn outside() -> Result<u32> {
    let owner = std::env::var(INSIDE).context("this is the run outside: nothing of the machine's may be touched")?;
    Ok(owner.parse()?)
}

/// The port of the machine that leads to the API server.
pub(super) fn door() -> Result<u16> {
    Ok(std::env::var(DOOR).context("no door")?.parse()?)
}

/// Makes the place ready, in the run inside; gives the control group that Pods go below.
///
/// # Errors
/// When this is not the run inside, or something cannot be mounted or made.
pub(super) fn prepare() -> Result<String> {
    let owner = outside()?;
    let nothing: Option<&str> = None;
    // Volumes that kubelet mounts are to be seen in containers; the parent of this namespace sees none of them.
    mount(nothing, "/", nothing, MsFlags::MS_SHARED | MsFlags::MS_REC, nothing).context("sharing mounts")?;
    for folder in COVERED {
        fs::create_dir_all(folder).with_context(|| format!("making {folder}"))?;
        mount(Some("tmpfs"), folder, Some("tmpfs"), MsFlags::empty(), nothing)
            .with_context(|| format!("covering {folder}"))?;
    }
    // What `ip netns` and containerd expect to be there.
    fs::create_dir_all("/run/netns")?;
    let group = format!("{CGROUP}{owner}");
    for hierarchy in hierarchies()? {
        let path = hierarchy.join(&group);
        fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
    }
    Ok(format!("/{group}"))
}

/// Has this process and its children ask the node's own DNS server, and nobody else.
pub(super) fn ask(server: Ipv4Addr, dir: &Path) -> Result<()> {
    for (name, content) in
        [("resolv.conf", format!("nameserver {server}\n")), ("nsswitch.conf", "hosts: files dns\n".to_owned())]
    {
        let (file, place) = (dir.join(format!("machine-{name}")), Path::new("/etc").join(name));
        fs::write(&file, content)?;
        // It may lead to where nothing is any more, in a folder that is covered.
        if let Ok(target) = fs::read_link(&place) {
            let target = Path::new("/etc").join(target);
            fs::create_dir_all(target.parent().context("a link to the root")?)?;
            File::create(&target)?;
        } else if !place.exists() {
            continue;
        }
        let nothing: Option<&str> = None;
        mount(Some(&file), &place, nothing, MsFlags::MS_BIND, nothing)
            .with_context(|| format!("covering {}", place.display()))?;
    }
    Ok(())
}

/// Where a control group has its figures of memory.
pub(super) fn memory_groups(group: &str) -> Result<PathBuf> {
    let all = hierarchies()?;
    let [one] = all.as_slice() else {
        return Ok(Path::new(CGROUPS).join("memory").join(group.trim_start_matches('/')));
    };
    Ok(one.join(group.trim_start_matches('/')))
}

fn is_gone(owner: u32) -> bool {
    !Path::new(&format!("/proc/{owner}")).exists()
}

/// Removes the control groups and sockets of nodes whose processes are gone.
///
/// # Errors
/// When one cannot be removed.
pub async fn sweep() -> Result<()> {
    let mut owners = BTreeSet::new();
    for hierarchy in hierarchies()? {
        for entry in fs::read_dir(hierarchy)? {
            let name = entry?.file_name();
            let owner = name.to_str().and_then(|name| name.strip_prefix(CGROUP)).and_then(|owner| owner.parse().ok());
            owners.extend(owner.filter(|owner| is_gone(*owner)));
        }
    }
    for owner in owners {
        remove_cgroups(owner).await?;
    }
    door::sweep(is_gone)
}

/// Removes the control groups of one node, whose processes are about to end.
async fn remove_cgroups(owner: u32) -> Result<()> {
    eventually("the control groups of a node to be free", async || {
        for hierarchy in hierarchies()? {
            remove_tree(&hierarchy.join(format!("{CGROUP}{owner}")))?;
        }
        Ok(())
    })
    .await
}

/// Removes a control group and those below it: no file in them can be removed, and none has to be.
fn remove_tree(group: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(group) else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_tree(&entry.path())?;
        }
    }
    match fs::remove_dir(group) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", group.display()))
        }
        _ => Ok(()),
    }
}

/// The control groups of this name, and those below them.
///
/// # Errors
/// When they cannot be listed.
pub fn control_groups(name: &str) -> Result<Vec<PathBuf>> {
    fn below(group: PathBuf, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(&group).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                below(entry.path(), found);
            }
        }
        found.push(group);
    }
    let mut found = Vec::new();
    for group in hierarchies()?
        .into_iter()
        .map(|hierarchy| hierarchy.join(name))
        .filter(|group| !name.is_empty() && group.exists())
    {
        below(group, &mut found);
    }
    Ok(found)
}

/// The roots of all hierarchies of control groups.
fn hierarchies() -> Result<Vec<PathBuf>> {
    let root = Path::new(CGROUPS);
    if root.join("cgroup.controllers").exists() {
        return Ok(vec![root.to_owned()]);
    }
    let entries = fs::read_dir(root).with_context(|| format!("reading {CGROUPS}"))?;
    let folders =
        entries.filter_map(|entry| Some(entry.ok()?.path()).filter(|path| path.is_dir() && !path.is_symlink()));
    Ok(folders.collect())
}
