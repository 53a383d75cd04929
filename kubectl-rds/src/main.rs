//! `kubectl-rds`: what a person or a pipeline asks of RDSDatabase objects. Today: [`check`].

mod args;
mod check;
mod complete;

use std::env;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use anstream::AutoStream;
use clap::error::ErrorKind;
use clap::{ColorChoice, CommandFactory as _, Parser as _};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use shared::rules::DefaultVersions;

use crate::args::{CheckArgs, Cli, CompletionFor, Verb};
use crate::check::checker::{Checker, Options};
use crate::check::finding::{Level, Report};
use crate::check::output::{self, Format, Quiet};
use crate::check::{fault, input};

/// Something is refused.
const REFUSED: u8 = 1;

/// The command line is wrong (so says clap as well), or an input cannot be read.
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    fault::tell(UNUSABLE);
    let done = match complete::asked(env::args()) {
        Some(words) => {
            let mut command = Cli::command();
            command.build();
            io::stdout().write_all(complete::answer(&command, &words).as_bytes()).map(|()| ExitCode::SUCCESS)
        }
        None => match Cli::parse().verb {
            Verb::Check(args) => check(&args),
            Verb::Completion { shell } => completion(shell),
        },
    };
    done.unwrap_or_else(|error| {
        // Whoever closes the pipe has read enough.
        if error.kind() == io::ErrorKind::BrokenPipe {
            return ExitCode::SUCCESS;
        }
        // Nobody is left to tell, should this fail as well.
        let _ = writeln!(io::stderr(), "kubectl-rds: the result cannot be written: {error}");
        UNUSABLE.into()
    })
}

fn check(args: &CheckArgs) -> io::Result<ExitCode> {
    let today = args.today.unwrap_or_else(|| Timestamp::now().to_zoned(TimeZone::UTC).date());
    let versions = DefaultVersions::given(&args.default_versions)
        .unwrap_or_else(|error| Cli::command().error(ErrorKind::ArgumentConflict, error).exit());
    let mut checker = Checker::new(Options {
        today,
        versions,
        skip_templates: args.skip_templates,
        warnings_as_errors: args.warnings_as_errors,
    });
    input::read(&args.inputs(), |source| match source {
        Ok(source) => {
            fault::at(&source.name);
            checker.check(source);
        }
        Err(unreadable) => checker.unreadable(unreadable),
    });
    let report = checker.finish();

    let choice = match (args.output, args.color) {
        (Format::Json | Format::Sarif, _) | (_, ColorChoice::Never) => anstream::ColorChoice::Never,
        (_, ColorChoice::Always) => anstream::ColorChoice::Always,
        (_, ColorChoice::Auto) => AutoStream::choice(&io::stdout()),
    };
    let mut out = BufWriter::new(AutoStream::new(io::stdout().lock(), choice));
    output::write(&report, args.output, Quiet(args.quiet), &mut out)?;
    out.flush()?;
    Ok(code(&report))
}

fn code(report: &Report) -> ExitCode {
    match (report.unreadable.is_empty(), report.count(Level::Error)) {
        (false, _) => UNUSABLE.into(),
        (true, 0) => ExitCode::SUCCESS,
        (true, _) => REFUSED.into(),
    }
}

fn completion(wanted: CompletionFor) -> io::Result<ExitCode> {
    let mut script = Vec::new();
    let mut command = Cli::command().bin_name("kubectl-rds");
    match wanted.shell() {
        Some(shell) => clap_complete::generate(shell, &mut command, "kubectl-rds", &mut script),
        None => script.extend(complete::SCRIPT.as_bytes()),
    }
    // clap_complete 4.6 takes the hyphen of the name for a verb in one half of its script for bash.
    let script = String::from_utf8_lossy(&script).replace("kubectl__subcmd__rds", "kubectl__rds");
    io::stdout().write_all(script.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
