//! A child process with a log file, which can be stopped, killed and started again by name, and which never outlives this process.

use std::{
    ffi::OsString,
    fs::{self, OpenOptions},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{LazyLock, mpsc},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{process::Child, runtime::Handle, sync::oneshot, time::timeout};

use crate::launcher;

/// Environment variables that every child gets from ours. All others stay behind: a proxy, a kubeconfig or cloud credentials of the person
/// who runs the test bed must not reach what it starts.
const INHERITED: [&str; 8] = ["HOME", "LANG", "PATH", "RUST_LOG", "TMPDIR", "TZ", "USER", "XDG_CACHE_HOME"];

/// What to run.
#[derive(Clone, Debug)]
pub struct Spec {
    name: String,
    program: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    log: PathBuf,
}

impl Spec {
    /// Runs `program`; its output is appended to `<logs>/<name>.log`.
    pub fn new(name: &str, program: impl Into<PathBuf>, logs: &Path) -> Self {
        Self {
            name: name.to_owned(),
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            log: logs.join(format!("{name}.log")),
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable, in place of an earlier value.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self = self.without_env(name);
        self.env.push((name.into(), value.into()));
        self
    }

    /// Takes an environment variable away again.
    #[must_use]
    pub fn without_env(mut self, name: &str) -> Self {
        self.env.retain(|(found, _)| found != name);
        self
    }

    /// Passes on variables of this process's own environment, where they are set.
    #[must_use]
    pub fn inherit(mut self, names: &[&str]) -> Self {
        self.env.extend(names.iter().filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?))));
        self
    }
}

/// A running child, or one that has ended and can be started again. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    spec: Spec,
    child: Option<Child>,
}

impl Process {
    /// Starts the child.
    ///
    /// # Errors
    /// When its log cannot be opened or the launcher cannot be started. A program that cannot be executed shows as an early exit, with the
    /// reason in its log.
    pub async fn start(spec: Spec) -> Result<Self> {
        let mut process = Self { spec, child: None };
        process.run().await?;
        Ok(process)
    }

    /// The name it was given.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// The file with its output.
    pub fn log(&self) -> &Path {
        &self.spec.log
    }

    /// Its process id while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// Fails when it has ended, with the last lines of its log.
    ///
    /// # Errors
    /// When it is not running.
    pub fn check(&mut self) -> Result<()> {
        let name = &self.spec.name;
        let Some(child) = self.child.as_mut() else { bail!("{name} is stopped") };
        match child.try_wait().with_context(|| format!("asking after {name}"))? {
            None => Ok(()),
            Some(status) => {
                bail!("{name} ended ({status}); the end of {}:\n{}", self.spec.log.display(), self.log_tail(15))
            }
        }
    }

    /// The last lines of its log, for an error message.
    pub fn log_tail(&self, lines: usize) -> String {
        let bytes = fs::read(&self.spec.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    /// Ends it with SIGKILL, as a crash would, and waits until it is gone.
    ///
    /// # Errors
    /// When it cannot be signalled or waited for.
    pub async fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill().await.with_context(|| format!("killing {}", self.spec.name))?;
        }
        Ok(())
    }

    /// Asks it to end with SIGTERM and waits; kills it after `grace`. Its exit status, where it was running.
    ///
    /// # Errors
    /// When it cannot be signalled or waited for.
    pub async fn stop(&mut self, grace: Duration) -> Result<Option<ExitStatus>> {
        let Some(mut child) = self.child.take() else {
            return Ok(None);
        };
        if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) {
            // It may end between the two lines; then there is nobody to signal, and nothing to do.
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        if let Ok(status) = timeout(grace, child.wait()).await {
            return Ok(Some(status.with_context(|| format!("waiting for {}", self.spec.name))?));
        }
        child.kill().await.with_context(|| format!("killing {}", self.spec.name))?;
        Ok(child.try_wait()?)
    }

    /// Starts it again with the same arguments; one that still runs is killed before.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn restart(&mut self) -> Result<()> {
        self.kill().await?;
        self.run().await
    }

    async fn run(&mut self) -> Result<()> {
        let Spec { name, program, args, env, log } = &self.spec;
        if let Some(folder) = log.parent() {
            fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        }
        let output = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("opening {}", log.display()))?;
        let mut command = launcher::command(program.as_os_str(), args);
        command
            .env_clear()
            .envs(INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            .envs(env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stderr(output.try_clone()?)
            .stdout(output)
            // Ctrl-C on the terminal is for this process, which then ends its children in order.
            .process_group(0);
        self.child = Some(spawn(command).await.with_context(|| format!("starting {name}"))?);
        Ok(())
    }
}

struct Job {
    command: std::process::Command,
    runtime: Handle,
    reply: oneshot::Sender<std::io::Result<Child>>,
}

/// The one thread that starts children. Linux ties "the parent died" to the thread that made the child, and threads of a runtime come and go.
static SPAWNER: LazyLock<mpsc::Sender<Job>> = LazyLock::new(|| {
    let (jobs, queue) = mpsc::channel::<Job>();
    thread::spawn(move || {
        for Job { command, runtime, reply } in queue {
            let _entered = runtime.enter();
            let child = tokio::process::Command::from(command).kill_on_drop(true).spawn();
            // The one who asked has gone: the child is dropped here, which kills it.
            let _ = reply.send(child);
        }
    });
    jobs
});

async fn spawn(command: std::process::Command) -> Result<Child> {
    let (reply, answer) = oneshot::channel();
    let gone = || anyhow!("the thread that starts processes is gone");
    SPAWNER.send(Job { command, runtime: Handle::current(), reply }).map_err(|_| gone())?;
    Ok(answer.await.map_err(|_| gone())??)
}
