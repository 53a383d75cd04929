//! The shipped NetworkPolicies, enforced: the operator works under them, and nothing else connects.
//!
//! Whatever is tried is listened at, so that what does not connect is kept from it. Without the policies all of it connects.

use std::{
    net::{Ipv4Addr, SocketAddrV4, TcpListener},
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use futures::future::join_all;
use libtest_mimic::Trial;
use testbed::{
    eventually::eventually,
    kubectl::Kubectl,
    node::{DNS, INTERFACE, NODE, Node, SELF_MANAGED},
};

use crate::{
    operator::workspace,
    pod_network::{Neighbour, PodNetwork, ip},
    world::{World, trial},
};

/// Where clouds tell every Pod about its node, and hand out the node's role.
const METADATA: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(169, 254, 169, 254), 80);

/// Where EKS Pod Identity tells a Pod about its own role.
const POD_IDENTITY: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(169, 254, 170, 23), 80);

/// Addresses that every Pod of a cloud can ask.
const LINK_LOCAL: [SocketAddrV4; 2] = [METADATA, POD_IDENTITY];

/// A machine of the node's network.
const OTHER_MACHINE: Ipv4Addr = Ipv4Addr::new(10, 222, 0, 99);

/// A port that no policy names.
const UNLISTED: u16 = 9090;

const ADMIN: u16 = 8080;
const HTTPS: u16 = 8443;

/// A Pod of another namespace, which no policy is about.
const STRANGER: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: enforced}
---
apiVersion: v1
kind: Pod
metadata: {name: stranger, namespace: enforced, labels: {app: stranger}}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: stranger, image: 'docker.io/library/postgres:18', command: [sleep, '3600']}]
";

/// A database, whose admission warns of what its deletion leaves.
const DATABASE: &str = r#"
apiVersion: matrixmind.cloud/v1
kind: RDSDatabase
metadata: {name: orders, namespace: enforced}
spec: {version: "17", deletionPolicy: Delete, users: {app: []}, databases: {orders: [app]}}
"#;

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![trial(world, "policies::the_operator_works_under_them_and_nothing_else_connects", async |world| {
        let node = world.operator(SELF_MANAGED).await?;
        let outside = Outside::new().await?;
        let mut firewall = node.enforce_policies().await?;
        let seen = enforced(node).await;
        let runs = firewall.check();
        // Also after a failure: the trials that follow are without them.
        firewall.stop().await?;
        outside.remove().await?;
        runs.and(seen)
    })]
}

async fn enforced(node: &Node) -> Result<()> {
    let kubectl = node.kubectl();
    kubectl.apply(STRANGER).await?;
    kubectl.ok(&["wait", "-n", "enforced", "pod/stranger", "--for=condition=Ready", "--timeout=60s"]).await?;
    // What runs when they come into force is held to them, and so is what starts later: probes, certificates and the Lease all over.
    Ways::of(node).await?.hold(Policies::AsShipped).await?;
    let [webhook, reconciler] = ["deployment/rds-webhook", "deployment/rds-reconciler"];
    kubectl.ok(&["rollout", "restart", "-n", "rds-system", webhook, reconciler]).await?;
    node.works().await?;
    let ways = Ways::of(node).await?;
    ways.hold(Policies::AsShipped).await?;
    a_database_lives(kubectl).await?;

    // The base's policies stand alone where cert-manager makes the certificates.
    let base = workspace("manifests/base/network-policies.yaml");
    kubectl.ok(&["apply", "--server-side", "-f", &base]).await?;
    ways.hold(Policies::OfTheBase).await?;
    kubectl.ok(&["delete", "-f", &base]).await?;
    ways.hold(Policies::None).await?;
    kubectl.ok(&["apply", "--server-side", "-k", &workspace(SELF_MANAGED)]).await?;
    ways.hold(Policies::AsShipped).await?;
    kubectl.ok(&["delete", "namespace", "enforced", "--wait=false"]).await?;
    Ok(())
}

/// API server to webhook, reconciler to API server, DNS, cloud and database: all of them are needed for this.
async fn a_database_lives(kubectl: &Kubectl) -> Result<()> {
    let told = kubectl.apply(DATABASE).await?.stderr;
    ensure!(told.contains("deletionPolicy: Delete makes no final snapshot"), "the webhook was not asked: {told:?}");
    kubectl.ok(&["wait", "-n", "enforced", "rds/orders", "--for=condition=Ready", "--timeout=120s"]).await?;
    kubectl.ok(&["delete", "-n", "enforced", "rds/orders", "--timeout=120s"]).await?;
    Ok(())
}

/// Which policies are in the cluster.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Policies {
    AsShipped,
    OfTheBase,
    None,
}

/// What a way is allowed by.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Allowed {
    Always,
    /// By the overlay whose webhook makes its own certificates.
    SelfManaged,
    Never,
}

impl Allowed {
    fn under(self, policies: Policies) -> bool {
        match self {
            Self::Always => true,
            Self::SelfManaged => policies != Policies::OfTheBase,
            Self::Never => policies == Policies::None,
        }
    }
}

