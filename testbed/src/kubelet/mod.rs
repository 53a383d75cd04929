//! The kubelet's part: what a rendered Deployment asks for, run as a plain process.
//!
//! Arguments, environment, mounted Secrets and ConfigMaps, and the rights of the ServiceAccount are the manifest's own. What a process outside of a
//! container must be told otherwise is all in [`Pod`]: the Pod's address in place of `0.0.0.0`, folders in place of mounts, and a kubeconfig in
//! place of the files in `/var/run/secrets`.

mod pod;
mod volume;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Result, ensure};

use self::{
    pod::{Command, Content, Place},
    volume::Wanted,
};
pub use self::{
    pod::{Pod, Probe},
    volume::Volume,
};
use crate::{
    controlplane::ControlPlane,
    process::Spec,
    service::{Readiness, Service},
};

/// Runs Pods of a control plane.
#[derive(Clone, Debug)]
pub struct Kubelet {
    dir: PathBuf,
    logs: PathBuf,
    lag: Duration,
}

/// A Pod that can be started: its volumes are there and are kept up to date for as long as this value lives.
#[derive(Debug)]
pub struct Prepared {
    /// What to run.
    pub spec: Spec,
    address: Ipv4Addr,
    admin: String,
    probe: Probe,
    grace: Duration,
    _volumes: Vec<Volume>,
}

impl Prepared {
    /// The address of one of its ports.
    pub fn at(&self, port: u16) -> SocketAddr {
        SocketAddr::from((self.address, port))
    }

    /// The URL of the port that tells of its readiness, without a page.
    pub fn admin(&self) -> &str {
        &self.admin
    }

    /// How its readiness is asked for.
    pub fn probe(&self) -> &Probe {
        &self.probe
    }

    /// Changes what is run.
    #[must_use]
    pub fn adjusted(mut self, adjust: impl FnOnce(Spec) -> Spec) -> Self {
        self.spec = adjust(self.spec);
        self
    }

    /// Starts it, and leaves the waiting for its readiness to the caller.
    ///
    /// # Errors
    /// When its program cannot be run.
    pub async fn start(self) -> Result<Service<Self>> {
        Service::launch(self.spec.clone(), self).await
    }
}

impl Readiness for Prepared {
    async fn check(&self) -> Result<()> {
        let answer = reqwest::get(format!("{}{}", self.admin, self.probe.path)).await?;
        let status = answer.status();
        ensure!(status.is_success(), "{status}: {}", answer.text().await?.trim());
        Ok(())
    }

    fn grace(&self) -> Duration {
        self.grace
    }
}

impl Kubelet {
    /// One that keeps volumes below `dir`, writes output to `logs`, and shows a change of a Secret `lag` late.
    pub fn new(dir: &Path, logs: &Path, lag: Duration) -> Self {
        Self { dir: dir.to_owned(), logs: logs.to_owned(), lag }
    }

    /// Makes everything ready for a Pod to be run by `program`; `name` names it and its log.
    ///
    /// # Errors
    /// When a Secret or the ServiceAccount that it needs is not there.
    pub async fn prepare(
        &self,
        plane: &ControlPlane,
        pod: &Pod,
        name: &str,
        address: Ipv4Addr,
        program: &Path,
    ) -> Result<Prepared> {
        let folder = self.dir.join(name);
        let mut volumes = Vec::new();
        for mount in &pod.mounts {
            let folder = folder.join(&mount.volume);
            match &mount.content {
                Content::Empty => std::fs::create_dir_all(folder)?,
                Content::Keys { of, name, optional, mode } => {
                    let (namespace, name) = (pod.namespace.clone(), name.clone());
                    let wanted = Wanted { of: *of, namespace, name, optional: *optional, mode: *mode, folder };
                    volumes.push(Volume::mount(plane.client(), wanted, self.lag).await?);
                }
            }
        }
        let Command { env, args } = pod.command(&Place { name, address, volumes: &folder })?;
        let mut spec = Spec::new(name, program, &self.logs).args(args);
        if let Some(account) = &pod.token_of {
            let kubeconfig = plane.service_account_kubeconfig(&pod.namespace, account).await?;
            spec = spec.env("KUBECONFIG", kubeconfig);
        }
        for (name, value) in env {
            spec = spec.env(&name, value);
        }
        let probe = pod.readiness().clone();
        let admin = format!("http://{}", SocketAddr::from((address, probe.port)));
        Ok(Prepared { spec, address, admin, probe, grace: pod.grace(), _volumes: volumes })
    }
}
