//! `local-rds`: an RDS-compatible server for one machine.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{CommandFactory, Parser};
use local_rds::{Args, Command, Options, Server};
use nix::unistd::{Pid, getppid};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let args = Args::parse();
    let result = match (args.command, args.options) {
        // Before the runtime, because a process with threads cannot enter a user namespace.
        (Some(Command::ExecPostgres(exec)), _) => match exec.run() {
            Ok(never) => match never {},
            Err(error) => Err(error.into()),
        },
        (Some(Command::Fetch { version }), _) => fetch(&version),
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
async fn fetch(version: &str) -> anyhow::Result<()> {
    let programs = local_rds::fetch(version).await?;
    // Nobody needs to read it.
    let _ = writeln!(std::io::stdout(), "{}", programs.display());
    Ok(())
}

#[tokio::main]
async fn serve(options: Options, exit_with_parent: bool) -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| "info,sqlx=warn".into()))
        .with_writer(std::io::stderr)
        .init();
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM")?;
    let parent = exit_with_parent.then(getppid);
    let mut server = Server::start(options).await?;
    // Nobody needs to read it.
    let _ = writeln!(
        std::io::stdout(),
        "local-rds is serving on {}; its instances are at {}",
        server.endpoint(),
        server.instances()
    );
    let ended = tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted.context("SIGINT"),
        () = orphaned(parent) => Ok(()),
        failure = server.ended() => Err(failure).context("the API"),
    };
    server.stop().await;
    ended
}

/// Returns when `parent` has ended; without one, never. The kernel's parent-death signal would come when the thread that started this process
/// ends, which need not be the end of the parent.
async fn orphaned(parent: Option<Pid>) {
    while parent.is_none_or(|parent| getppid() == parent) {
        sleep(Duration::from_millis(200)).await;
    }
}
