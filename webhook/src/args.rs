//! Command line and environment.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use jiff::SignedDuration;
use shared::telemetry::LogArgs;

/// Admission service of RDSDatabase: fills in defaults and refuses what cannot work.
#[derive(Debug, Clone, Parser)]
#[command(name = "rds-webhook", version)]
pub struct Args {
    /// Address of the TLS listener with /mutate and /validate.
    #[arg(long, env = "RDS_WEBHOOK_LISTEN", value_name = "ADDRESS", default_value = "0.0.0.0:8443")]
    pub listen: SocketAddr,

    /// Address of the plain listener with /healthz, /readyz and /metrics.
    #[arg(long, env = "RDS_WEBHOOK_ADMIN_LISTEN", value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    pub admin_listen: SocketAddr,

    /// Where the certificate comes from.
    #[arg(long, env = "RDS_WEBHOOK_TLS_SOURCE", value_enum, default_value_t = TlsSource::Files)]
    pub tls_source: TlsSource,

    /// PEM file with the certificate chain, leaf first; read again when it changes.
    #[arg(long, env = "RDS_WEBHOOK_TLS_CERT", value_name = "FILE", default_value = "/tls/tls.crt")]
    pub tls_cert: PathBuf,

    /// PEM file with the private key of the leaf.
    #[arg(long, env = "RDS_WEBHOOK_TLS_KEY", value_name = "FILE", default_value = "/tls/tls.key")]
    pub tls_key: PathBuf,

    /// PEM file with the authorities of clients: whoever connects has to show a certificate by one of them. Read again when it
    /// changes. Without it everybody may connect.
    #[arg(long, env = "RDS_WEBHOOK_CLIENT_CA", value_name = "FILE")]
    pub client_ca: Option<PathBuf>,

    /// How often files of certificates are compared with what is served.
    #[arg(long, env = "RDS_WEBHOOK_TLS_POLL_INTERVAL", value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub tls_poll_interval: Duration,

    /// Largest body of a review, in bytes; the default holds an old and a new object of 3 MB each.
    #[arg(long, env = "RDS_WEBHOOK_BODY_LIMIT", value_name = "BYTES", default_value_t = 7 * 1024 * 1024)]
    pub body_limit: usize,

    /// Bytes that reviews may take in memory at a time, by an upper estimate; a request beyond it is asked to come again (429). The
    /// process needs some 32 MiB besides.
    #[arg(long, env = "RDS_WEBHOOK_IN_FLIGHT_LIMIT", value_name = "BYTES", default_value_t = 80 * 1024 * 1024)]
    pub in_flight_limit: usize,

    /// Longest time for one request, its body included, and again for a client to take the answer.
    #[arg(long, env = "RDS_WEBHOOK_REQUEST_TIMEOUT", value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub request_timeout: Duration,

    /// Longest time for a TLS handshake.
    #[arg(long, env = "RDS_WEBHOOK_HANDSHAKE_TIMEOUT", value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub handshake_timeout: Duration,

    /// Longest time a connection may wait for the next request's header; for the first one it has at most 10 s. Longer than the 90 s after
    /// which an API server itself gives up an idle connection, or the two would race.
    #[arg(long, env = "RDS_WEBHOOK_HEADER_TIMEOUT", value_name = "DURATION", default_value = "2m", value_parser = duration)]
    pub header_timeout: Duration,

    /// Connections at a time; further ones wait to be accepted.
    #[arg(long, env = "RDS_WEBHOOK_MAX_CONNECTIONS", value_name = "COUNT", default_value_t = 512)]
    pub max_connections: usize,

    /// How long to serve on after SIGTERM, not ready any more, until traffic goes elsewhere.
    #[arg(long, env = "RDS_WEBHOOK_DRAIN_DELAY", value_name = "DURATION", default_value = "8s", value_parser = duration)]
    pub drain_delay: Duration,

    /// How long after that requests under way may take to end.
    #[arg(long, env = "RDS_WEBHOOK_DRAIN_TIMEOUT", value_name = "DURATION", default_value = "20s", value_parser = duration)]
    pub drain_timeout: Duration,

    /// Certificates of our own.
    #[command(flatten, next_help_heading = "With --tls-source=self-managed")]
    pub authority: AuthorityArgs,

