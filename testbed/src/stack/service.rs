//! A process that says on a port of its own whether it is ready.

use std::{future::Future, time::Duration};

use anyhow::{Result, ensure};
use tokio::sync::Mutex;

use crate::{
    eventually::eventually,
    process::{Process, Spec},
};

/// From the start to the first "ready", also on a busy machine.
const READY: Duration = Duration::from_mins(1);

/// What a service may take to drain before it is killed.
const GRACE: Duration = Duration::from_secs(15);

/// How to ask a service whether it is ready; an error says why not.
pub(super) trait Readiness {
    fn check(&self) -> impl Future<Output = Result<()>> + Send;
}

/// The usual way: `/readyz` on the admin port.
#[derive(Debug)]
pub(super) struct AdminPort {
    url: String,
}

impl AdminPort {
    pub(super) fn new(port: u16) -> Self {
        Self { url: format!("http://127.0.0.1:{port}") }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Readiness for AdminPort {
    async fn check(&self) -> Result<()> {
        let answer = reqwest::get(format!("{}/readyz", self.url)).await?;
        let status = answer.status();
        ensure!(status.is_success(), "{status}: {}", answer.text().await?.trim());
        Ok(())
    }
}

/// A supervised process.
#[derive(Debug)]
pub(super) struct Service<R> {
    process: Mutex<Process>,
    readiness: R,
}

impl<R: Readiness> Service<R> {
    /// Starts it and waits until it is ready.
    pub(super) async fn start(spec: Spec, readiness: R) -> Result<Self> {
        let service = Self::launch(spec, readiness).await?;
        service.wait_until_ready().await?;
        Ok(service)
    }

    /// Starts it, and leaves the waiting to the caller.
    pub(super) async fn launch(spec: Spec, readiness: R) -> Result<Self> {
        Ok(Self { process: Mutex::new(Process::start(spec).await?), readiness })
    }

    pub(super) fn readiness(&self) -> &R {
        &self.readiness
    }

    pub(super) async fn wait_until_ready(&self) -> Result<()> {
        let what = format!("{} to be ready", self.process.lock().await.name());
        let watch = async {
            loop {
                self.process.lock().await.check()?;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::select! {
            ready = eventually(READY, &what, async || self.readiness.check().await) => ready,
            ended = watch => ended,
        }
    }

    /// Fails when it has ended.
    pub(super) async fn check(&self) -> Result<()> {
        self.process.lock().await.check()
    }

    pub(super) async fn kill(&self) -> Result<()> {
        self.process.lock().await.kill().await
    }

    pub(super) async fn stop(&self) -> Result<()> {
        self.process.lock().await.stop(GRACE).await?;
        Ok(())
    }

    pub(super) async fn restart(&self) -> Result<()> {
        self.process.lock().await.restart().await
    }

    pub(super) async fn pid(&self) -> Option<u32> {
        self.process.lock().await.pid()
    }
}
