//! A process at rest, watched for a while.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::sleep;

use crate::process;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);

/// What it used. Memory in KiB.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watched {
    /// Resident memory at rest, the median of all looks.
    pub(super) median: u64,
    /// The most of all looks.
    pub(super) most: u64,
    /// The most since the process was started.
    pub(super) peak: u64,
    /// Share of one CPU that it used at rest.
    pub(super) cpu: f64,
}

impl Watched {
    /// Looks once a second.
    pub(super) async fn watch(pid: u32, seconds: u64) -> Result<Self> {
        let before = process::cpu(pid)?;
        let mut looks = Vec::new();
        for _ in 0..seconds {
            sleep(LOOK).await;
            looks.push(process::memory(pid)?.now);
        }
        looks.sort_unstable();
        let cpu = process::cpu(pid)?.saturating_sub(before);
        let most = *looks.last().context("it was not looked at")?;
        Ok(Self {
            median: looks[looks.len() / 2],
            most,
            peak: process::memory(pid)?.peak,
            cpu: cpu.as_secs_f64() / LOOK.as_secs_f64() / Duration::from_secs(seconds).as_secs_f64(),
        })
    }
}
