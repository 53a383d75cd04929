//! Both services as their Deployments run them, and all that a stack on one machine changes in that.

use std::time::Duration;

use anyhow::Result;

use super::{
    RECONCILER, WEBHOOK,
    local_rds::{ACCESS_KEY, LocalRds, REGION},
    manifests::Manifests,
};
use crate::kubelet::Pod;

/// How late a mounted Secret changes: nothing that uses a whole stack is about that.
pub(super) const LAG: Duration = Duration::ZERO;

pub(super) fn webhook(manifests: &Manifests) -> Result<Pod> {
    // Nobody routes traffic away from it first: there is nothing to wait for.
    manifests.pod(WEBHOOK)?.set_flag("--drain-delay", "0s")
}

pub(super) fn reconciler(manifests: &Manifests, rds: &LocalRds) -> Result<Pod> {
    let pod = manifests
        .pod(RECONCILER)?
        // The local RDS in place of AWS.
        .add_flag("--endpoint-suffix", "rds.localhost,127.0.0.1")?
        // A test does not wait for an hour.
        .add_flag("--unused-groups-after", "20")?
        .image_file("/etc/rds-ca/global-bundle.pem", rds.ca())
        .env("AWS_ENDPOINT_URL", rds.endpoint())
        .env("AWS_REGION", REGION)
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY.0)
        .env("AWS_SECRET_ACCESS_KEY", ACCESS_KEY.1)
        // Nothing of the person's own AWS set-up, and no look for an instance's metadata.
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    Ok(pod)
}
