//! Logs and metrics of a long-lived service.

mod exposition;

use std::io::{self, IsTerminal as _};

use clap::{Args, ValueEnum};
use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{FilterExt as _, LevelFilter, ParseError, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

pub use exposition::{Form, encode, register_build};

/// Flags for logs, to be flattened into a service's own.
#[derive(Clone, Debug, Args)]
pub struct LogArgs {
    /// Form of log lines.
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,

    /// What is logged: a level, or directives such as "info,kube=warn".
    #[arg(long, env = "RUST_LOG", default_value = "info", value_parser = level)]
    pub log_level: String,
}

/// A single word that is no level would be the name of a module, and silence all others.
fn level(text: &str) -> Result<String, String> {
    // A semicolon would be taken for a part of a module's name.
    let directives = text.contains(['=', ',', '[']) && !text.contains(';');
    if (directives && EnvFilter::try_new(text).is_ok()) || text.parse::<LevelFilter>().is_ok() {
        Ok(text.to_owned())
    } else {
        Err("write off, error, warn, info, debug or trace, or directives such as \"info,kube=warn\"".to_owned())
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_one_or_a_list_of_directives() {
        for good in ["info", "WARN", "off", "info,kube=warn", "kube=debug", "rds_webhook[span]=trace"] {
            assert_eq!(level(good), Ok(good.to_owned()));
        }
        for bad in ["verbose", "inof", "info;kube=warn", "kube=loud"] {
            assert!(level(bad).is_err(), "{bad}");
        }
    }
}
