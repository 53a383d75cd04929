//! `local-rds exec-postgres`: becomes a PostgreSQL program that ends with the server that started it, and that does not see itself as root.
//!
//! It runs as a process of its own so that neither needs unsafe code between fork and exec.

use std::convert::Infallible;
use std::ffi::{CString, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::lchown;
use std::path::{Path, PathBuf};

use clap::Args;
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::{Pid, User, execv, getgid, getppid, getuid, setgid, setgroups, setuid};

/// The account PostgreSQL runs under when it is started by root: it must exist, because initdb looks its name up.
const UNPRIVILEGED: &str = "nobody";

/// What to become.
#[derive(Clone, Debug, Args)]
pub struct ExecPostgres {
    /// The process that asks: when it is gone, nothing is started.
    #[arg(long)]
    parent: i32,
    /// A directory the program must own.
    #[arg(long)]
    own: PathBuf,
    /// The program and its arguments.
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// Why the program was not started.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// The parent ended in between.
    #[error("the server that asked for it has ended")]
    Orphaned,
    /// There is no account to run under.
    #[error("PostgreSQL does not run as root, and there is no account called {UNPRIVILEGED} to run it under")]
    NoAccount,
    /// A system call failed.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// Its error.
        source: io::Error,
    },
    /// An argument holds a zero byte.
    #[error("an argument holds a zero byte")]
    Argument,
}

impl ExecPostgres {
    /// The arguments that ask for this.
    pub(crate) fn arguments(own: &Path) -> Vec<OsString> {
        vec![
            "exec-postgres".into(),
            "--parent".into(),
            std::process::id().to_string().into(),
            "--own".into(),
            own.into(),
            "--".into(),
        ]
    }

    /// Becomes the program. Must be called while the process has one thread only, as a user namespace asks for.
    pub fn run(&self) -> Result<Infallible, ExecError> {
        if getuid().is_root() {
            self.leave_root()?;
        }
        // After the change of user, which would clear it. An immediate shutdown: what was committed is in the write-ahead log.
        system("prctl", set_pdeathsig(Signal::SIGQUIT))?;
        if getppid() != Pid::from_raw(self.parent) {
            return Err(ExecError::Orphaned);
        }
        let arguments: Vec<CString> = self
            .command
            .iter()
            .map(|argument| CString::new(argument.as_bytes()).map_err(|_| ExecError::Argument))
            .collect::<Result<_, _>>()?;
        let program = arguments.first().ok_or(ExecError::Argument)?;
        system("exec", execv(program, &arguments))
    }

    /// In a user namespace root's own files stay readable, also below directories that only root may enter. Where the kernel or a
    /// container forbids one, the program becomes the unprivileged user for good and is given its directory.
    fn leave_root(&self) -> Result<(), ExecError> {
        let account = system("looking up the account", User::from_name(UNPRIVILEGED))?.ok_or(ExecError::NoAccount)?;
        let (outer_user, outer_group) = (getuid(), getgid());
        if unshare(CloneFlags::CLONE_NEWUSER).is_ok() {
            let write = |file: &str, content: String| {
                std::fs::write(format!("/proc/self/{file}"), content)
                    .map_err(|source| ExecError::System { what: "entering a user namespace", source })
            };
            write("setgroups", "deny".to_owned())?;
            write("uid_map", format!("{} {outer_user} 1", account.uid))?;
            write("gid_map", format!("{} {outer_group} 1", account.gid))?;
            return Ok(());
        }
        own_tree(&self.own, &account).map_err(|source| ExecError::System {
            what: "giving the data directory to the unprivileged user",
            source,
        })?;
        system("setgroups", setgroups(&[account.gid]))?;
        system("setgid", setgid(account.gid))?;
        system("setuid", setuid(account.uid))
    }
}

fn own_tree(path: &Path, account: &User) -> io::Result<()> {
    lchown(path, Some(account.uid.as_raw()), Some(account.gid.as_raw()))?;
    if path.symlink_metadata()?.is_dir() {
        for entry in path.read_dir()? {
            own_tree(&entry?.path(), account)?;
        }
    }
    Ok(())
}

fn system<T>(what: &'static str, result: Result<T, Errno>) -> Result<T, ExecError> {
    result.map_err(|errno| ExecError::System { what, source: errno.into() })
}
