//! Certificates that come and go while the API server asks all the time.

use std::{collections::BTreeSet, net::SocketAddr, path::Path, sync::Arc};

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use libtest_mimic::Trial;
use testbed::{
    certmanager::Certificate,
    controlplane::Mark,
    eventually::eventually,
    kubelet::Pod,
    stack::{Manifests, SELF_MANAGED, WEBHOOK},
};

use crate::{
    admission::Admission,
    direct::Direct,
    world::{World, trial},
};

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "tls::cert_manager_rotates_under_load", cert_manager_rotates_under_load),
        trial(world, "tls::self_managed_rotates_under_load", self_managed_rotates_under_load),
        trial(
            world,
            "tls::only_the_api_server_is_answered_where_it_must_prove_itself",
            only_the_api_server_is_answered,
        ),
    ]
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
    eventually("the new authority in the bundles", async || {
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
    eventually(&format!("the Certificate {name} to be issued anew"), async || {
        let revision = certificate.revision().await?;
        ensure!(revision > before, "revision {revision}");
        Ok(())
    })
    .await
}

/// The lives of the authority and of what it signs, so short that a whole change of the authority is seen: announced after 30 s, it signs
/// after 37 s, and the former one is forgotten after 52 s.
const SHORT_LIVES: [(&str, &str); 4] = [
    ("--authority-lifetime", "45s"),
    ("--leaf-lifetime", "15s"),
    ("--authority-overlap", "7s"),
    ("--authority-poll-interval", "1s"),
];

/// The overlay as it is shipped, from the empty Secret on, with two replicas that start at once; then the authority changes.
async fn self_managed_rotates_under_load(world: &World) -> Result<()> {
    let short = |pod: Pod| SHORT_LIVES.iter().try_fold(pod, |pod, (flag, value)| pod.add_flag(flag, value));
    let mut admission = Admission::start(world, "self-managed", SELF_MANAGED, short).await?;
    let stored = ["get", "secret", "-n", "rds-system", "rds-webhook-authority", "-o", "jsonpath={.data}"];
    let data = admission.kubectl().ok(&stored).await?;
    ensure!(data.is_empty(), "the Secret is shipped with {data}");
    admission.fresh().await?;
    let first = authorities(&admission).await?;
    ensure!(first.len() == 1, "two replicas that started at once made {} authorities", first.len());

    let load = admission.load();
    let mut together = false;
    eventually("an authority after the first one", async || {
        let now = authorities(&admission).await?;
        let kept = now.iter().any(|one| first.contains(one));
        together |= kept && now.len() > 1;
        ensure!(!kept, "{} authorities, the first one among them", now.len());
        Ok(())
    })
    .await?;
    ensure!(together, "the old and the new authority were never trusted together");
    let before = admission.not_after().await?;
    admission.renewed_since(&before).await?;
    load.stop().await?.without_failure("self-managed: an authority and its leaves")?;

    // Whatever it wrote, it was allowed to write; and nothing else was tried.
    let (writes, _) = admission.plane.writes_since(Mark::default())?;
    let ours: Vec<_> =
        writes.iter().filter(|write| write.user == "system:serviceaccount:rds-system:rds-webhook").collect();
    ensure!(!ours.is_empty(), "it has written nothing");
    for write in ours {
        ensure!(write.code == 200 || write.code == 409, "refused: {write:?}");
        ensure!(write.object.ends_with("rds-webhook") || write.object.ends_with("rds-webhook-authority"), "{write:?}");
    }
    admission.stop().await
}

/// How each certificate of a bundle ends.
const END: &str = "-----END CERTIFICATE-----";

/// The certificates that both registrations trust.
async fn authorities(admission: &Admission) -> Result<BTreeSet<String>> {
    let bundle = admission.bundle().await?;
    let bundle = String::from_utf8(BASE64_STANDARD.decode(bundle.split(' ').next().unwrap_or_default())?)?;
    Ok(bundle.split_inclusive(END).map(str::trim).filter(|one| one.ends_with(END)).map(str::to_owned).collect())
}

/// The component client-ca on top of the overlay, in a folder beside it.
const WITH_CLIENT_CA: &str = "
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../cert-manager]
components: [../../components/client-ca]
";

/// With the component client-ca: the API server shows its certificate, as its administrator has told it to, and everybody else is turned away.
async fn only_the_api_server_is_answered(world: &World) -> Result<()> {
    let mut admission = world.admission().await?;
    let ca = admission.plane.webhook_clients_ca();
    let ca = format!("--from-file=ca.crt={}", ca.display());
    let map = ["create", "configmap", "-n", "rds-system", "rds-webhook-client-ca", &ca];
    admission.kubectl().ok(&map).await?;
    let overlay = tempfile::tempdir_in(Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests/overlays"))?;
    std::fs::write(overlay.path().join("kustomization.yaml"), WITH_CLIENT_CA)?;
    let folder = overlay.path().to_str().context("a path that is not UTF-8")?;
    let strict = Manifests::render(admission.kubectl(), folder).await?.pod(WEBHOOK)?;
    drop(overlay);

    for _ in 0..admission.replicas.len() {
        admission.add_as(&strict).await?;
        admission.ready().await?;
        admission.delete_oldest().await?;
    }
    admission.answering().await?;
    let load = admission.load();
    let service = SocketAddr::from(admission.service());
    let question = "GET /nothing HTTP/1.1\r\nHost: webhook\r\n\r\n".to_owned();
    let answer = match Direct::send(&admission, service, question).await {
        Ok(mut direct) => direct.answer().map_err(anyhow::Error::from),
        Err(error) => Err(error),
    };
    let Err(refusal) = answer else { bail!("somebody without a certificate was answered: {answer:?}") };
    let why = format!("{refusal:#}");
    ensure!(why.contains("CertificateRequired"), "it was turned away for something else: {why}");
    load.sent(200).await?;
    load.stop().await?.without_failure("an API server that proves itself")
}
