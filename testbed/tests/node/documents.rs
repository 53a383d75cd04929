//! Commands of the documents, run as they are written there.

use std::{path::Path, process::Stdio, time::Duration};

use anyhow::{Context, Result, ensure};
use testbed::kubectl::Kubectl;
use tokio::{process::Command, time::timeout};

use crate::operator::workspace;

/// No command of a document takes longer, even on a busy machine.
const LIMIT: Duration = Duration::from_mins(5);

/// The commands in the blocks of shell below a heading, up to the next heading of its rank, a block each.
pub(crate) fn blocks(document: &str, heading: &str) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(workspace(document)).with_context(|| format!("reading {document}"))?;
    let rank = heading.split(' ').next().unwrap_or_default();
    let section: Vec<&str> = text
        .lines()
        .skip_while(|line| *line != heading)
        .skip(1)
        .take_while(|line| !line.starts_with(&format!("{rank} ")))
        .collect();
    let (mut blocks, mut open) = (Vec::new(), false);
    for line in section {
        match (line.trim(), open) {
            ("```sh", false) => {
                blocks.push(String::new());
                open = true;
            }
            ("```", true) => open = false,
            (command, true) => blocks.last_mut().context("no block")?.extend([command, "\n"]),
            _ => {}
        }
    }
    ensure!(!blocks.is_empty() && !open, "{document} has no commands below {heading:?}");
    Ok(blocks)
}

/// Runs a block as someone would who has copied it into a terminal, in a checkout; each of its commands must succeed.
pub(crate) async fn run(block: &str, checkout: &Path, kubectl: &Kubectl) -> Result<()> {
    let programs = kubectl.program().parent().context("kubectl is in no folder")?;
    let path = std::env::var("PATH").unwrap_or_default();
    let child = Command::new("bash")
        .args(["-euc", block])
        .current_dir(checkout)
        .env("PATH", format!("{}:{path}", programs.display()))
        .env("KUBECONFIG", kubectl.kubeconfig())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(LIMIT, child).await.with_context(|| format!("hangs: {block}"))??;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{block}: {} {}", String::from_utf8_lossy(&output.stdout).trim(), said.trim());
    Ok(())
}
