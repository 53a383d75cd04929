//! The test bed: a real Kubernetes control plane, the local RDS and both services, started on loopback for the demo and for the end-to-end
//! tests. Never shipped.

pub mod certmanager;
pub mod controlplane;
pub mod demo;
pub mod eventually;
pub mod go_programs;
pub mod helm;
pub mod kubectl;
pub mod kubelet;
pub mod launcher;
pub mod load;
pub mod node;
pub mod ports;
pub mod process;
pub mod prometheus;
pub mod resource;
pub mod service;
pub mod service_proxy;
pub mod sql;
pub mod stack;

use anyhow::Result;

/// Prepares this process for the test bed. Call it first in `main`, before any thread is started.
///
/// A run as [`launcher`] does not return from here. Otherwise the TLS provider of the whole process is chosen.
///
/// # Errors
/// When a run as launcher cannot start its program.
pub fn init() -> Result<()> {
    launcher::run_if_asked()?;
    // A provider that somebody chose before is as good: kube and sqlx only need that there is one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Ok(())
}
