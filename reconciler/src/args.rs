//! What the operator is started with: flags, each also an environment variable.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use shared::flags;
use shared::rules::DefaultVersion;

/// Reconciles RDSDatabase objects with AWS RDS.
#[derive(Clone, Debug, Parser)]
#[command(name = "rds-reconciler", version, about)]
pub struct Args {
    /// Where /healthz, /readyz and /metrics are served, in plain HTTP.
    #[arg(long, env = "RDS_RECONCILER_ADMIN_LISTEN", default_value = "0.0.0.0:8080")]
    pub(crate) admin_listen: SocketAddr,

    /// The name of this cluster in instance names and ownership tags [default: the UID of the namespace kube-system].
    ///
    /// A rebuilt cluster that is given its old name finds its databases again, and each object says how to take its own up. Do not change
    /// it while there are databases.
    #[arg(long, env = "RDS_RECONCILER_CLUSTER_NAME", value_name = "NAME", value_parser = cluster_name)]
    pub(crate) cluster_name: Option<String>,

    /// Work in this namespace alone, which needs rights in no other but that of the alias Services [default: all namespaces].
    #[arg(long, env = "RDS_RECONCILER_WATCH_NAMESPACE", value_name = "NAMESPACE", value_parser = flags::label)]
    pub(crate) watch_namespace: Option<String>,

    /// The namespace of the alias Services, so that <name>.<namespace>.svc leads to a database; without it there are none.
    #[arg(long, env = "RDS_RECONCILER_SERVICE_NAMESPACE", value_name = "NAMESPACE", value_parser = flags::label)]
    pub(crate) service_namespace: Option<String>,

    /// A label, as key=value, that a namespace must have for its objects to get an alias; may be given several times. Without one all may.
    #[arg(
        long = "alias-namespace-label",
        env = "RDS_RECONCILER_ALIAS_NAMESPACE_LABELS",
        value_delimiter = ',',
        value_parser = label,
        value_name = "KEY=VALUE"
    )]
    pub(crate) alias_namespace_labels: Vec<(String, String)>,

    /// The version of objects that name none, as ENGINE=VERSION: postgresql=17. May be given several times [default: postgresql=12 and
    /// mysql=8.4]. Only for objects that were admitted while the webhook was away, which has to be told the same.
    #[arg(
        long = "default-version",
        env = "RDS_RECONCILER_DEFAULT_VERSION",
        value_name = "ENGINE=VERSION",
        value_delimiter = ','
    )]
    pub(crate) default_versions: Vec<DefaultVersion>,

    /// The CAs of the database servers, as PEM: for AWS its global bundle (https://truststore.pki.rds.amazonaws.com).
    #[arg(long, env = "RDS_RECONCILER_CA_BUNDLE", default_value = "/etc/rds-ca/global-bundle.pem")]
    pub(crate) rds_ca_bundle: PathBuf,

    /// A domain that endpoints may be in; may be given several times. Others are neither written into Services nor sent passwords.
    #[arg(
        long = "endpoint-suffix",
        env = "RDS_RECONCILER_ENDPOINT_SUFFIXES",
        value_delimiter = ',',
        default_values = ["rds.amazonaws.com", "rds.amazonaws.com.cn"],
        value_parser = domain
    )]
    pub(crate) endpoint_suffixes: Vec<String>,

    /// Refuse new objects that name no class while no class is marked as the default: the built-in class has no limits.
    #[arg(long, env = "RDS_RECONCILER_REQUIRE_CLASS")]
    pub(crate) require_class: bool,

    /// Let one of several replicas act, by a Lease.
    #[arg(long, env = "RDS_RECONCILER_LEADER_ELECTION")]
    pub(crate) leader_election: bool,

    /// The namespace of the Lease.
    #[arg(long, env = "RDS_RECONCILER_LEASE_NAMESPACE", default_value = "rds-system", value_parser = flags::label)]
    pub(crate) lease_namespace: String,

    /// How many objects are worked on at the same time.
    #[arg(long, env = "RDS_RECONCILER_CONCURRENCY", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) concurrency: u16,

    /// Seconds after which a parameter group of this operator's that no instance uses any more is removed.
    #[arg(
        long,
        env = "RDS_RECONCILER_UNUSED_GROUPS_AFTER",
        value_name = "SECONDS",
        default_value_t = 3600,
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub(crate) unused_groups_after: u64,

    /// Logs.
    #[command(flatten)]
    pub log: shared::telemetry::LogArgs,
}

fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it as key=value")?;
    if key.trim().is_empty() {
        return Err("write a key before the =".to_owned());
    }
    Ok((key.to_owned(), value.to_owned()))
}

/// The cluster's name is hashed into identifiers as it is, and is the value of a tag.
///
/// Source: RDS API, Tag: at most 256 letters, digits, spaces and `_.:/=+-@`.
fn cluster_name(text: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_alphanumeric() || " _.:/=+-@".contains(c);
    if text.trim() == text && !text.is_empty() && text.chars().count() <= 256 && text.chars().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err("it becomes a tag: write 1 to 256 letters, digits, spaces and _.:/=+-@, no space at the ends".to_owned())
    }
}

/// A domain, perhaps with a dot before it; or the whole name or address of a host.
fn domain(text: &str) -> Result<String, String> {
    match flags::subdomain(text.strip_prefix('.').unwrap_or(text)) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("write a domain such as rds.amazonaws.com".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_is_well_formed() {
        Args::command().debug_assert();
    }

    #[test]
    fn nonsense_is_refused_with_its_flag_and_what_is_allowed() {
        let long = format!("--cluster-name={}", "x".repeat(257));
        for (arg, allowed) in [
            ("--cluster-name=", "it becomes a tag"),
            ("--cluster-name= prod", "it becomes a tag"),
            ("--cluster-name=prod;drop", "it becomes a tag"),
            ("--cluster-name=prod\u{2601}", "it becomes a tag"),
            (&long, "1 to 256 letters"),
            ("--watch-namespace=Shop", "write 1 to 63 lower-case letters"),
            ("--watch-namespace=", "write 1 to 63 lower-case letters"),
            ("--service-namespace=rds.svc", "write 1 to 63 lower-case letters"),
            ("--lease-namespace=-", "write 1 to 63 lower-case letters"),
            ("--concurrency=0", "1..=65535"),
            ("--concurrency=-1", "1..=65535"),
            ("--unused-groups-after=0", "1.."),
            ("--endpoint-suffix=.", "write a domain such as rds.amazonaws.com"),
            ("--endpoint-suffix=*.amazonaws.com", "write a domain such as rds.amazonaws.com"),
            ("--alias-namespace-label=team", "write it as key=value"),
            ("--alias-namespace-label==a", "write a key before the ="),
            ("--default-version=postgresql=11", "is not a version of PostgreSQL that is offered"),
            ("--admin-listen=8080", "invalid socket address"),
        ] {
            let said = Args::try_parse_from(["rds-reconciler", arg]).unwrap_err().to_string();
            let (flag, value) = arg.split_once('=').unwrap();
            assert!(said.contains(flag) && said.contains(value) && said.contains(allowed), "{arg}: {said}");
        }
        for arg in ["--cluster-name=Prod eu-1", "--endpoint-suffix=.example.org", "--endpoint-suffix=127.0.0.1"] {
            assert!(Args::try_parse_from(["rds-reconciler", arg]).is_ok(), "{arg}");
        }
    }
}
