//! Where and when something was measured.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use jiff::Zoned;
use jiff::tz::TimeZone;

/// How long to look at what else the machine does.
const LOOK: Duration = Duration::from_secs(3);

/// A machine with less of its CPU time to spare is called busy.
const QUIET: f64 = 0.90;

/// The machine and the versions, as a result names them.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    date: String,
    commit: String,
    rustc: String,
    /// Of the peer: the compiler and the library; nothing where there is none.
    go: Option<String>,
    kernel: String,
    cpu: String,
    memory: String,
    /// Share of the CPU time that nobody used before the measurement.
    idle: f64,
    command: String,
}

impl Machine {
    /// Looks at this machine, for some seconds; also for Go where something is compared with the peer.
    ///
    /// # Errors
    /// When `/proc` is not there, or git or rustc cannot be run.
    pub(crate) fn look(command: &str, with_peer: bool) -> Result<Self> {
        let cpuinfo = read("/proc/cpuinfo")?;
        let count = cpuinfo.lines().filter(|line| line.starts_with("processor")).count();
        let model = value(&cpuinfo, "model name").unwrap_or(std::env::consts::ARCH);
        let meminfo = read("/proc/meminfo")?;
        let kib: u64 = value(&meminfo, "MemTotal").and_then(|text| text.strip_suffix(" kB")?.parse().ok()).unwrap_or(0);
        Ok(Self {
            date: Zoned::now().with_time_zone(TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC").to_string(),
            commit: commit()?,
            rustc: output("rustc", &["--version"])?,
            go: with_peer.then(go).flatten(),
            kernel: read("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            cpu: format!("{count} × {model}"),
            memory: format!("{} GiB", kib.div_ceil(1024 * 1024)),
            idle: idle()?,
            command: command.to_owned(),
        })
    }

    /// Names and values, for the head of a result.
    pub(crate) fn facts(&self) -> Vec<(&'static str, String)> {
        let percent = self.idle * 100.0;
        let busy = if self.idle < QUIET { ": the machine was busy with other work" } else { "" };
        let mut facts = vec![
            ("date", self.date.clone()),
            ("command", format!("`{}`", self.command)),
            ("commit", self.commit.clone()),
            ("rustc", self.rustc.clone()),
        ];
        facts.extend(self.go.clone().map(|go| ("peer in Go", go)));
        facts.extend([
            ("kernel", format!("Linux {}", self.kernel)),
            ("machine", format!("{}, {}", self.cpu, self.memory)),
            ("CPU idle before", format!("{percent:.0} %{busy}")),
        ]);
        facts
    }
}

/// The commit of what was built, and whether anything that is built differs from it.
fn commit() -> Result<String> {
    let commit = output("git", &["rev-parse", "--short=12", "HEAD"])?;
    let built = ["Cargo.toml", "Cargo.lock", ".cargo", "shared", "webhook", "reconciler", "bench/peers"];
    let changes = output("git", &[["status", "--porcelain", "--"].as_slice(), &built].concat())?;
    Ok(if changes.is_empty() { commit } else { format!("{commit}, with uncommitted changes") })
}

/// The compiler and the library of the peer, where Go is there to tell.
fn go() -> Option<String> {
    let version = output("go", &["env", "GOVERSION"]).ok()?;
    let module = fs::read_to_string("bench/peers/controller-runtime/go.mod").ok()?;
    let library = module.lines().find_map(|line| line.trim().strip_prefix("sigs.k8s.io/"))?;
    Some(format!("{version}, {library}"))
}

/// The share of the CPU time that nobody uses while this process sleeps.
fn idle() -> Result<f64> {
    let before = CpuTimes::read()?;
    thread::sleep(LOOK);
    let after = CpuTimes::read()?;
    Ok(after.idle_since(&before))
}

/// CPU time of the whole machine since it started, in ticks.
#[derive(Clone, Copy, Debug, PartialEq)]
struct CpuTimes {
    idle: f64,
    all: f64,
}

impl CpuTimes {
    fn read() -> Result<Self> {
        Self::parse(&read("/proc/stat")?).context("/proc/stat is not as expected")
    }

    fn parse(stat: &str) -> Option<Self> {
        // user nice system idle iowait irq softirq steal; guest times are part of the first two [proc_stat(5)].
        let line = stat.lines().next()?.strip_prefix("cpu ")?;
        let times: Vec<f64> = line.split_whitespace().take(8).map(str::parse).collect::<Result<_, _>>().ok()?;
        Some(Self { idle: times.get(3)? + times.get(4)?, all: times.iter().sum() })
    }

    fn idle_since(&self, before: &Self) -> f64 {
        let all = self.all - before.all;
        if all > 0.0 { (self.idle - before.idle) / all } else { 1.0 }
    }
}

/// The value of `name : value`.
fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim())
    })
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("reading {path}"))
}

fn output(program: &str, args: &[&str]) -> Result<String> {
    let output = Command::new(program).args(args).output().with_context(|| format!("running {program}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_is_a_share_of_all_time() {
        let parse = |line| CpuTimes::parse(line).unwrap();
        let before = parse("cpu  100 0 100 700 100 0 0 0 50 0\ncpu0 1 1\n");
        assert_eq!(before, CpuTimes { idle: 800.0, all: 1000.0 });
        let after = parse("cpu  130 0 110 750 110 0 0 0 50 0\n");
        assert!((after.idle_since(&before) - 0.6).abs() < 1e-9);
        assert_eq!(CpuTimes::parse("intr 7"), None);
    }

    #[test]
    fn values_are_found_by_their_whole_name() {
        let cpuinfo = "processor\t: 0\nmodel\t\t: 85\nmodel name\t: A CPU @ 2 GHz\n";
        assert_eq!(value(cpuinfo, "model name"), Some("A CPU @ 2 GHz"));
        assert_eq!(value(cpuinfo, "cores"), None);
    }
}
