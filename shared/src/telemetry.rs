//! Logs and metrics of a long-lived service.

use std::io::{self, IsTerminal as _};

use clap::{Args, ValueEnum};
use prometheus_client::registry::Registry;
use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{FilterExt as _, ParseError, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

/// Content type of what [`encode`] writes.
pub const METRICS_CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Flags for logs, to be flattened into a service's own.
#[derive(Args, Clone, Debug)]
pub struct LogArgs {
    /// Form of log lines.
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,

    /// What is logged: a level, or directives such as "info,kube=warn".
    #[arg(long, env = "RUST_LOG", default_value = "info")]
    pub log_level: String,
}

/// Form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// Text for people, coloured on a terminal.
    Text,
}

/// Why logs cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The level is neither one nor a list of directives.
    #[error("--log-level {level:?} is neither a level nor a list of directives: {source}")]
    Level {
        /// What was given.
        level: String,
        /// What is wrong with it.
        source: ParseError,
    },
    /// Something else in the process receives logs already.
    #[error("logs are set up already: {0}")]
    Twice(#[from] TryInitError),
}

/// Libraries that print whole requests and answers at the finest levels, passwords among them: they are held to `info`, whatever the
/// level that is asked for.
const TALKATIVE: [&str; 4] = ["aws_", "hyper", "h2", "sqlx"];

fn discreet(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= Level::INFO || !TALKATIVE.iter().any(|prefix| metadata.target().starts_with(prefix))
}

/// Sends the process's logs to standard error.
///
/// # Errors
/// The level cannot be parsed, or logs are set up already.
pub fn init(args: &LogArgs) -> Result<(), TelemetryError> {
    let filter = EnvFilter::try_new(&args.log_level)
        .map_err(|source| TelemetryError::Level { level: args.log_level.clone(), source })?;
    let logs = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let logs = match args.log_format {
        LogFormat::Json => logs.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed(),
        LogFormat::Text => logs.with_ansi(io::stderr().is_terminal()).boxed(),
    };
    tracing_subscriber::registry().with(logs.with_filter(filter.and(filter_fn(discreet)))).try_init()?;
    Ok(())
}

/// The registry's metrics in the OpenMetrics text form, of [`METRICS_CONTENT_TYPE`].
///
/// # Errors
/// A metric could not be written.
pub fn encode(registry: &Registry) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, registry)?;
    Ok(text)
}