/// An attempt to connect.
struct Way {
    from: (&'static str, PodNetwork),
    to: SocketAddrV4,
    allowed: Allowed,
}

/// What is around the Pods: another machine, and what listens on this one.
struct Outside {
    machine: Neighbour,
    _listeners: Vec<TcpListener>,
}

impl Outside {
    async fn new() -> Result<Self> {
        let machine = Neighbour::new("neighbour", OTHER_MACHINE, INTERFACE, NODE.address).await?;
        for address in LINK_LOCAL {
            ip(&format!("addr add {}/32 dev {INTERFACE}", address.ip())).await?;
        }
        let listen = |address| TcpListener::bind(address).with_context(|| format!("listening at {address}"));
        let ports = [80, 3306, 5432, ADMIN].map(at_node);
        let listeners = LINK_LOCAL.into_iter().chain(ports).map(listen).collect::<Result<_>>()?;
        Ok(Self { machine, _listeners: listeners })
    }

    async fn remove(self) -> Result<()> {
        for address in LINK_LOCAL {
            ip(&format!("addr del {}/32 dev {INTERFACE}", address.ip())).await?;
        }
        self.machine.remove().await
    }
}

fn at_node(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(NODE.address, port)
}

/// All ways that are tried with the Pods of now, and what listens in these for that.
struct Ways {
    all: Vec<Way>,
    _listeners: [TcpListener; 3],
}

impl Ways {
    async fn of(node: &Node) -> Result<Self> {
        let kubectl = node.kubectl();
        let service =
            async |name| PodNetwork::of_pod(kubectl, "rds-system", &format!("app.kubernetes.io/name=rds-{name}")).await;
        let (webhook, reconciler) = (service("webhook").await?, service("reconciler").await?);
        let stranger = PodNetwork::of_pod(kubectl, "enforced", "app=stranger").await?;
        let machine = PodNetwork::at(OTHER_MACHINE).await?;
        let listeners =
            [webhook.listen(UNLISTED).await?, reconciler.listen(UNLISTED).await?, stranger.listen(ADMIN).await?];

        let needed = [at_node(NODE.port), SocketAddrV4::new(NODE.first_service, 443), SocketAddrV4::new(DNS, 53)];
        let mut all = vec![];
        let mut add = |from: (&'static str, &PodNetwork), allowed, to: &[SocketAddrV4]| {
            all.extend(to.iter().map(|&to| Way { from: (from.0, from.1.clone()), to, allowed }));
        };
        let from = ("the webhook", &webhook);
        add(from, Allowed::SelfManaged, &needed);
        add(from, Allowed::Never, &[at_node(80), at_node(5432), at_node(ADMIN), METADATA, POD_IDENTITY]);
        add(from, Allowed::Never, &[reconciler.port(ADMIN), stranger.port(ADMIN)]);
        let from = ("the reconciler", &reconciler);
        add(from, Allowed::Always, &needed);
        add(from, Allowed::Always, &[node.rds().address(), at_node(5432), at_node(3306), POD_IDENTITY]);
        add(from, Allowed::Never, &[at_node(80), at_node(ADMIN), METADATA, webhook.port(ADMIN), stranger.port(ADMIN)]);
        // Metrics name nobody's database, and where a cluster's Prometheus runs is not known: any Pod may have them.
        let from = ("a Pod of another namespace", &stranger);
        add(from, Allowed::Always, &[webhook.port(HTTPS), webhook.port(ADMIN), reconciler.port(ADMIN), METADATA]);
        add(from, Allowed::Never, &[webhook.port(UNLISTED), reconciler.port(UNLISTED)]);
        // An API server may be anywhere. Metrics are for Pods.
        let from = ("another machine", &machine);
        add(from, Allowed::Always, &[webhook.port(HTTPS), stranger.port(ADMIN)]);
        add(from, Allowed::Never, &[webhook.port(ADMIN), reconciler.port(ADMIN), webhook.port(UNLISTED)]);
        Ok(Self { all, _listeners: listeners })
    }

    /// Each way is open or closed as the policies say.
    async fn hold(&self, policies: Policies) -> Result<()> {
        eventually(&format!("what the policies let through ({policies:?})"), async || {
            let wrong = join_all(self.all.iter().map(|way| way.differs(policies))).await;
            let wrong: Vec<String> = wrong.into_iter().flatten().collect();
            ensure!(wrong.is_empty(), "{}", wrong.join("; "));
            Ok(())
        })
        .await
    }
}

impl Way {
    /// What is not as the policies say, if anything.
    async fn differs(&self, policies: Policies) -> Option<String> {
        let (from, to, expected) = (self.from.0, self.to, self.allowed.under(policies));
        match self.from.1.connect(to).await {
            Ok(()) if !expected => Some(format!("{from} connects to {to}")),
            Err(why) if expected => Some(format!("{from} does not connect to {to}: {why:#}")),
            _ => None,
        }
    }
}
