//! What Linux says about a process: memory and CPU time.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::time::ClockId;
use nix::unistd::Pid;

/// Resident memory, in KiB, shared pages and the program's own file included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// Its share of the memory, in KiB, at this moment: a page that others have as well counts in part (`Pss`).
///
/// # Errors
/// When it has ended.
pub(crate) fn share(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let rollup = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    field(&rollup, "Pss").with_context(|| format!("{path} names no share"))
}

/// CPU time of all its threads, also of those that have ended, in user space and in the kernel: the process's own clock, which counts
/// nanoseconds where `/proc/<pid>/stat` counts ticks of 10 ms [clock_getcpuclockid(3)].
///
/// # Errors
/// When it has ended.
pub(crate) fn cpu(pid: u32) -> Result<Duration> {
    let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(pid.try_into()?)).context("the CPU clock of a process")?;
    Ok(clock.now().context("the CPU time of a process")?.into())
}

fn parse_memory(status: &str) -> Option<Memory> {
    Some(Memory { now: field(status, "VmRSS")?, peak: field(status, "VmHWM")? })
}

/// The KiB of a line such as `VmRSS:     612 kB`.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
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
    fn this_process_has_memory_and_time() {
        let pid = std::process::id();
        let memory = memory(pid).unwrap();
        assert!(memory.now > 100 && memory.peak >= memory.now / 2, "{memory:?}");
        let share = share(pid).unwrap();
        assert!(share > 100 && share <= memory.peak, "{share} of {memory:?}");
        let before = cpu(pid).unwrap();
        let spent = (0..1_000_000_u64).fold(0, |sum, number| std::hint::black_box(sum ^ number.wrapping_mul(sum | 1)));
        assert!(cpu(pid).unwrap() > before, "{spent}");
    }
}
