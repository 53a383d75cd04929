//! The admission service as its image runs it, asked over TLS connections on loopback, in turn with a peer that has the same rules and a floor
//! that has none.

mod agreement;
mod client;
mod connection;
mod figures;
mod load;
mod loads;
mod result;
mod review;
mod service;
mod targets;

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use self::client::{Caller, Newcomer};
use self::figures::{Figures, Measured, Round, Sample};
use self::load::{Exchange, Outcome};
use self::loads::{Load, Pace};
use self::service::{Contender, Identity, Kind, Service};
use crate::args::{AgreementPlan, WebhookPlan};
use crate::process;
use crate::report::{Table, progress};

/// How long a service may settle after its start before its memory at rest is read.
const SETTLE: Duration = Duration::from_secs(1);

/// Requests before those that are measured.
const WARM_UP: u32 = 200;

/// The longest a start may take.
const START: Duration = Duration::from_secs(10);

/// Measures our release binary, and whoever it is compared with.
///
/// # Errors
/// When a binary does not start, or any request is not answered as it should be.
pub(crate) fn measure(plan: &WebhookPlan) -> Result<Vec<Table>> {
    let dir = Scratch::make()?;
    let identity = Identity::make(&dir.0)?;
    let ours = Contender { kind: Kind::Ours, program: plan.program.clone() };
    let mut contenders = vec![ours.clone()];
    let mut agreement = None;
    if let Some(program) = &plan.peer {
        let peer = Contender { kind: Kind::Peer, program: program.clone() };
        agreement = Some(agreement::compare(&ours, &peer, &identity)?);
        contenders.push(peer);
    }
    contenders.extend(plan.floor.as_ref().map(|program| Contender { kind: Kind::Floor, program: program.clone() }));
    let loads: Vec<Load> = loads::all()?.into_iter().filter(|load| load.name.contains(&plan.only)).collect();
    ensure!(!loads.is_empty(), "no load has a name with {:?} in it", plan.only);

    let mut measured = contenders
        .iter()
        .map(|Contender { kind, program }| Measured::new(*kind, program, loads.len()))
        .collect::<Result<Vec<_>>>()?;
    let small = loads::small()?;
    progress(&format!("{} starts of each", plan.starts));
    for _ in 0..plan.starts {
        for (contender, measured) in contenders.iter().zip(&mut measured) {
            measured.starts.push(start_time(contender, &identity, &small)?);
        }
    }
    for round in 1..=plan.rounds {
        for (index, load) in loads.iter().enumerate() {
            for (contender, measured) in contenders.iter().zip(&mut measured) {
                progress(&format!("round {round} of {}: {}: {}", plan.rounds, load.name, contender.kind.name()));
                measured.rounds[index].push(one_round(plan, contender, &identity, load)?);
            }
        }
    }
    let loads = loads.into_iter().map(|load| load.name).collect();
    Ok(result::tables(plan, agreement.as_ref(), &Figures { loads, measured }))
}

/// Compares our answers with the peer's.
///
/// # Errors
/// When a binary does not start, or answers no review.
pub(crate) fn agree(plan: &AgreementPlan) -> Result<Vec<Table>> {
    let dir = Scratch::make()?;
    let identity = Identity::make(&dir.0)?;
    let contender = |kind, program: &PathBuf| Contender { kind, program: program.clone() };
    let (ours, peer) = (contender(Kind::Ours, &plan.program), contender(Kind::Peer, &plan.peer));
    Ok(vec![agreement::compare(&ours, &peer, &identity)?.table()])
}

/// From exec to the first answer over TLS.
fn start_time(contender: &Contender, identity: &Identity, load: &Load) -> Result<Duration> {
    let began = Instant::now();
    let service = Service::start(contender, identity)?;
    loop {
        let answered = Caller::connect(service.endpoint(), &load.requests).and_then(|mut caller| caller.exchange(0));
        match answered {
            Ok(()) => return Ok(began.elapsed()),
            Err(error) if began.elapsed() > START => return Err(error).with_context(|| service.log()),
            // It does not listen yet. A short sleep, because the look itself takes CPU time that the start could use.
            Err(_) => thread::sleep(Duration::from_micros(100)),
        }
    }
}

/// A fresh process, left alone, warmed up and put under load.
fn one_round(plan: &WebhookPlan, contender: &Contender, identity: &Identity, load: &Load) -> Result<Round> {
    let service = Service::start(contender, identity)?;
    service.wait_until_listening(START)?;
    thread::sleep(SETTLE);
    let at_rest = process::memory(service.pid())?.now;
    let share_at_rest = process::share(service.pid())?;

    let connections = 0..plan.connections;
    let Run { outcome, cpu, generator_cpu } = if load.new_connections {
        let mut newcomers: Vec<_> = connections.map(|_| Newcomer::new(service.endpoint(), &load.requests)).collect();
        run(plan, &service, load.pace, &mut newcomers)
    } else {
        let callers = connections.map(|_| Caller::connect(service.endpoint(), &load.requests));
        run(plan, &service, load.pace, &mut callers.collect::<Result<Vec<_>>>()?)
    }
    .with_context(|| service.log())?;
    let Outcome { latencies, elapsed } = outcome;
    let peak = process::memory(service.pid())?.peak;
    let sample = Sample { latencies, elapsed, cpu, generator_cpu, at_rest, share_at_rest, peak };
    Round::of(sample).context("nothing was asked")
}

/// What a load has cost.
struct Run {
    outcome: Outcome,
    cpu: Duration,
    generator_cpu: Duration,
}

fn run<E: Exchange>(plan: &WebhookPlan, service: &Service, pace: Pace, exchanges: &mut [E]) -> Result<Run> {
    // The handshakes of connections that are kept, and the first answers of a process, are not what is measured.
    exchanges.iter_mut().try_for_each(|exchange| exchange.exchange(0))?;
    load::run(exchanges, WARM_UP, None)?;
    let (total, gap) = match pace {
        Pace::Rate(rate) => (rate * u32::try_from(plan.seconds)?, Some(Duration::from_secs(1) / rate)),
        Pace::Closed(total) => (total, None),
    };
    let times = || Ok::<_, anyhow::Error>((process::cpu(service.pid())?, process::cpu(std::process::id())?));
    let (service_before, own_before) = times()?;
    let outcome = load::run(exchanges, total, gap)?;
    let (service_after, own_after) = times()?;
    let [cpu, generator_cpu] = [service_after.saturating_sub(service_before), own_after.saturating_sub(own_before)];
    Ok(Run { outcome, cpu, generator_cpu })
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
