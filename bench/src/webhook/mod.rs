//! The admission service as its image runs it, asked over keep-alive TLS connections on loopback.

mod client;
mod load;
mod result;
mod review;
mod service;

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use self::client::Caller;
use self::load::Outcome;
use self::result::{Figures, Measured};
use self::review::Request;
use self::service::{Identity, Service};
use crate::args::WebhookPlan;
use crate::latencies::Latencies;
use crate::process;
use crate::report::{Table, progress};

/// How long a service may settle after its start before its memory at rest is read.
const SETTLE: Duration = Duration::from_secs(1);

/// Requests before those that are measured.
const WARM_UP: u32 = 200;

/// The longest a start may take.
const START: Duration = Duration::from_secs(10);

/// What is asked for, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// So many requests a second, sent when they are due, whether or not the ones before were answered.
    Rate(u32),
    /// So many requests in all, the next one on each connection as soon as the last is answered.
    Closed(u32),
}

/// One kind of load.
#[derive(Debug, Clone)]
struct Load {
    name: String,
    requests: Vec<Request>,
    pace: Pace,
}

/// Measures one release binary.
///
/// # Errors
/// When the binary does not start, or any request is not answered as it should be.
pub(crate) fn measure(plan: &WebhookPlan) -> Result<Vec<Table>> {
    let dir = Scratch::make()?;
    let identity = Identity::make(&dir.0)?;
    let size = fs::metadata(&plan.program).with_context(|| format!("{}", plan.program.display()))?.len();

    progress(&format!("{} starts of {}", plan.starts, plan.program.display()));
    let loads = loads()?;
    let first = loads.first().context("there is no load")?;
    let starts = (0..plan.starts).map(|_| start_time(plan, &identity, first)).collect::<Result<Vec<_>>>()?;

    let mut measured: Vec<Measured> = loads.iter().map(|load| Measured::new(load.name.clone())).collect();
    for round in 1..=plan.rounds {
        for (load, measured) in loads.iter().zip(&mut measured) {
            progress(&format!("round {round} of {}: {}", plan.rounds, load.name));
            measured.add(one_round(plan, &identity, load)?);
        }
    }
    let starts = Latencies::new(starts).context("no start was timed")?;
    result::tables(plan, size, &starts, &measured)
}

fn loads() -> Result<Vec<Load>> {
    let (small, large) = (review::small()?, review::large()?);
    let load =
        |name: &str, requests: &[Request], pace| Load { name: name.to_owned(), requests: requests.to_vec(), pace };
    Ok(vec![
        load("small, 1,000/s", &small, Pace::Rate(1000)),
        load("small, closed loop", &small, Pace::Closed(50_000)),
        load("100 KB, 100/s", &large, Pace::Rate(100)),
        load("100 KB, closed loop", &large, Pace::Closed(3000)),
    ])
}

/// From exec to the first answer over TLS.
fn start_time(plan: &WebhookPlan, identity: &Identity, load: &Load) -> Result<Duration> {
    let began = Instant::now();
    let service = Service::start(&plan.program, identity)?;
    loop {
        let answered = Caller::connect(service.endpoint(), &load.requests).and_then(|mut caller| caller.ask(0));
        match answered {
            Ok(()) => return Ok(began.elapsed()),
            Err(error) if began.elapsed() > START => return Err(error).with_context(|| service.log()),
            // It does not listen yet. A short sleep, because the look itself takes CPU time that the start could use.
            Err(_) => thread::sleep(Duration::from_micros(100)),
        }
    }
}

/// A fresh process, left alone, warmed up and put under load.
fn one_round(plan: &WebhookPlan, identity: &Identity, load: &Load) -> Result<Figures> {
    let service = Service::start(&plan.program, identity)?;
    service.wait_until_listening(START)?;
    thread::sleep(SETTLE);
    let at_rest = process::memory(service.pid())?.now;

    let mut callers = (0..plan.connections)
        .map(|_| Caller::connect(service.endpoint(), &load.requests))
        .collect::<Result<Vec<_>>>()?;
    // Handshakes, and the first answers of a process, are not what is measured here.
    callers.iter_mut().try_for_each(|caller| caller.ask(0))?;
    load::run(&mut callers, WARM_UP, None)?;
    let (total, gap) = match load.pace {
        Pace::Rate(rate) => (rate * u32::try_from(plan.seconds)?, Some(Duration::from_secs(1) / rate)),
        Pace::Closed(total) => (total, None),
    };
    let times = || Ok::<_, anyhow::Error>((process::cpu(service.pid())?, process::cpu(std::process::id())?));
    let (service_before, own_before) = times()?;
    let Outcome { latencies, elapsed } = load::run(&mut callers, total, gap).with_context(|| service.log())?;
    let (service_after, own_after) = times()?;
    Ok(Figures {
        latencies,
        elapsed,
        cpu: service_after.saturating_sub(service_before),
        generator_cpu: own_after.saturating_sub(own_before),
        at_rest,
        peak: process::memory(service.pid())?.peak,
    })
}

/// A folder for keys and logs that goes with this value.
struct Scratch(PathBuf);

impl Scratch {
    fn make() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("rds-webhook-bench-{}", std::process::id()));
        fs::create_dir(&path).with_context(|| format!("making {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left in the folder for temporary files harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}
