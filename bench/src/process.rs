//! What Linux says about a process: memory and CPU time.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// Clock ticks a second in `/proc/<pid>/stat`: `USER_HZ`, which is 100 for user space on all of Linux's usual architectures [proc_pid_stat(5)].
const USER_HZ: u64 = 100;

/// Resident memory, in KiB, shared pages and the program's own file included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    /// Now (`VmRSS`).
    pub(crate) now: u64,
    /// The most there was since its start (`VmHWM`).
    pub(crate) peak: u64,
}

/// Reads the memory of a process.
///
/// # Errors
/// When it has ended.
pub(crate) fn memory(pid: u32) -> Result<Memory> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    parse_memory(&status).with_context(|| format!("{path} names no memory"))
}

/// CPU time of all its threads, in user space and in the kernel, in steps of 10 ms.
///
/// # Errors
/// When it has ended.
pub(crate) fn cpu(pid: u32) -> Result<Duration> {
    let path = format!("/proc/{pid}/stat");
    let stat = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    parse_cpu(&stat).with_context(|| format!("{path} is not as expected"))
}

fn parse_memory(status: &str) -> Option<Memory> {
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().strip_suffix(" kB")?.parse().ok()
    };
    Some(Memory { now: field("VmRSS")?, peak: field("VmHWM")? })
}

fn parse_cpu(stat: &str) -> Option<Duration> {
    // The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
    let (_, rest) = stat.rsplit_once(')')?;
    // utime and stime, fields 14 and 15 of all.
    let mut times = rest.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    let ticks = times.next()?.ok()? + times.next()?.ok()?;
    Some(Duration::from_millis(ticks * 1000 / USER_HZ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_parsed() {
        let status = "Name:\tx\nVmPeak:\t  900 kB\nVmHWM:\t   700 kB\nVmRSS:\t   612 kB\n";
        assert_eq!(parse_memory(status), Some(Memory { now: 612, peak: 700 }));
        assert_eq!(parse_memory("Name:\tkthreadd\n"), None);
    }

    #[test]
    fn cpu_time_is_parsed_after_any_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 100 0 0 0 123 77 5 6 20 0 3 0 100 1 2";
        assert_eq!(parse_cpu(stat), Some(Duration::from_secs(2)));
        assert_eq!(parse_cpu("7 (a) S 1"), None);
    }

    #[test]
    fn this_process_has_memory_and_time() {
        let pid = std::process::id();
        let memory = memory(pid).unwrap();
        assert!(memory.now > 100 && memory.peak >= memory.now / 2, "{memory:?}");
        cpu(pid).unwrap();
    }
}
