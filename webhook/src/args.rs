//! Command line and environment.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use shared::flags::{duration, label, some_time, subdomain};
use shared::rules::DefaultVersion;
use shared::telemetry::LogArgs;

/// Bounds of `--body-limit`.
const SMALLEST_BODY: usize = 64 * 1024;
const LARGEST_BODY: usize = 256 * 1024 * 1024;

/// Admission service of RDSDatabase: fills in defaults and refuses what cannot work.
#[derive(Clone, Debug, Parser)]
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
    #[arg(long, env = "RDS_WEBHOOK_TLS_POLL_INTERVAL", value_name = "DURATION", default_value = "5s", value_parser = some_time)]
    pub tls_poll_interval: Duration,

    /// The version of objects that name none, as ENGINE=VERSION: postgresql=17. May be given several times [default: postgresql=12 and
    /// mysql=8.4]. The reconciler has to be told the same.
    #[arg(
        long = "default-version",
        env = "RDS_WEBHOOK_DEFAULT_VERSION",
        value_name = "ENGINE=VERSION",
        value_delimiter = ','
    )]
    pub default_versions: Vec<DefaultVersion>,

    /// Largest body of a review, in bytes; the default holds an old and a new object of 3 MB each.
    #[arg(long, env = "RDS_WEBHOOK_BODY_LIMIT", value_name = "BYTES", default_value_t = 7 * 1024 * 1024, value_parser = body)]
    pub body_limit: usize,

    /// Bytes that reviews may take in memory at a time, by an upper estimate, at least --body-limit; a request beyond it is asked to come
    /// again (429). The process needs some 32 MiB besides.
    #[arg(long, env = "RDS_WEBHOOK_IN_FLIGHT_LIMIT", value_name = "BYTES", default_value_t = 80 * 1024 * 1024, value_parser = count)]
    pub in_flight_limit: usize,

    /// Longest time for one request, its body included, and again for a client to take the answer.
    #[arg(long, env = "RDS_WEBHOOK_REQUEST_TIMEOUT", value_name = "DURATION", default_value = "10s", value_parser = some_time)]
    pub request_timeout: Duration,

    /// Longest time for a TLS handshake.
    #[arg(long, env = "RDS_WEBHOOK_HANDSHAKE_TIMEOUT", value_name = "DURATION", default_value = "5s", value_parser = some_time)]
    pub handshake_timeout: Duration,

    /// Longest time a connection may wait for the next request's header; for the first one it has at most 10 s. Longer than the 90 s after
    /// which an API server itself gives up an idle connection, or the two would race.
    #[arg(long, env = "RDS_WEBHOOK_HEADER_TIMEOUT", value_name = "DURATION", default_value = "2m", value_parser = some_time)]
    pub header_timeout: Duration,

    /// Connections at a time, of which the plain listener has at most 128 of its own. At the limit one that only waits is closed for each that
    /// comes: first those that never asked.
    #[arg(long, env = "RDS_WEBHOOK_MAX_CONNECTIONS", value_name = "COUNT", default_value_t = 512, value_parser = count)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TlsSource {
    /// From --tls-cert and --tls-key, where cert-manager or someone else puts it.
    Files,
    /// Made here, by an authority that all replicas share in a Secret; the caBundle of the webhook configurations follows.
    SelfManaged,
}

/// Flags of certificates that the webhook makes itself.
#[derive(Clone, Debug, clap::Args)]
pub struct AuthorityArgs {
    /// Namespace of the webhook's Service and of the authority's Secret.
    #[arg(long, env = "RDS_WEBHOOK_NAMESPACE", value_name = "NAME", default_value = "rds-system", value_parser = label)]
    pub namespace: String,

    /// The webhook's Service: certificates are for <service>.<namespace>.svc and <service>.<namespace>.svc.cluster.local.
    #[arg(long, env = "RDS_WEBHOOK_SERVICE_NAME", value_name = "NAME", default_value = "rds-webhook", value_parser = label)]
    pub service_name: String,

    /// The Secret that holds the authority. It has to be there, and may be empty.
    #[arg(long, env = "RDS_WEBHOOK_AUTHORITY_SECRET", value_name = "NAME", default_value = "rds-webhook-authority", value_parser = subdomain)]
    pub authority_secret: String,

    /// Name of the MutatingWebhookConfiguration and of the ValidatingWebhookConfiguration whose caBundles are written.
    #[arg(long, env = "RDS_WEBHOOK_WEBHOOK_CONFIGURATION", value_name = "NAME", default_value = "rds-webhook", value_parser = subdomain)]
    pub webhook_configuration: String,

    /// Life of an authority; after two thirds the next one is announced.
    #[arg(long, env = "RDS_WEBHOOK_AUTHORITY_LIFETIME", value_name = "DURATION", default_value = "8760h", value_parser = some_time)]
    pub authority_lifetime: Duration,

