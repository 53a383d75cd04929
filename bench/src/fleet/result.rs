//! What was measured of fleets, as tables.

use std::collections::BTreeSet;
use std::time::Duration;

use super::account::Cost;
use super::life::{Life, Restart};
use super::object::as_u64;
use crate::args::FleetPlan;
use crate::latencies::show;
use crate::report::{Table, mib, verdict};

/// The most memory, in KiB, with 500 objects and with 5,000.
const MEMORY: [(usize, u64); 2] = [(500, 40 * 1024), (5000, 100 * 1024)];
/// What RDS admits in the long run.
const PER_SECOND: f64 = 12.0;

/// The results.
pub(super) fn tables(plan: &FleetPlan, lives: &[Life]) -> Vec<Table> {
    let mut tables = vec![targets(lives), stages(lives), calls(lives), rest(plan, lives), restarts(lives)];
    tables.retain(|_| !lives.is_empty());
    tables
}

fn find(lives: &[Life], objects: usize, slow: bool) -> Option<&Life> {
    lives.iter().find(|life| life.objects == objects && (life.time_scale > 0.0) == slow)
}

fn targets(lives: &[Life]) -> Table {
    let note = "beside them AWS Controllers for Kubernetes 1.11.1 on a machine with two cores, as it was measured elsewhere; it opens no session in a \
                database";
    let mut table = Table::new("Against the targets", note, &["", "measured", "target", "ACK"]);
    let mut row = |what: &str, measured: String, target: &str, met: bool, peer: &str| {
        table.row([what, &measured, &verdict(target, met), peer]);
    };
    if let Some(life) = find(lives, 500, false) {
        let (create, change) = (each(life, &life.creation.1), each(life, &life.change.1));
        row("calls an object to create 500, the cloud instant", number(create), "at most 3", create <= 3.0, "10");
        row("calls an object to change each of 500", number(change), "fewer than ACK", change < 9.0, "9 to 13");
        let cpu = life.creation.1.cpu;
        row("CPU time to create 500", show(cpu), "at most 4 s", cpu <= Duration::from_secs(4), "12.3 s");
        let [Restart { observed, cost, .. }, ..] = &life.restarts;
        let measured = format!("{} calls, all observed after {}", cost.total(), show(*observed));
        let met = cost.total() <= 10 && *observed <= Duration::from_secs(10);
        row("start with 500, under RDS's limit", measured, "at most 10 calls and 10 s", met, "2,000 calls, 142 s");
        let share = share(&life.rest);
        row("share of a core at rest with 500", percent(share), "under 1 %", share < 0.01, "");
    }
    if let Some(life) = find(lives, 500, true) {
        let create = each(life, &life.creation.1);
        row(
            "calls an object to create 500, `creating` takes 5 min",
            number(create),
            "at most 10",
            create <= 10.0,
            "50",
        );
    }
    if let Some(life) = find(lives, 1000, false) {
        let hourly = hourly(&life.rest);
        let measured = format!("{hourly:.0} calls an hour, a sweep each minute");
        row("drift of 1,000 seen within 2 min", measured, "at most 700 calls an hour", hourly <= 700.0, "after 10 h");
    }
    if let Some(life) = find(lives, 5000, false) {
        let rate = per_second(&life.creation.1).max(per_second(&life.change.1));
        let measured = format!("{rate:.1} calls a second");
        row("5,000 busy instances, one account", measured, "within 12 a second", rate <= PER_SECOND, "");
    }
    for (objects, limit) in MEMORY {
        if let Some(life) = find(lives, objects, false) {
            let peak = peak(life);
            let target = format!("at most {} MiB", limit / 1024);
            let peer = if objects == 500 { "62 to 75 MiB" } else { "" };
            row(&format!("memory, peak, with {objects}"), mib(peak), &target, peak <= limit, peer);
        }
    }
    table
}

fn stages(lives: &[Life]) -> Table {
    let note = "until the reconciler is at rest again; a change is another retention of the backups";
    let header = [
        "objects",
        "`creating` takes",
        "what",
        "calls",
        "an object",
        "a second",
        "CPU",
        "CPU an object",
        "until all were there",
        "memory",
    ];
    let mut table = Table::new("Creating and changing all of them", note, &header);
    for life in lives {
        for (what, (took, cost)) in [("create", &life.creation), ("change", &life.change)] {
            let cpu = cost.cpu.div_f64(float(life.objects));
            table.row([
                life.objects.to_string(),
                creating(life),
                what.to_owned(),
                cost.total().to_string(),
                number(each(life, cost)),
                number(per_second(cost)),
                show(cost.cpu),
                show(cpu),
                show(*took),
                mib(cost.memory.now),
            ]);
        }
    }
    table
}

