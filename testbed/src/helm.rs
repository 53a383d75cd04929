//! Runs helm with nothing of the person's own set-up.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use crate::go_programs;

/// The folder below `testbed/` that pins it, and its name.
const NAME: &str = "helm";

/// helm, and a folder in place of the person's own.
#[derive(Debug)]
pub struct Helm {
    program: PathBuf,
    home: PathBuf,
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub struct Answer {
    /// Whether it exited with 0.
    pub success: bool,
    /// What it printed on stdout.
    pub stdout: String,
    /// What it printed on stderr.
    pub stderr: String,
}

impl Helm {
    /// Builds it where it is not there: some minutes the first time.
    ///
    /// # Errors
    /// When it cannot be built.
    pub async fn new(home: &Path) -> Result<Self> {
        Ok(Self { program: go_programs::build(NAME).await?.join(NAME), home: home.to_owned() })
    }

    /// Runs a command; that it failed is for the caller to judge.
    ///
    /// # Errors
    /// When helm cannot be run.
    pub async fn run(&self, args: &[&str]) -> Result<Answer> {
        let output = Command::new(&self.program)
            .args(args)
            .env("HELM_CACHE_HOME", &self.home)
            .env("HELM_CONFIG_HOME", &self.home)
            .env("HELM_DATA_HOME", &self.home)
            .env_remove("KUBECONFIG")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .with_context(|| format!("running {}", self.program.display()))?;
        Ok(Answer {
            success: output.status.success(),
            stdout: String::from_utf8(output.stdout)?,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs a command that must succeed; gives its stdout.
    ///
    /// # Errors
    /// When it cannot be run or fails; with all that it printed.
    pub async fn ok(&self, args: &[&str]) -> Result<String> {
        let answer = self.run(args).await?;
        ensure!(answer.success, "helm {}: {}{}", args.join(" "), answer.stdout, answer.stderr);
        Ok(answer.stdout)
    }
}