    /// Life of a certificate, at most a third of an authority's; after two thirds it is replaced.
    #[arg(long, env = "RDS_WEBHOOK_LEAF_LIFETIME", value_name = "DURATION", default_value = "168h", value_parser = some_time)]
    pub leaf_lifetime: Duration,

    /// How long API servers have to know an authority before it signs, at most a sixth of its life.
    #[arg(long, env = "RDS_WEBHOOK_AUTHORITY_OVERLAP", value_name = "DURATION", default_value = "10m", value_parser = some_time)]
    pub authority_overlap: Duration,

    /// How often the Secret and the webhook configurations are looked at; more often where lives are short.
    #[arg(long, env = "RDS_WEBHOOK_AUTHORITY_POLL_INTERVAL", value_name = "DURATION", default_value = "10s", value_parser = some_time)]
    pub authority_poll_interval: Duration,
}

impl AuthorityArgs {
    /// The DNS names that certificates are for, first the one that API servers ask for.
    pub(crate) fn dns_names(&self) -> Vec<String> {
        let service = format!("{}.{}.svc", self.service_name, self.namespace);
        let long = format!("{service}.cluster.local");
        vec![service, long]
    }
}

/// A number that is not 0.
fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("write a whole number from 1 on".to_owned()),
        Ok(count) => Ok(count),
    }
}

/// The bytes of a body: an object that etcd can store has 1.5 MiB at most, and Kubernetes sends two of them.
fn body(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(bytes @ SMALLEST_BODY..=LARGEST_BODY) => Ok(bytes),
        _ => Err(format!("write {SMALLEST_BODY} to {LARGEST_BODY} bytes")),
    }
}

impl Args {
    /// What one flag says of another.
    ///
    /// # Errors
    /// Which flags contradict each other, and what is allowed.
    pub fn check(&self) -> Result<(), String> {
        if self.in_flight_limit < self.body_limit {
            return Err(format!(
                "--in-flight-limit={} is less than one body may have: write at least the {} of --body-limit",
                self.in_flight_limit, self.body_limit
            ));
        }
        if self.listen == self.admin_listen && self.listen.port() != 0 {
            return Err(format!("--admin-listen={} is the address of --listen: write another one", self.admin_listen));
        }
        Ok(())
    }
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
    fn nonsense_is_refused_with_its_flag_and_what_is_allowed() {
        for (arg, allowed) in [
            ("--in-flight-limit=0", "write a whole number from 1 on"),
            ("--in-flight-limit=80MiB", "write a whole number from 1 on"),
            ("--body-limit=0", "write 65536 to 268435456 bytes"),
            ("--body-limit=99999999999999999999", "write 65536 to 268435456 bytes"),
            ("--max-connections=0", "write a whole number from 1 on"),
            ("--request-timeout=0s", "write a duration longer than 0"),
            ("--handshake-timeout=0ms", "write a duration longer than 0"),
            ("--header-timeout=-1m", "a duration is not negative"),
            ("--tls-poll-interval=0s", "write a duration longer than 0"),
            ("--drain-delay=-8s", "a duration is not negative"),
            ("--leaf-lifetime=0h", "write a duration longer than 0"),
            ("--namespace=Rds", "write 1 to 63 lower-case letters"),
            ("--authority-secret=a/b", "write at most 253 lower-case letters"),
            ("--webhook-configuration=", "write at most 253 lower-case letters"),
            ("--default-version=postgresql", "write an engine and its version, such as postgresql=17"),
            ("--default-version=postgresql=latest", "is not a version of PostgreSQL"),
            ("--listen=8443", "invalid socket address"),
            ("--log-level=verbose", "write off, error, warn, info, debug or trace"),
            ("--tls-source=file", "possible values: files, self-managed"),
        ] {
            let said = Args::try_parse_from(["rds-webhook", arg]).expect_err(arg).to_string();
            let (flag, value) = arg.split_once('=').expect("a value");
            assert!(said.contains(flag) && said.contains(value) && said.contains(allowed), "{arg}: {said}");
        }
        assert!(Args::try_parse_from(["rds-webhook", "--drain-delay=0s", "--drain-timeout=0s"]).is_ok());
    }

    #[test]
    fn flags_that_contradict_each_other_are_refused() {
        let check = |args: &[&str]| {
            Args::try_parse_from(["rds-webhook"].iter().chain(args)).expect("each by itself is right").check()
        };
        assert_eq!(check(&[]), Ok(()));
        assert_eq!(check(&["--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0"]), Ok(()));
        assert_eq!(check(&["--in-flight-limit=7340032"]), Ok(()));
        let little = check(&["--in-flight-limit=7340031"]).expect_err("too little");
        assert!(little.contains("--in-flight-limit=7340031") && little.contains("7340032 of --body-limit"), "{little}");
        assert!(check(&["--admin-listen=0.0.0.0:8443"]).expect_err("taken").contains("--admin-listen=0.0.0.0:8443"));
    }
}
