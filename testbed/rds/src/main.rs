//! `local-rds`: an RDS-compatible server for one machine.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, ensure};
use clap::{CommandFactory, Parser};
use local_rds::{Args, Command, Options, Server};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::getppid;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let args = Args::parse();
    let result = match (args.command, args.options) {
        // Before the runtime, because a process with threads cannot enter a user namespace.
        (Some(Command::ExecPostgres(exec)), _) => match exec.run() {
            Ok(never) => match never {},
            Err(error) => Err(error.into()),
        },
        (None, Some(options)) => serve(options, args.exit_with_parent),
        (None, None) => Args::command()
            .error(clap::error::ErrorKind::MissingRequiredArgument, "--data-dir <DATA_DIR> is required")
            .exit(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when standard error is closed.
            let _ = writeln!(std::io::stderr(), "local-rds: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn serve(options: Options, exit_with_parent: bool) -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| "info,sqlx=warn".into()))
        .with_writer(std::io::stderr)
        .init();
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM")?;
    if exit_with_parent {
        let parent = getppid();
        set_pdeathsig(Signal::SIGTERM).context("prctl")?;
        ensure!(getppid() == parent, "the parent process has ended");
    }
    let server = Server::start(options).await?;
    writeln!(std::io::stdout(), "local-rds is serving on {}", server.endpoint())?;
    tokio::select! {
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted.context("SIGINT")?,
    }
    server.stop().await;
    Ok(())
}