    /// Logs.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Where the certificate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TlsSource {
    /// From --tls-cert and --tls-key, where cert-manager or someone else puts it.
    Files,
    /// Made here, by an authority that all replicas share in a Secret; the caBundle of the webhook configurations follows.
    SelfManaged,
}

/// Flags of certificates that the webhook makes itself.
#[derive(Debug, Clone, clap::Args)]
pub struct AuthorityArgs {
    /// Namespace of the webhook's Service and of the authority's Secret.
    #[arg(long, env = "RDS_WEBHOOK_NAMESPACE", value_name = "NAME", default_value = "rds-system", value_parser = label)]
    pub namespace: String,

    /// The webhook's Service: certificates are for <service>.<namespace>.svc and <service>.<namespace>.svc.cluster.local.
    #[arg(long, env = "RDS_WEBHOOK_SERVICE_NAME", value_name = "NAME", default_value = "rds-webhook", value_parser = label)]
    pub service_name: String,

    /// The Secret that holds the authority. It has to be there, and may be empty.
    #[arg(long, env = "RDS_WEBHOOK_AUTHORITY_SECRET", value_name = "NAME", default_value = "rds-webhook-authority")]
    pub authority_secret: String,

    /// Name of the MutatingWebhookConfiguration and of the ValidatingWebhookConfiguration whose caBundles are written.
    #[arg(long, env = "RDS_WEBHOOK_WEBHOOK_CONFIGURATION", value_name = "NAME", default_value = "rds-webhook")]
    pub webhook_configuration: String,

    /// Life of an authority; after two thirds the next one is announced.
    #[arg(long, env = "RDS_WEBHOOK_AUTHORITY_LIFETIME", value_name = "DURATION", default_value = "8760h", value_parser = duration)]
    pub authority_lifetime: Duration,

    /// Life of a certificate, at most a third of an authority's; after two thirds it is replaced.
    #[arg(long, env = "RDS_WEBHOOK_LEAF_LIFETIME", value_name = "DURATION", default_value = "168h", value_parser = duration)]
    pub leaf_lifetime: Duration,

    /// How long API servers have to know an authority before it signs, at most a sixth of its life.
    #[arg(long, env = "RDS_WEBHOOK_AUTHORITY_OVERLAP", value_name = "DURATION", default_value = "10m", value_parser = duration)]
    pub authority_overlap: Duration,

    /// How often the Secret and the webhook configurations are looked at; more often where lives are short.
    #[arg(long, env = "RDS_WEBHOOK_AUTHORITY_POLL_INTERVAL", value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub authority_poll_interval: Duration,
}

impl AuthorityArgs {
    /// The DNS names that certificates are for, first the one that API servers ask for.
    pub fn dns_names(&self) -> Vec<String> {
        let service = format!("{}.{}.svc", self.service_name, self.namespace);
        let long = format!("{service}.cluster.local");
        vec![service, long]
    }
}

/// A DNS label, as names of Services and namespaces are.
fn label(text: &str) -> Result<String, String> {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let whole = text.bytes().all(|byte| inner(byte) || byte == b'-');
    let ends = text.bytes().next().is_some_and(inner) && text.bytes().last().is_some_and(inner);
    if whole && ends && text.len() <= 63 {
        Ok(text.to_owned())
    } else {
        Err(format!("{text:?} is not a name of 1 to 63 lower-case letters, digits and hyphens"))
    }
}

/// `8s`, `2m`, `1m 30s`, `500ms`.
fn duration(text: &str) -> Result<Duration, String> {
    let signed: SignedDuration =
        text.parse().map_err(|_| format!("{text:?} is not a duration such as 8s, 500ms or 2m"))?;
    Duration::try_from(signed).map_err(|_| "a duration is not negative".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_is_well_formed() {
        Args::command().debug_assert();
    }

    #[test]
    fn names_are_labels() {
        for good in ["a", "rds-webhook", "0", &"a".repeat(63)] {
            assert_eq!(label(good), Ok(good.to_owned()));
        }
        for bad in ["", "-a", "a-", "A", "a.b", "a b", &"a".repeat(64)] {
            assert!(label(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert!(duration("8").is_err());
        assert!(duration("-8s").is_err());
    }
}
