//! The cluster's DNS server: names of Services, and of the local RDS's instances.

use std::{fs, path::Path};

use anyhow::Result;

use super::network::DNS;
use crate::{
    controlplane::ControlPlane,
    go_programs,
    process::{Process, Spec},
};

/// The folder below `testbed/` that pins it.
pub(super) const FOLDER: &str = "node/dns";

/// Starts it; `hosts` is the file with the instances.
pub(super) async fn start(plane: &ControlPlane, hosts: &Path, dir: &Path, logs: &Path) -> Result<Process> {
    let program = go_programs::build(FOLDER).await?.join("dns");
    let corefile = dir.join("Corefile");
    let (hosts, kubeconfig) = (hosts.display(), plane.kubectl().kubeconfig().display());
    let content = format!(
        ".:53 {{
    bind {DNS}
    errors
    hosts {hosts} rds.localhost {{
        reload 500ms
        ttl 5
    }}
    kubernetes cluster.local {{
        kubeconfig {kubeconfig}
        ttl 5
    }}
}}
"
    );
    fs::write(&corefile, content)?;
    Process::start(Spec::new("dns", program, logs).args(["-conf".as_ref(), corefile.as_os_str()])).await
}
