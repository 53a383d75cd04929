//! Command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Measures the release binaries of both services.
#[derive(Debug, Parser)]
#[command(name = "bench")]
pub(crate) struct Args {
    /// What to measure.
    #[command(subcommand)]
    pub(crate) subject: Subject,

    /// Writes the result into this Markdown file, between the markers of the subject.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,

    /// The command to name in the result.
    #[arg(long, global = true, default_value = "bench", hide = true)]
    pub(crate) command: String,
}

/// What is measured.
#[derive(Debug, Subcommand)]
pub(crate) enum Subject {
    /// CPU time, latency, throughput, memory and start of the admission service, on loopback, beside a peer and a floor.
    Webhook(WebhookPlan),
    /// What the admission service answers otherwise than its peer, which keeps the rules of v0.1.0.
    Agreement(AgreementPlan),
    /// From `kubectl apply` to Ready, and the controller's memory, with the test bed's API server and local RDS.
    Reconciler(ReconcilerPlan),
    /// Many objects on one account, whose instances have no engines: calls to AWS, memory, CPU time.
    Fleet(FleetPlan),
    /// The simulated core: lives, small worlds, planted faults.
    Simulation(SimulationPlan),
    /// What users and databases inside a server cost, on real PostgreSQL servers, beside psql.
    Sql(SqlPlan),
}

impl Subject {
    /// The name of its section in the result.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Agreement(_) => "agreement",
            Self::Reconciler(_) => "reconciler",
            Self::Fleet(_) => "fleet",
            Self::Simulation(_) => "simulation",
            Self::Sql(_) => "sql",
        }
    }

    /// Whether the peer in Go is part of it.
    pub(crate) fn has_peer(&self) -> bool {
        matches!(self, Self::Webhook(_) | Self::Agreement(_))
    }
}

/// How the webhook is measured.
#[derive(Debug, clap::Args)]
#[command(args_override_self = true)]
pub(crate) struct WebhookPlan {
    /// The release binary.
    #[arg(long, value_name = "FILE", default_value = "target/release/rds-webhook")]
    pub(crate) program: PathBuf,

    /// The webhook on controller-runtime; without it ours is not compared.
    #[arg(long, value_name = "FILE")]
    pub(crate) peer: Option<PathBuf>,

    /// The server without rules; without it ours is not compared.
    #[arg(long, value_name = "FILE")]
    pub(crate) floor: Option<PathBuf>,

    /// Measures only the loads whose name holds this text.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) only: String,

    /// Keep-alive connections.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) connections: u16,

    /// Seconds of each round at a fixed rate.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seconds: u64,

    /// Rounds of each load.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) rounds: u16,

    /// Starts that are timed of each.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) starts: u16,
}

/// What is asked of both.
#[derive(Debug, clap::Args)]
#[command(args_override_self = true)]
pub(crate) struct AgreementPlan {
    /// The release binary.
    #[arg(long, value_name = "FILE", default_value = "target/release/rds-webhook")]
    pub(crate) program: PathBuf,

    /// The webhook on controller-runtime.
    #[arg(long, value_name = "FILE")]
    pub(crate) peer: PathBuf,
}

/// How long the simulation goes on.
#[derive(Debug, clap::Args)]
#[command(args_override_self = true)]
pub(crate) struct SimulationPlan {
    /// The simulation's test binary.
    #[arg(long, value_name = "FILE")]
    pub(crate) program: PathBuf,

    /// Lives, from the first seed on.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) lives: u64,
}

/// How the reconciler is measured.
#[derive(Debug, clap::Args)]
#[command(args_override_self = true)]
pub(crate) struct ReconcilerPlan {
    /// Objects that are Ready when its memory is read, each with a PostgreSQL server of its own.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(2..))]
    pub(crate) objects: u16,

    /// Objects that are made one after the other, and timed, before the rest is made at once.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) timed: u16,

    /// What the local RDS multiplies the durations of AWS by.
    #[arg(long, default_value_t = 0.005)]
    pub(crate) time_scale: f64,

    /// Seconds at rest, during which its memory is read.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rest: u64,

    /// An empty or absent folder for everything that is made; it is removed at the end.
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    pub(crate) dir: PathBuf,
}

/// How fleets are measured.
#[derive(Debug, clap::Args)]
#[command(args_override_self = true)]
pub(crate) struct FleetPlan {
    /// How many objects, one fleet after the other, with a cloud that takes no time.
    #[arg(long, value_delimiter = ',', default_value = "10,100,500,1000,5000")]
    pub(crate) objects: Vec<usize>,

    /// The same with one that takes as long as RDS: five minutes to create, one for the first backup.
    #[arg(long, value_delimiter = ',', default_value = "500")]
    pub(crate) slow: Vec<usize>,

    /// Seconds at rest that stand for an hour.
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rest: u64,

    /// An empty or absent folder for everything that is made; it is removed at the end.
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    pub(crate) dir: PathBuf,
}

/// How the engine is measured.
#[derive(Debug, clap::Args)]
#[command(args_override_self = true)]
pub(crate) struct SqlPlan {
    /// Versions of PostgreSQL, one column for each.
    #[arg(long, value_name = "VERSION", value_delimiter = ',', default_value = "18,12")]
    pub(crate) versions: Vec<String>,

    /// Looks that are timed.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) looks: u16,

    /// Users that are added one after the other, and rounds beside psql.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) rounds: u16,

    /// An empty or absent folder for everything that is made; it is removed at the end.
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    pub(crate) dir: PathBuf,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_is_well_formed() {
        Args::command().debug_assert();
    }
}
