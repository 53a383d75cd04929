//! Command line.

use std::path::PathBuf;

use clap::{ArgAction, Args, ColorChoice, Parser, Subcommand, ValueHint};
use clap_complete::Shell;
use jiff::civil::Date;
use shared::rules::DefaultVersion;

use crate::check::output::Format;

/// Databases on AWS RDS, as Kubernetes objects.
#[derive(Debug, Parser)]
#[command(name = "kubectl-rds", bin_name = "kubectl rds", version, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Check manifests by the rules of admission, without a cluster.
    Check(CheckArgs),

    /// Print a script that completes commands in a shell.
    ///
    /// As a plugin (`kubectl rds`), kubectl asks kubectl_complete-rds instead, which `completion kubectl` prints: save it in a folder of
    /// your PATH, and make it executable.
    Completion {
        /// The shell.
        #[arg(value_enum)]
        shell: CompletionFor,
    },
}

/// What completion is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum CompletionFor {
    Bash,
    Zsh,
    Fish,
    Powershell,
    /// kubectl's own completion, as the program kubectl_complete-rds.
    Kubectl,
}

impl CompletionFor {
    /// The shell, unless it is kubectl.
    pub(crate) fn shell(self) -> Option<Shell> {
        match self {
            Self::Bash => Some(Shell::Bash),
            Self::Zsh => Some(Shell::Zsh),
            Self::Fish => Some(Shell::Fish),
            Self::Powershell => Some(Shell::PowerShell),
            Self::Kubectl => None,
        }
    }
}

/// Check manifests by the rules of admission, without a cluster.
#[derive(Debug, Args)]
#[command(
    override_usage = "\
kubectl rds check [OPTIONS] -f <FILE>...
       kubectl rds check [OPTIONS] <FILE>...",
    after_help = "\
Every RDSDatabase and RDSDatabaseClass is judged as if it were created; other kinds are skipped. Folders are read with everything below \
them (.yaml, .yml, .json), except what is hidden.

Exit codes:
  0  nothing is refused
  1  something is refused, or is no YAML
  2  the command line is wrong, or an input cannot be read

Examples:
  kubectl rds check -f orders.yaml
  kubectl rds check -f manifests/ -o sarif > rds.sarif
  kustomize build overlays/prod | kubectl rds check -f -"
)]
pub(crate) struct CheckArgs {
    /// Files and folders; - is standard input. May be given several times.
    #[arg(short = 'f', long = "filename", value_name = "FILE", value_hint = ValueHint::AnyPath, action = ArgAction::Append)]
    pub(crate) filenames: Vec<PathBuf>,

    /// More files and folders.
    #[arg(value_name = "FILE", value_hint = ValueHint::AnyPath, required_unless_present = "filenames")]
    pub(crate) files: Vec<PathBuf>,

    /// The form of the result.
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: Format,

    /// Refuse what admission would only warn of.
    #[arg(long)]
    pub(crate) warnings_as_errors: bool,

    /// Skip templates ({{ … }}) instead of refusing them.
    #[arg(long)]
    pub(crate) skip_templates: bool,

    /// Tell errors only: no warnings, no summary.
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// The version of databases that name none, where the operator is told another than its own: postgresql=17. May be given several times.
    #[arg(long = "default-version", value_name = "ENGINE=VERSION", value_delimiter = ',')]
    pub(crate) default_versions: Vec<DefaultVersion>,

    /// Colours; auto is on a terminal, unless NO_COLOR is set.
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,

    /// The date that ends of support are compared with, such as 2026-03-01; the current one in UTC if it is not given.
    #[arg(long, value_name = "DATE")]
    pub(crate) today: Option<Date>,
}

impl CheckArgs {
    /// All inputs: what pre-commit adds at the end comes last.
    pub(crate) fn inputs(&self) -> Vec<PathBuf> {
        self.filenames.iter().chain(&self.files).cloned().collect()
    }
}
