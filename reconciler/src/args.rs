//! What the operator is started with: flags, each also an environment variable.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;

/// Reconciles RDSDatabase objects with AWS RDS.
#[derive(Parser, Clone, Debug)]
#[command(name = "rds-reconciler", version, about)]
pub struct Args {
    /// Where /healthz, /readyz and /metrics are served, in plain HTTP.
    #[arg(long, env = "RDS_RECONCILER_ADMIN_LISTEN", default_value = "0.0.0.0:8080")]
    pub admin_listen: SocketAddr,

    /// The name of this cluster in instance names and ownership tags [default: the UID of the namespace kube-system].
    ///
    /// A rebuilt cluster that is given its old name finds its databases again, and each object says how to take its own up. Do not change
    /// it while there are databases.
    #[arg(long, env = "RDS_RECONCILER_CLUSTER_NAME")]
    pub cluster_name: Option<String>,

    /// Work in this namespace alone, which needs rights in no other but that of the alias Services [default: all namespaces].
    #[arg(long, env = "RDS_RECONCILER_WATCH_NAMESPACE", value_name = "NAMESPACE")]
    pub watch_namespace: Option<String>,

    /// The namespace of the alias Services, so that <name>.<namespace>.svc leads to a database; without it there are none.
    #[arg(long, env = "RDS_RECONCILER_SERVICE_NAMESPACE")]
    pub service_namespace: Option<String>,

    /// A label, as key=value, that a namespace must have for its objects to get an alias; may be given several times. Without one all may.
    #[arg(
        long = "alias-namespace-label",
        env = "RDS_RECONCILER_ALIAS_NAMESPACE_LABELS",
        value_delimiter = ',',
        value_parser = label,
        value_name = "KEY=VALUE"
    )]
    pub alias_namespace_labels: Vec<(String, String)>,

    /// The CAs of the database servers, as PEM: for AWS its global bundle (https://truststore.pki.rds.amazonaws.com).
    #[arg(long, env = "RDS_RECONCILER_CA_BUNDLE", default_value = "/etc/rds-ca/global-bundle.pem")]
    pub rds_ca_bundle: PathBuf,

    /// A domain that endpoints may be in; may be given several times. Others are neither written into Services nor sent passwords.
    #[arg(
        long = "endpoint-suffix",
        env = "RDS_RECONCILER_ENDPOINT_SUFFIXES",
        value_delimiter = ',',
        default_values = ["rds.amazonaws.com", "rds.amazonaws.com.cn"]
    )]
    pub endpoint_suffixes: Vec<String>,

    /// Let one of several replicas act, by a Lease.
    #[arg(long, env = "RDS_RECONCILER_LEADER_ELECTION")]
    pub leader_election: bool,

    /// The namespace of the Lease.
    #[arg(long, env = "RDS_RECONCILER_LEASE_NAMESPACE", default_value = "rds-system")]
    pub lease_namespace: String,

    /// How many objects are worked on at the same time.
    #[arg(long, env = "RDS_RECONCILER_CONCURRENCY", default_value_t = 32)]
    pub concurrency: u16,

    /// Logs.
    #[command(flatten)]
    pub log: shared::telemetry::LogArgs,
}

fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it as key=value")?;
    Ok((key.to_owned(), value.to_owned()))
}
