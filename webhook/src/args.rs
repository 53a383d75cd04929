//! Command line and environment.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
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

    /// PEM file with the certificate chain, leaf first; read again when it changes.
    #[arg(long, env = "RDS_WEBHOOK_TLS_CERT", value_name = "FILE", default_value = "/tls/tls.crt")]
    pub tls_cert: PathBuf,

    /// PEM file with the private key of the leaf.
    #[arg(long, env = "RDS_WEBHOOK_TLS_KEY", value_name = "FILE", default_value = "/tls/tls.key")]
    pub tls_key: PathBuf,

    /// How often the certificate files are compared with what is served.
    #[arg(long, env = "RDS_WEBHOOK_TLS_POLL_INTERVAL", value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub tls_poll_interval: Duration,

    /// Largest body of a review, in bytes; the default holds an old and a new object of 3 MB each.
    #[arg(long, env = "RDS_WEBHOOK_BODY_LIMIT", value_name = "BYTES", default_value_t = 7 * 1024 * 1024)]
    pub body_limit: usize,

    /// Bytes that reviews may take in memory at a time, by an upper estimate; a request beyond it is asked to come again (429). The
    /// process needs some 32 MiB besides.
    #[arg(long, env = "RDS_WEBHOOK_IN_FLIGHT_LIMIT", value_name = "BYTES", default_value_t = 80 * 1024 * 1024)]
    pub in_flight_limit: usize,

    /// Longest time for one request, its body included.
    #[arg(long, env = "RDS_WEBHOOK_REQUEST_TIMEOUT", value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub request_timeout: Duration,

    /// Longest time for a TLS handshake.
    #[arg(long, env = "RDS_WEBHOOK_HANDSHAKE_TIMEOUT", value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub handshake_timeout: Duration,

    /// Longest time a connection may wait for the next request's header. Longer than the 90 s after which an API server itself gives
    /// up an idle connection, or the two would race.
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

    /// Logs.
    #[command(flatten)]
    pub log: LogArgs,
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
    fn durations_have_units() {
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert!(duration("8").is_err());
        assert!(duration("-8s").is_err());
    }
}
