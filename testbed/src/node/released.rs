//! An earlier release, built from the commit that it was: what an upgrade begins with.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use tokio::process::Command;

use super::images::of_service;
use crate::stack::WORKSPACE;

/// Where it is written which commit a release was.
const CHANGELOG: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../CHANGELOG.md"));

/// The services of a release.
const SERVICES: [&str; 2] = ["webhook", "reconciler"];

/// A release with a folder of its own below cargo's, named after its commit: what is built once is never built again.
#[derive(Clone, Debug)]
pub struct Released {
    version: &'static str,
    commit: &'static str,
    /// Cargo's folder of this workspace.
    target: PathBuf,
}

impl Released {
    /// The release of this version.
    ///
    /// # Errors
    /// When the changelog does not say which commit it was.
    pub fn of(version: &'static str) -> Result<Self> {
        let chapter = CHANGELOG.split("\n## ").find(|chapter| chapter.starts_with(&format!("[{version}]")));
        let commit = chapter.and_then(|chapter| chapter.split_once("This is commit ")?.1.split('.').next());
        let commit = commit.with_context(|| format!("CHANGELOG.md names no commit for {version}"))?;
        let here = std::env::current_exe()?;
        let folder = here.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == profile()));
        let target = folder.and_then(Path::parent).context("this executable is in no folder of cargo's")?.to_owned();
        Ok(Self { version, commit, target })
    }

    /// Builds it where it is not there. Gives what stands in the way, in a line, where this is no clone with the release's commit.
    ///
    /// # Errors
    /// When it cannot be built.
    pub async fn ensure(&self) -> Result<Option<String>> {
        if self.is_there() {
            return Ok(None);
        }
        if let Err(error) = self.lay_out().await {
            return Ok(Some(format!("v{} is not in this clone: {error:#}", self.version)));
        }
        // What cargo makes on the way lies among the workspace's own, so that the crates of others are not compiled again; what it makes in
        // the end does not, so that no program of the workspace is replaced.
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--workspace", "--bin", "rds-webhook", "--bin", "rds-reconciler", "--locked"]);
        if profile() == "release" {
            cargo.arg("--release");
        }
        cargo.arg("--target-dir").arg(self.folder()).env("CARGO_BUILD_BUILD_DIR", &self.target);
        let status = cargo.current_dir(self.source()).kill_on_drop(true).status().await.context("running cargo")?;
        ensure!(status.success() && self.is_there(), "v{} could not be built", self.version);
        Ok(None)
    }

    /// Whether it is built.
    pub fn is_there(&self) -> bool {
        SERVICES.iter().all(|service| self.program(service).is_file())
    }

    /// Its source, with its manifests.
    pub fn source(&self) -> PathBuf {
        self.folder().join("source")
    }

    /// Makes the images of both services, with `tag`, in a folder for such things; gives the archives.
    pub(super) async fn images(&self, tag: &str, scratch: &Path) -> Result<Vec<PathBuf>> {
        let mut archives = Vec::new();
        for service in SERVICES {
            let dockerfile = self.source().join(format!("Dockerfile.{service}"));
            archives.push(of_service(service, &self.program(service), tag, &dockerfile, scratch).await?);
        }
        Ok(archives)
    }

    fn program(&self, service: &str) -> PathBuf {
        self.folder().join(profile()).join(format!("rds-{service}"))
    }

    fn folder(&self) -> PathBuf {
        self.target.join(format!("v{}", self.version)).join(self.commit)
    }

    /// Puts the source into its place, whole or not at all.
    async fn lay_out(&self) -> Result<()> {
        let source = self.source();
        if source.exists() {
            return Ok(());
        }
        let partial = self.folder().join("partial");
        if partial.exists() {
            fs::remove_dir_all(&partial)?;
        }
        fs::create_dir_all(&partial)?;
        let archive = self.folder().join("source.tar");
        let (to, from) = (utf8(&archive)?, utf8(&partial)?);
        run("git", &["-C", WORKSPACE, "archive", "--output", to, self.commit]).await?;
        run("tar", &["--extract", "--file", to, "--directory", from]).await?;
        fs::remove_file(&archive)?;
        Ok(fs::rename(&partial, &source)?)
    }
}

/// The folder that cargo puts programs into that are built like this one.
fn profile() -> &'static str {
    if cfg!(debug_assertions) { "debug" } else { "release" }
}

fn utf8(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))
}

async fn run(program: &str, arguments: &[&str]) -> Result<()> {
    let output = Command::new(program).args(arguments).output().await.with_context(|| format!("running {program}"))?;
    if !output.status.success() {
        bail!("{program} says: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_changelog_names_commits() {
        let first = Released::of("0.1.0").unwrap();
        assert_eq!(first.commit.len(), 40, "{}", first.commit);
        assert!(Released::of("0.0.1").is_err());
    }
}
