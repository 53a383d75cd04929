//! The command line.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use rds_model::Quotas;

use crate::exec::ExecPostgres;

/// Not us-east-1: clients take that for the region that has no name, and some then call AWS's own endpoints.
const DEFAULT_REGION: &str = "eu-central-1";

/// An RDS-compatible API whose DB instances are PostgreSQL servers on this machine.
#[derive(Clone, Debug, Parser)]
#[command(name = "local-rds", version, args_conflicts_with_subcommands = true)]
pub struct Args {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to serve.
    #[command(flatten)]
    pub options: Option<Options>,
    /// Ends this server, and PostgreSQL with it, when its parent process ends.
    #[arg(long, env = "LOCAL_RDS_EXIT_WITH_PARENT")]
    pub exit_with_parent: bool,
}

/// What `local-rds` starts itself for.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Becomes a PostgreSQL program that ends with this server.
    #[command(hide = true)]
    ExecPostgres(ExecPostgres),
    /// Fetches PostgreSQL, so that a server can do without the network later.
    Fetch {
        /// A major version, or a whole one; `clients` for what major upgrades need.
        version: String,
    },
}

/// How a server is run.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Where everything is kept; a server started there again continues.
    #[arg(long, env = "LOCAL_RDS_DATA_DIR")]
    pub data_dir: PathBuf,
    /// The address of the API: a loopback one, since callers are not authenticated. Port 0 is a free one.
    #[arg(long, env = "LOCAL_RDS_LISTEN", default_value_t = Options::any_port())]
    pub listen: SocketAddr,
    /// How long everything takes, compared to RDS: creating an instance takes 5 minutes there.
    #[arg(long, env = "LOCAL_RDS_TIME_SCALE", default_value_t = 0.01, value_parser = scale)]
    pub time_scale: f64,
    /// The same for the six hours between two changes of the storage [default: the time scale].
    #[arg(long, env = "LOCAL_RDS_STORAGE_COOLDOWN_SCALE", value_parser = scale)]
    pub storage_cooldown_scale: Option<f64>,
    /// The region that callers must sign for.
    #[arg(long, env = "LOCAL_RDS_REGION", default_value = DEFAULT_REGION)]
    pub region: String,
    /// The account that everything belongs to.
    #[arg(long, env = "LOCAL_RDS_ACCOUNT", default_value = "000000000000")]
    pub account: String,
    /// Instances the account may have [RDS: 40; default: no limit].
    #[arg(long, env = "LOCAL_RDS_INSTANCE_QUOTA")]
    pub instance_quota: Option<usize>,
    /// Manual snapshots the account may have, final ones included.
    #[arg(long, env = "LOCAL_RDS_SNAPSHOT_QUOTA", default_value_t = Quotas::default().manual_snapshots)]
    pub snapshot_quota: usize,
    /// Automated backups of deleted instances that the account may have.
    #[arg(long, env = "LOCAL_RDS_RETAINED_BACKUP_QUOTA", default_value_t = Quotas::default().retained_backups)]
    pub retained_backup_quota: usize,
    /// Parameter groups that the account may have, besides the default ones.
    #[arg(long, env = "LOCAL_RDS_PARAMETER_GROUP_QUOTA", default_value_t = Quotas::default().parameter_groups)]
    pub parameter_group_quota: usize,
    /// Security groups of the VPC, besides its default one.
    #[arg(long = "security-group", env = "LOCAL_RDS_SECURITY_GROUPS", value_delimiter = ',')]
    pub security_groups: Vec<String>,
    /// DB subnet groups of the account, besides `default`.
    #[arg(long = "subnet-group", env = "LOCAL_RDS_SUBNET_GROUPS", value_delimiter = ',')]
    pub subnet_groups: Vec<String>,
    /// Gives each instance an address of its own, at port 5432, in place of a port of the loopback address: the one that is this one plus a
    /// number below 65536. The API may then have an address of that network too. All of them must be this machine's; who answers for the names finds them in `hosts` in the data directory.
    #[arg(long, env = "LOCAL_RDS_INSTANCE_NETWORK")]
    pub instance_network: Option<Ipv4Addr>,
    /// Admits calls at any rate, where RDS admits a burst of 300 and 12 a second.
    #[arg(long, env = "LOCAL_RDS_NO_THROTTLING")]
    pub no_throttling: bool,
    /// Instances without a server behind them: nothing listens where they say, and nothing of them is kept. Thousands cost no more than their
    /// descriptions.
    #[arg(long, env = "LOCAL_RDS_NO_ENGINES", conflicts_with = "log_statements")]
    pub no_engines: bool,
    /// Makes the instances log statements that modify, so that `/_local/counters` can count them.
    #[arg(long, env = "LOCAL_RDS_LOG_STATEMENTS")]
    pub log_statements: bool,
    /// The `local-rds` binary that starts PostgreSQL [default: this one].
    #[arg(long, env = "LOCAL_RDS_PROGRAM", hide = true)]
    pub program: Option<PathBuf>,
}

impl Options {
    /// The defaults, for a server in `data_dir`.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            listen: Self::any_port(),
            time_scale: 0.01,
            storage_cooldown_scale: None,
            region: DEFAULT_REGION.to_owned(),
            account: "000000000000".to_owned(),
            instance_quota: None,
            snapshot_quota: Quotas::default().manual_snapshots,
            retained_backup_quota: Quotas::default().retained_backups,
            parameter_group_quota: Quotas::default().parameter_groups,
            security_groups: Vec::new(),
            subnet_groups: Vec::new(),
            instance_network: None,
            no_throttling: false,
            no_engines: false,
            log_statements: false,
            program: None,
        }
    }

    fn any_port() -> SocketAddr {
        (Ipv4Addr::LOCALHOST, 0).into()
    }
}

fn scale(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|scale: &f64| scale.is_finite() && *scale >= 0.0)
        .ok_or_else(|| "not a number of at least 0".to_owned())
}
