//! Certificates that come and go while the API server asks all the time.

use std::sync::Arc;

use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use testbed::{certmanager::Certificate, eventually::eventually};

use crate::{
    admission::Admission,
    replica::PATIENCE,
    world::{World, trial},
};

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![trial(world, "tls::cert_manager_rotates_under_load", cert_manager_rotates_under_load)]
}

/// What the recipes in certs/ are called.
const AUTHORITY: &str = "rds-webhook-ca";
const LEAF: &str = "rds-webhook";

/// `certs/` and the overlay as they are shipped, with cert-manager's own controllers: they issue and inject, and later issue anew, with files
/// that follow late.
async fn cert_manager_rotates_under_load(world: &World) -> Result<()> {
    let admission = world.admission().await?;
    let first_bundle = admission.bundle().await?;

    let load = admission.load();
    for _ in 0..2 {
        let before = admission.not_after().await?;
        renew(&admission, LEAF).await?;
        admission.renewed_since(&before).await?;
        ensure!(admission.bundle().await? == first_bundle, "a new leaf changed what the API server trusts");
    }

    // A new authority: the bundle changes at once, while the files still hold a leaf of the old one.
    let before = admission.not_after().await?;
    renew(&admission, AUTHORITY).await?;
    renew(&admission, LEAF).await?;
    eventually(PATIENCE, "the new authority in the bundles", async || {
        ensure!(admission.bundle().await? != first_bundle, "the old one");
        Ok(())
    })
    .await?;
    ensure!(admission.not_after().await? == before, "the files were not late: this shows nothing");
    let connections = admission.proxy.connections();
    admission.renewed_since(&before).await?;
    ensure!(admission.proxy.connections() > connections + 60, "hardly a connection met the old leaf");

    load.stop().await?.without_failure("cert-manager: three new leaves, one of a new authority")
}

async fn renew(admission: &Admission, name: &str) -> Result<()> {
    let certificate = Certificate::new(admission.kubectl(), name);
    let before = certificate.revision().await?;
    certificate.renew().await?;
    eventually(PATIENCE, &format!("the Certificate {name} to be issued anew"), async || {
        let revision = certificate.revision().await?;
        ensure!(revision > before, "revision {revision}");
        Ok(())
    })
    .await
}
