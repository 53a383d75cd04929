//! Our own programs, as cargo has built them.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result, bail, ensure};
use tokio::process::Command;

/// The root of the workspace.
pub(crate) const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The executables of both services and of the local RDS.
#[derive(Clone, Debug)]
pub struct Programs {
    pub(super) webhook: PathBuf,
    pub(super) reconciler: PathBuf,
    pub(super) local_rds: PathBuf,
}

impl Programs {
    /// Takes those that lie beside this executable, or beside the folder `deps` that it lies in, as tests do.
    ///
    /// # Errors
    /// When one is missing.
    pub fn beside_this_one() -> Result<Self> {
        let here = std::env::current_exe()?;
        let folder = here.parent().context("an executable without a folder")?;
        let folder = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
        Ok(Self {
            webhook: existing(folder, "rds-webhook")?,
            reconciler: existing(folder, "rds-reconciler")?,
            local_rds: existing(folder, "local-rds")?,
        })
    }

    /// Has cargo build them as it built this executable, so that a test never runs an older service than the code beside it.
    ///
    /// # Errors
    /// When the build fails.
    pub async fn build() -> Result<Self> {
        let mut cargo = Command::new(env!("CARGO"));
        // The whole workspace: fewer packages would mean fewer features of shared dependencies, and building those again.
        cargo.args(["build", "--workspace", "--bins", "--locked", "--quiet"]).current_dir(WORKSPACE).kill_on_drop(true);
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        let status = cargo.status().await.context("running cargo")?;
        ensure!(status.success(), "the services could not be built");
        Self::beside_this_one()
    }

    /// Fetches a version of PostgreSQL, for a place without the network.
    ///
    /// # Errors
    /// When it cannot be had.
    pub async fn fetch_postgresql(&self, version: &str) -> Result<()> {
        let status = Command::new(&self.local_rds).args(["fetch", version]).stdout(Stdio::null()).status().await?;
        ensure!(status.success(), "PostgreSQL could not be fetched");
        Ok(())
    }

    /// The webhook's executable.
    pub fn webhook(&self) -> &Path {
        &self.webhook
    }

    /// The reconciler's executable.
    pub fn reconciler(&self) -> &Path {
        &self.reconciler
    }
}

fn existing(folder: &Path, name: &str) -> Result<PathBuf> {
    let path = folder.join(name);
    if !path.is_file() {
        bail!("{} is not there: cargo build --workspace --bins", path.display());
    }
    Ok(path)
}
