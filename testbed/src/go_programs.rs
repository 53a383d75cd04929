//! Programs that are built from Go modules: the control plane's own, cert-manager's controllers, and what tests run beside them.

use std::{path::PathBuf, process::Stdio};

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

/// The script that builds what is missing and prints the folder.
const BUILD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/go-programs.sh");

/// The folder with the programs that `testbed/<folder>/go.mod` pins, after building what is missing. The first build takes some minutes; its
/// progress goes to stderr.
///
/// # Errors
/// When the build fails, or Go is missing.
pub async fn build(folder: &str) -> Result<PathBuf> {
    build_also(folder, &[]).await
}

/// As [`build`], and those too that the folder keeps back until they are asked for by name.
///
/// # Errors
/// As [`build`].
pub async fn build_also(folder: &str, kept_back: &[&str]) -> Result<PathBuf> {
    let output = Command::new(BUILD)
        .arg(folder)
        .args(kept_back)
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("running {BUILD}"))?;
    ensure!(output.status.success(), "the programs of testbed/{folder} could not be built");
    Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim()))
}
