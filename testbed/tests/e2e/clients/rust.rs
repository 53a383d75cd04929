//! The client in Rust, on sqlx. It is a process of its own, because libraries read the environment.

use std::{io::Write as _, path::Path, process::ExitCode};

use anyhow::{Context, Result};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// The argument that makes a client of this program.
pub(super) const VERB: &str = "log-in-with-a-mounted-secret";

/// Runs as the client, if that is what this process was started for.
pub(crate) fn run_as_client() -> Result<Option<ExitCode>> {
    if std::env::args().nth(1).is_none_or(|verb| verb != VERB) {
        return Ok(None);
    }
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(std::io::stderr)
        .init();
    tokio::runtime::Runtime::new()?.block_on(log_in())?;
    Ok(Some(ExitCode::SUCCESS))
}

async fn log_in() -> Result<()> {
    let variable = |name: &str| std::env::var(name).with_context(|| name.to_owned());
    let uri = std::fs::read_to_string(Path::new(&variable("SERVICE_BINDING_ROOT")?).join("orders/uri"))?;
    let mut connection = PgConnection::connect(&uri).await?;
    let answer: String = sqlx::query_scalar(AssertSqlSafe(variable("QUESTION")?)).fetch_one(&mut connection).await?;
    writeln!(std::io::stdout(), "{answer}")?;
    Ok(())
}
