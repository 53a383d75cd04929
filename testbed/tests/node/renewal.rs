//! Certificates that the webhook renews by itself while the API server asks all the time.

use std::{
    collections::HashSet,
    net::TcpStream,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use libtest_mimic::Trial;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use testbed::{
    eventually::eventually,
    kubectl::Kubectl,
    node::SELF_MANAGED,
    stack::{NAMESPACE, WEBHOOK},
};

use crate::{
    replicas::{Replica, rolled_out},
    rollout::load,
    world::{World, trial},
};

/// A leaf is renewed after 13 s; an authority signs 5 s after both configurations carry it, and the former one is forgotten after 25 s. An
/// authority lives as long as ever, so that none ends when the lives are long again.
const SHORT_LIVES: [&str; 2] = ["RDS_WEBHOOK_LEAF_LIFETIME=20s", "RDS_WEBHOOK_AUTHORITY_OVERLAP=5s"];

/// As `kubectl set env` takes a variable away.
const LONG_LIVES: [&str; 2] = ["RDS_WEBHOOK_LEAF_LIFETIME-", "RDS_WEBHOOK_AUTHORITY_OVERLAP-"];

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);

const HTTPS: u16 = 8443;

/// Certificates, DER.
type Certificates = HashSet<CertificateDer<'static>>;

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![trial(world, "renewal::self_managed_renews_under_load", self_managed_renews)]
}

/// The leaves first, then the authority too, whose Secret is emptied. Fails where a leaf is served before API servers have been told of its
/// authority, or an authority is forgotten while a leaf of it is served.
async fn self_managed_renews(world: &World) -> Result<()> {
    let node = world.operator(SELF_MANAGED).await?;
    let kubectl = node.kubectl();
    rolled_out(kubectl, WEBHOOK, 2).await?;
    let first = authorities(kubectl).await?;
    let load = load(node).await?;
    let replicas = live(kubectl, SHORT_LIVES).await?;

    let begun = Instant::now();
    let former = served(&replicas, &first).await?;
    eventually("a new leaf of the same authority in each replica", async || {
        replaced(&former, &served(&replicas, &first).await?)
    })
    .await?;
    ensure!(authorities(kubectl).await? == first, "new leaves changed whom the API server trusts");
    let leaves = begun.elapsed().as_secs_f64();

    let begun = Instant::now();
    let former = served(&replicas, &first).await?;
    let emptied = r#"[{"op": "remove", "path": "/data"}]"#;
    let args = ["patch", "secret", "-n", NAMESPACE, "rds-webhook-authority", "--type=json", "-p", emptied];
    kubectl.ok(&args).await?;
    let second = eventually("a leaf of another authority in each replica", async || {
        let now = authorities(kubectl).await?;
        let second: Certificates = now.difference(&first).cloned().collect();
        ensure!(second.len() == 1, "{} of {} authorities are new", second.len(), now.len());
        ensure!(now.is_superset(&first), "the former authority was forgotten before the new one signed");
        replaced(&former, &served(&replicas, &second).await?)?;
        Ok(second)
    })
    .await?;
    let changed = begun.elapsed().as_secs_f64();

    live(kubectl, LONG_LIVES).await?;
    eventually("the former authority to be forgotten", async || {
        let now = authorities(kubectl).await?;
        ensure!(now == second, "{} authorities", now.len());
        Ok(())
    })
    .await?;
    let what = format!("self-managed: new leaves within {leaves:.1} s, another authority within {changed:.1} s");
    load.stop().await?.without_failure(&what)
}

/// Rolls the webhook out with other lives of its certificates.
async fn live(kubectl: &Kubectl, variables: [&str; 2]) -> Result<Vec<Replica>> {
    kubectl.ok(&[&["set", "env", "-n", NAMESPACE, "deployment/rds-webhook"], &variables[..]].concat()).await?;
    rolled_out(kubectl, WEBHOOK, 2).await
}

/// Fails while a replica serves what it served before.
fn replaced(before: &[CertificateDer<'_>], now: &[CertificateDer<'_>]) -> Result<()> {
    let same = before.iter().zip(now).filter(|(before, now)| before == now).count();
    ensure!(same == 0, "{same} of {} still serve the same certificate", now.len());
    Ok(())
}

/// The authorities that both configurations carry.
async fn authorities(kubectl: &Kubectl) -> Result<Certificates> {
    let mut bundles = Vec::new();
    for kind in ["mutatingwebhookconfiguration", "validatingwebhookconfiguration"] {
        let path = "jsonpath={.webhooks[*].clientConfig.caBundle}";
        bundles.push(BASE64_STANDARD.decode(kubectl.ok(&["get", kind, WEBHOOK, "-o", path]).await?)?);
    }
    ensure!(!bundles[0].is_empty() && bundles[0] == bundles[1], "the configurations differ, or carry nothing");
    CertificateDer::pem_slice_iter(&bundles[0]).map(|one| Ok(one?)).collect()
}

/// The leaf of each replica, shown to someone who trusts nobody but these authorities.
async fn served(replicas: &[Replica], trusted: &Certificates) -> Result<Vec<CertificateDer<'static>>> {
    let mut roots = RootCertStore::empty();
    for authority in trusted {
        roots.add(authority.clone())?;
    }
    let config = Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth());
    let mut leaves = Vec::new();
    for replica in replicas {
        let (config, address) = (Arc::clone(&config), replica.at(HTTPS)?);
        let shown = tokio::task::spawn_blocking(move || {
            let mut socket = TcpStream::connect_timeout(&address, HANDSHAKE)?;
            socket.set_read_timeout(Some(HANDSHAKE))?;
            let mut session = ClientConnection::new(config, ServerName::try_from("rds-webhook.rds-system.svc")?)?;
            session.complete_io(&mut socket)?;
            let chain = session.peer_certificates().context("no certificate was shown")?;
            anyhow::Ok(chain.first().context("an empty chain")?.clone().into_owned())
        });
        leaves.push(shown.await?.with_context(|| format!("a handshake with {}", replica.name))?);
    }
    Ok(leaves)
}
