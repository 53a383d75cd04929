//! How children die with their parent, also when the parent is killed with SIGKILL and can clean up nothing.
//!
//! Linux sends a process the signal it asked for (`prctl(PR_SET_PDEATHSIG)`) when its parent dies, and the wish survives `exec`. Asking for
//! it between fork and exec needs unsafe code, so the child is this very executable with a hidden verb: it asks, makes sure that its parent
//! is still there, and becomes the program.

use std::{
    convert::Infallible,
    ffi::{OsStr, OsString},
    os::unix::process::CommandExt,
    process::Command,
};

use anyhow::{Context, Result, bail};
use nix::{
    sys::{prctl, signal::Signal},
    unistd::{Pid, getppid},
};

/// The hidden first argument of a run as launcher: `<this executable> exec-with-parent <pid of the parent> <program> [argument]...`.
const VERB: &str = "exec-with-parent";

/// This executable, also after a newer build has taken its place on the disk.
const THIS_EXECUTABLE: &str = "/proc/self/exe";

/// A command that runs `program` with `args` until it ends or until this process dies.
///
/// Linux watches the *thread* that starts the child: it must live as long as the child should (see `process`).
pub fn command(program: &OsStr, args: &[OsString]) -> Command {
    let mut command = Command::new(THIS_EXECUTABLE);
    command.arg(VERB).arg(std::process::id().to_string()).arg(program).args(args);
    command
}

/// Becomes the program that the arguments name, if this process was started as launcher; else returns at once.
///
/// # Errors
/// When the arguments are not of the launcher's form, the parent is gone already, or the program cannot be executed.
pub fn run_if_asked() -> Result<()> {
    let mut args = std::env::args_os().skip(1);
    if args.next().as_deref() == Some(OsStr::new(VERB)) {
        become_program(args)?;
    }
    Ok(())
}

fn become_program(mut args: impl Iterator<Item = OsString>) -> Result<Infallible> {
    let parent = args.next().and_then(|pid| pid.to_str()?.parse().ok()).map(Pid::from_raw);
    let (Some(parent), Some(program)) = (parent, args.next()) else {
        bail!("usage: {VERB} PARENT_PID PROGRAM [ARGUMENT]...");
    };
    prctl::set_pdeathsig(Signal::SIGKILL).context("asking for a signal when the parent dies")?;
    // A parent that died before the wish was made sends no signal any more.
    if getppid() != parent {
        bail!("the parent process {parent} is gone");
    }
    let error = Command::new(&program).args(args).exec();
    Err(error).with_context(|| format!("executing {}", program.display()))
}
