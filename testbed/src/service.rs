//! A process that can be asked whether it is ready.

use std::{future::Future, process::ExitStatus, time::Duration};

use anyhow::Result;
use tokio::sync::Mutex;

use crate::{
    eventually::eventually,
    process::{Process, Spec},
};

/// How to ask a service whether it is ready; an error says why not.
pub trait Readiness {
    /// Asks once.
    fn check(&self) -> impl Future<Output = Result<()>> + Send;

    /// How long it may take to end by itself before it is killed.
    fn grace(&self) -> Duration {
        Duration::from_secs(15)
    }
}

/// A supervised process.
#[derive(Debug)]
pub struct Service<R> {
    process: Mutex<Process>,
    readiness: R,
}

impl<R: Readiness> Service<R> {
    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn start(spec: Spec, readiness: R) -> Result<Self> {
        let service = Self::launch(spec, readiness).await?;
        service.wait_until_ready().await?;
        Ok(service)
    }

    /// Starts it, and leaves the waiting to the caller.
    ///
    /// # Errors
    /// When it cannot be run.
    pub async fn launch(spec: Spec, readiness: R) -> Result<Self> {
        Ok(Self { process: Mutex::new(Process::start(spec).await?), readiness })
    }

    /// How it is asked.
    pub fn readiness(&self) -> &R {
        &self.readiness
    }

    /// Waits until it is ready.
    ///
    /// # Errors
    /// When it ends, or is not ready in time.
    pub async fn wait_until_ready(&self) -> Result<()> {
        let what = format!("{} to be ready", self.process.lock().await.name());
        let watch = async {
            loop {
                self.process.lock().await.check()?;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::select! {
            ready = eventually(&what, async || self.readiness.check().await) => ready,
            ended = watch => ended,
        }
    }

    /// Fails when it has ended.
    ///
    /// # Errors
    /// When it is not running.
    pub async fn check(&self) -> Result<()> {
        self.process.lock().await.check()
    }

    /// Kills it, as a crash would.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub async fn kill(&self) -> Result<()> {
        self.process.lock().await.kill().await
    }

    /// Asks it to end and waits; kills it after its grace. Its exit status, where it was running.
    ///
    /// # Errors
    /// When it cannot be signalled or waited for.
    pub async fn stop(&self) -> Result<Option<ExitStatus>> {
        self.process.lock().await.stop(self.readiness.grace()).await
    }

    /// Starts it again; one that still runs is killed before.
    ///
    /// # Errors
    /// When it cannot be run.
    pub async fn restart(&self) -> Result<()> {
        self.process.lock().await.restart().await
    }

    /// Its process id while it runs.
    pub async fn pid(&self) -> Option<u32> {
        self.process.lock().await.pid()
    }
}