fn calls(lives: &[Life]) -> Table {
    let mut actions: BTreeSet<&str> = BTreeSet::new();
    for life in lives {
        for cost in [&life.creation.1, &life.change.1, &life.rest] {
            actions.extend(cost.calls.keys().map(String::as_str));
        }
    }
    let header: Vec<&str> =
        ["objects", "`creating` takes", "what"].into_iter().chain(actions.iter().copied()).collect();
    let mut table = Table::new("Calls by action", "those of STS apart", &header);
    for life in lives {
        for (what, cost) in [("create", &life.creation.1), ("change", &life.change.1), ("rest", &life.rest)] {
            let counts = actions.iter().map(|action| cost.calls.get(*action).copied().unwrap_or_default().to_string());
            table.row([life.objects.to_string(), creating(life), what.to_owned()].into_iter().chain(counts));
        }
    }
    table
}

fn rest(plan: &FleetPlan, lives: &[Life]) -> Table {
    let note = format!(
        "an hour's calls, from {} s; no snapshots, maintenance or events are asked for meanwhile, and no engines answer: the looks into the databases \
         fail, every five minutes at the most",
        plan.rest
    );
    let header = [
        "objects",
        "calls an hour",
        "of STS",
        "share of a core",
        "memory",
        "memory, peak of the process that made them",
    ];
    let mut table = Table::new("At rest", note, &header);
    for life in lives.iter().filter(|life| life.time_scale == 0.0) {
        let Life { rest, .. } = life;
        let identity = float_of(rest.identity) * 3600.0 / rest.took.as_secs_f64();
        table.row([
            life.objects.to_string(),
            format!("{:.0}", hourly(rest)),
            format!("{identity:.0}"),
            percent(share(rest)),
            mib(rest.memory.now),
            mib(rest.memory.peak),
        ]);
    }
    table
}

fn restarts(lives: &[Life]) -> Table {
    let note = "with RDS's limit on: a burst of 300 and 12 a second; with 0 left of the burst others have just used it up. The time is from before the process \
                is started until it has observed all objects, and the calls are those until 20 s later";
    let header = [
        "objects",
        "left of the burst",
        "all observed after",
        "calls",
        "of them throttled",
        "CPU",
        "memory",
        "memory, peak",
    ];
    let mut table = Table::new("Starting anew", note, &header);
    for life in lives.iter().filter(|life| life.time_scale == 0.0) {
        for Restart { tokens, observed, cost, throttled } in &life.restarts {
            table.row([
                life.objects.to_string(),
                tokens.to_string(),
                show(*observed),
                cost.total().to_string(),
                throttled.to_string(),
                show(cost.cpu),
                mib(cost.memory.now),
                mib(cost.memory.peak),
            ]);
        }
    }
    table
}

fn creating(life: &Life) -> String {
    if life.time_scale > 0.0 { "5 min".to_owned() } else { "no time".to_owned() }
}

/// The most memory of all its processes.
fn peak(life: &Life) -> u64 {
    let restarts = life.restarts.iter().map(|restart| restart.cost.memory.peak);
    restarts.chain([life.rest.memory.peak]).max().unwrap_or_default()
}

fn each(life: &Life, cost: &Cost) -> f64 {
    float_of(cost.total()) / float(life.objects)
}

fn per_second(cost: &Cost) -> f64 {
    float_of(cost.total()) / cost.took.as_secs_f64()
}

fn hourly(cost: &Cost) -> f64 {
    per_second(cost) * 3600.0
}

fn share(cost: &Cost) -> f64 {
    cost.cpu.as_secs_f64() / cost.took.as_secs_f64()
}

fn number(value: f64) -> String {
    format!("{value:.2}")
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

fn float(number: usize) -> f64 {
    float_of(as_u64(number))
}

/// Counts are far below 2^52.
#[expect(clippy::cast_precision_loss)]
fn float_of(number: u64) -> f64 {
    number as f64
}
