//! Images without an engine: root folders of programs that are already built, packed by `images/archive.sh`.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use super::namespaces::psql;
use crate::stack::{Programs, WORKSPACE};

/// What holds the namespaces of a Pod.
pub(super) const PAUSE: &str = "rds-operator.invalid/pause:testbed";

/// An application's image: a shell and psql, under the name that the example has.
const APPLICATION: &str = "docker.io/library/postgres:18";

/// Programs of the application's image, besides psql.
const APPLICATION_PROGRAMS: [&str; 5] = ["sh", "cat", "sleep", "env", "id"];

/// Where `pause` is written down.
const PAUSE_SOURCE: &str = "testbed/node/pause.c";

/// The services' images as their Dockerfiles make them, but for how the programs were compiled; gives the archives.
pub(super) async fn of_services(programs: &Programs, scratch: &Path) -> Result<Vec<PathBuf>> {
    let mut archives = Vec::new();
    for (service, program) in [("webhook", programs.webhook()), ("reconciler", programs.reconciler())] {
        let dockerfile = Path::new(WORKSPACE).join(format!("Dockerfile.{service}"));
        archives.push(of_service(service, program, env!("CARGO_PKG_VERSION"), &dockerfile, scratch).await?);
    }
    Ok(archives)
}

/// The image of one service, of whichever version.
pub(super) async fn of_service(
    service: &str,
    program: &Path,
    tag: &str,
    dockerfile: &Path,
    scratch: &Path,
) -> Result<PathBuf> {
    let root = fresh(&scratch.join(format!("{service}-{tag}")))?;
    run("images/root.sh", [service.as_ref(), root.as_os_str(), program.as_os_str()]).await?;
    let archive = scratch.join(format!("{service}-{tag}.tar"));
    let name = format!("docker.io/library/rds-{service}:{tag}");
    let arguments: [&OsStr; 5] =
        [name.as_ref(), root.as_os_str(), archive.as_os_str(), "--dockerfile".as_ref(), dockerfile.as_os_str()];
    run("images/archive.sh", arguments).await?;
    Ok(archive)
}

/// The image that every Pod begins with.
pub(super) async fn pause(scratch: &Path) -> Result<PathBuf> {
    let root = fresh(&scratch.join("pause"))?;
    let (program, source) = (root.join("pause"), Path::new(WORKSPACE).join(PAUSE_SOURCE));
    let arguments: [&OsStr; 5] =
        ["-static".as_ref(), "-Os".as_ref(), "-o".as_ref(), program.as_os_str(), source.as_os_str()];
    run("cc", arguments).await?;
    pack(PAUSE, &root, scratch, "/pause").await
}

/// The image of an application.
pub(super) async fn application(scratch: &Path) -> Result<PathBuf> {
    let psql = psql().context("there is no psql")?;
    let root = fresh(&scratch.join("application"))?;
    for program in APPLICATION_PROGRAMS {
        lay_out(Path::new("/bin").join(program), &root).await?;
    }
    lay_out(psql, &root).await?;
    pack(APPLICATION, &root, scratch, "/bin/sh").await
}

/// Puts a program and the libraries that it loads into a root folder.
async fn lay_out(program: PathBuf, root: &Path) -> Result<()> {
    let name = program.file_name().context("a program without a name")?;
    let place = root.join("bin").join(name);
    copy(&program, &place)?;
    let loaded = Command::new("ldd").arg(&program).output().await.context("running ldd")?;
    for word in String::from_utf8_lossy(&loaded.stdout).split_whitespace().filter(|word| word.starts_with('/')) {
        copy(Path::new(word), &root.join(word.trim_start_matches('/')))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(from, to).with_context(|| format!("copying {}", from.display()))?;
    Ok(())
}

async fn pack(name: &str, root: &Path, scratch: &Path, program: &str) -> Result<PathBuf> {
    let archive = scratch.join(format!("{}.tar", root.file_name().unwrap_or_default().display()));
    let arguments: [&OsStr; 5] =
        [name.as_ref(), root.as_os_str(), archive.as_os_str(), "--".as_ref(), program.as_ref()];
    run("images/archive.sh", arguments).await?;
    Ok(archive)
}

/// An empty folder.
fn fresh(folder: &Path) -> Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    Ok(folder.to_owned())
}

/// Runs a program of the workspace or of the machine, from the workspace.
async fn run(program: &str, arguments: impl IntoIterator<Item = &OsStr>) -> Result<()> {
    let place = Path::new(WORKSPACE).join(program);
    let found = if place.is_file() { place.as_os_str() } else { program.as_ref() };
    let output = Command::new(found)
        .args(arguments)
        .current_dir(WORKSPACE)
        .output()
        .await
        .with_context(|| format!("running {program}"))?;
    ensure!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}
