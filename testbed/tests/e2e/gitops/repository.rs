//! A git repository of a test's own.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::{fs, process::Command};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests/examples");

/// A repository whose work tree is always committed.
pub(super) struct Repository(TempDir);

impl Repository {
    /// One that declares nothing.
    pub(super) async fn empty() -> Result<Self> {
        let repository = Self(tempfile::tempdir()?);
        repository.git(&["init", "--quiet"]).await?;
        repository.git(&["commit", "--quiet", "--allow-empty", "--message=nothing"]).await?;
        Ok(repository)
    }

    /// One with the databases of `manifests/examples`, in this namespace instead of their own.
    pub(super) async fn with_examples(namespace: &str) -> Result<Self> {
        let repository = Self::empty().await?;
        for (name, own) in [("minimal.yaml", ": default\n"), ("orders.yaml", ": shop\n")] {
            let example = fs::read_to_string(Path::new(EXAMPLES).join(name)).await?;
            ensure!(example.contains(own), "{name} is about another namespace");
            repository.write(name, &example.replace(own, &format!(": {namespace}\n"))).await?;
        }
        Ok(repository)
    }

    /// Where it is.
    pub(super) fn path(&self) -> PathBuf {
        self.0.path().to_owned()
    }

    /// Writes a file, and commits.
    pub(super) async fn write(&self, name: &str, content: &str) -> Result<()> {
        fs::write(self.0.path().join(name), content).await?;
        self.commit(name).await
    }

    /// Removes a file, and commits.
    pub(super) async fn remove(&self, name: &str) -> Result<()> {
        fs::remove_file(self.0.path().join(name)).await.with_context(|| format!("removing {name}"))?;
        self.commit(name).await
    }

    async fn commit(&self, what: &str) -> Result<()> {
        self.git(&["add", "--all"]).await?;
        self.git(&["commit", "--quiet", "--message", what]).await
    }

    async fn git(&self, args: &[&str]) -> Result<()> {
        let mut command = Command::new("git");
        // The person's own settings, such as signatures, are not for this.
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        command.args(["-c", "user.name=test", "-c", "user.email=test@example.org"]).args(args);
        let output = command.current_dir(self.0.path()).output().await.context("running git")?;
        ensure!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }
}
