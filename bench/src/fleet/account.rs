//! What a stretch of time cost: calls by action, as the local RDS counted them, and the reconciler's CPU time and memory.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use testbed::stack::{Part, Stack};

use crate::process::{self, Memory};

/// The beginning of a stretch.
#[derive(Debug)]
pub(super) struct Mark {
    at: Instant,
    pid: u32,
    calls: BTreeMap<String, u64>,
    cpu: Duration,
}

/// What a stretch cost.
#[derive(Clone, Debug)]
pub(super) struct Cost {
    /// Calls of RDS by action.
    pub(super) calls: BTreeMap<String, u64>,
    /// Calls of STS, which has limits of its own.
    pub(super) identity: u64,
    /// CPU time of the process that runs at its end, since the beginning or its own start.
    pub(super) cpu: Duration,
    /// How long it was.
    pub(super) took: Duration,
    /// The memory of that process at the end.
    pub(super) memory: Memory,
}

impl Mark {
    /// Begins a stretch.
    pub(super) async fn now(stack: &Stack) -> Result<Self> {
        let pid = pid(stack).await?;
        Ok(Self { at: Instant::now(), pid, calls: stack.rds().counters().await?.calls, cpu: process::cpu(pid)? })
    }

    /// A stretch of a process that was started in it.
    pub(super) async fn of_process(stack: &Stack, calls: BTreeMap<String, u64>, at: Instant) -> Result<Self> {
        Ok(Self { at, pid: pid(stack).await?, calls, cpu: Duration::ZERO })
    }

    /// Ends it.
    pub(super) async fn cost(&self, stack: &Stack) -> Result<Cost> {
        let pid = pid(stack).await?;
        let before = if pid == self.pid { self.cpu } else { Duration::ZERO };
        let mut calls = stack.rds().counters().await?.calls;
        for (action, count) in &mut calls {
            *count -= self.calls.get(action).copied().unwrap_or_default();
        }
        let identity = calls.remove("GetCallerIdentity").unwrap_or_default();
        calls.retain(|_, count| *count > 0);
        let cpu = process::cpu(pid)?.saturating_sub(before);
        Ok(Cost { calls, identity, cpu, took: self.at.elapsed(), memory: process::memory(pid)? })
    }
}

impl Cost {
    /// Calls of RDS.
    pub(super) fn total(&self) -> u64 {
        self.calls.values().sum()
    }
}

async fn pid(stack: &Stack) -> Result<u32> {
    stack.pid(Part::Reconciler).await.context("the reconciler does not run")
}
