//! The command lines of the programs.

use std::path::{Path, PathBuf};

use super::NodeNetwork;

/// The files, ports and addresses that the programs are told.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) dir: PathBuf,
    pub(super) etcd: u16,
    pub(super) etcd_peer: u16,
    pub(super) apiserver: u16,
    pub(super) services: String,
    pub(super) audit: bool,
    /// Where Pods run.
    pub(super) node: Option<NodeNetwork>,
}

impl Layout {
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub(super) fn audit_log(&self) -> PathBuf {
        self.path("audit.log")
    }

    fn file(&self, flag: &str, name: &str) -> String {
        flag_with_path(flag, &self.path(name))
    }
}

fn flag_with_path(flag: &str, path: &Path) -> String {
    format!("--{flag}={}", path.display())
}

/// etcd, which only the API server may talk to: its clients need a certificate of our CA.
pub(super) fn etcd(layout: &Layout) -> Vec<String> {
    let client = format!("https://127.0.0.1:{}", layout.etcd);
    let peer = format!("http://127.0.0.1:{}", layout.etcd_peer);
    vec![
        layout.file("data-dir", "etcd"),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=default={peer}"),
        layout.file("cert-file", "server.crt"),
        layout.file("key-file", "server.key"),
        layout.file("trusted-ca-file", "ca.crt"),
        "--client-cert-auth".to_owned(),
        // The data live as long as the processes: there is no crash of the machine to survive.
        "--unsafe-no-fsync".to_owned(),
        "--log-level=warn".to_owned(),
    ]
}

/// The API server, with RBAC as in a real cluster.
pub(super) fn apiserver(layout: &Layout) -> Vec<String> {
    let mut flags = vec![
        format!("--etcd-servers=https://127.0.0.1:{}", layout.etcd),
        layout.file("etcd-cafile", "ca.crt"),
        layout.file("etcd-certfile", "client.crt"),
        layout.file("etcd-keyfile", "client.key"),
        format!("--secure-port={}", layout.apiserver),
        layout.file("tls-cert-file", "server.crt"),
        layout.file("tls-private-key-file", "server.key"),
        layout.file("token-auth-file", "tokens.csv"),
        layout.file("admission-control-config-file", "admission.yaml"),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        layout.file("service-account-key-file", "serviceaccount.pub"),
        layout.file("service-account-signing-key-file", "serviceaccount.key"),
        format!("--service-cluster-ip-range={}", layout.services),
        "--profiling=false".to_owned(),
    ];
    flags.extend(match &layout.node {
        None => vec![
            "--bind-address=127.0.0.1".to_owned(),
            // Goes nowhere: a loopback address is refused here, and without an endpoint reconciler nobody is told of it. Without the flag the
            // server wants a default route.
            "--advertise-address=192.0.2.1".to_owned(),
            "--endpoint-reconciler-type=none".to_owned(),
            "--authorization-mode=RBAC".to_owned(),
        ],
        Some(network) => vec![
            "--bind-address=0.0.0.0".to_owned(),
            // Pods come here through the Service `kubernetes`.
            format!("--advertise-address={}", network.address),
            "--authorization-mode=Node,RBAC".to_owned(),
            "--enable-admission-plugins=NodeRestriction".to_owned(),
            "--allow-privileged".to_owned(),
            layout.file("client-ca-file", "ca.crt"),
            layout.file("kubelet-client-certificate", "kubelet-client.crt"),
            layout.file("kubelet-client-key", "kubelet-client.key"),
            // The node's name leads nowhere.
            "--kubelet-preferred-address-types=InternalIP".to_owned(),
        ],
    });
    if layout.audit {
        flags.push(layout.file("audit-policy-file", "audit-policy.yaml"));
        flags.push(flag_with_path("audit-log-path", &layout.audit_log()));
    }
    flags
}

/// Without a node the controllers that an operator relies on: namespaces end, ServiceAccounts appear, owned objects go with their owner, and
/// aggregated ClusterRoles are filled. With a node all.
pub(super) fn controller_manager(layout: &Layout) -> Vec<String> {
    let controllers = [
        "namespace-controller",
        "serviceaccount-controller",
        "garbage-collector-controller",
        "clusterrole-aggregation-controller",
    ];
    let controllers = match &layout.node {
        None => vec![format!("--controllers={}", controllers.join(","))],
        Some(network) => vec![
            format!("--cluster-cidr={}", network.pods),
            "--allocate-node-cidrs".to_owned(),
            layout.file("root-ca-file", "ca.crt"),
        ],
    };
    let mut flags = vec![
        layout.file("kubeconfig", "controller-manager.kubeconfig"),
        layout.file("service-account-private-key-file", "serviceaccount.key"),
        // Each controller writes under its own name, as in a real cluster: the audit log tells them apart.
        "--use-service-account-credentials".to_owned(),
        "--leader-elect=false".to_owned(),
        "--secure-port=0".to_owned(),
        "--profiling=false".to_owned(),
    ];
    flags.extend(controllers);
    flags
}

/// The scheduler, where there is a node.
pub(super) fn scheduler(layout: &Layout) -> Vec<String> {
    vec![
        layout.file("kubeconfig", "scheduler.kubeconfig"),
        "--leader-elect=false".to_owned(),
        "--secure-port=0".to_owned(),
    ]
}
