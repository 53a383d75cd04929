//! Runs kubectl as a person would, and keeps what it printed.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tokio::{io::AsyncWriteExt, process::Command, time::timeout};

/// No command of the test bed takes longer, even on a busy machine.
const LIMIT: Duration = Duration::from_mins(3);

/// kubectl with one kubeconfig.
#[derive(Clone, Debug)]
pub struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
    cache: PathBuf,
}

/// What a command printed and how it ended.
#[derive(Clone, Debug)]
pub struct Output {
    /// Whether it exited with 0.
    pub success: bool,
    /// What it printed on stdout.
    pub stdout: String,
    /// What it printed on stderr: warnings and refusals.
    pub stderr: String,
}

impl Kubectl {
    /// Uses `program` with the credentials in `kubeconfig`.
    pub fn new(program: impl Into<PathBuf>, kubeconfig: impl Into<PathBuf>) -> Self {
        let kubeconfig = kubeconfig.into();
        // Not the person's own cache: it is keyed by host and port, and our ports are used again by other clusters.
        let cache = kubeconfig.with_extension("cache");
        Self { program: program.into(), kubeconfig, cache }
    }

    /// The same program with other credentials.
    #[must_use]
    pub fn with_kubeconfig(&self, kubeconfig: impl Into<PathBuf>) -> Self {
        Self::new(&self.program, kubeconfig)
    }

    /// The program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The kubeconfig it uses.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Runs a command; that it failed is for the caller to judge.
    ///
    /// # Errors
    /// When kubectl cannot be run, or hangs.
    pub async fn run(&self, args: &[&str]) -> Result<Output> {
        self.run_with_input(args, "").await
    }

    /// Runs a command with `input` on its stdin.
    ///
    /// # Errors
    /// When kubectl cannot be run, or hangs.
    pub async fn run_with_input(&self, args: &[&str], input: &str) -> Result<Output> {
        let what = || format!("kubectl {}", args.join(" "));
        let mut child = Command::new(&self.program)
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .arg("--cache-dir")
            .arg(&self.cache)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("running {}", self.program.display()))?;
        let stdin = child.stdin.take();
        let exchange = async {
            if let Some(mut stdin) = stdin {
                // A command that does not read its input closes the pipe early; how it ends says whether that was right.
                let _ = stdin.write_all(input.as_bytes()).await;
            }
            child.wait_with_output().await
        };
        let output = timeout(LIMIT, exchange).await.with_context(|| format!("{} hangs", what()))?.with_context(what)?;
        Ok(Output {
            success: output.status.success(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs a command that must succeed; gives its stdout.
    ///
    /// # Errors
    /// When it cannot be run or fails; with its stderr.
    pub async fn ok(&self, args: &[&str]) -> Result<String> {
        self.run(args).await?.into_stdout(args)
    }

    /// Applies a manifest that must be accepted; gives what kubectl printed, warnings included.
    ///
    /// # Errors
    /// When it is refused; with kubectl's message.
    pub async fn apply(&self, manifest: &str) -> Result<Output> {
        let args = ["apply", "-f", "-"];
        let output = self.run_with_input(&args, manifest).await?;
        output.clone().into_stdout(&args)?;
        Ok(output)
    }
}

impl Output {
    fn into_stdout(self, args: &[&str]) -> Result<String> {
        if !self.success {
            bail!("kubectl {} failed: {}", args.join(" "), self.stderr.trim());
        }
        Ok(self.stdout)
    }
}
