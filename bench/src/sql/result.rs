//! What was measured inside servers, as tables.

use std::time::Duration;

use anyhow::{Context, Result};

use super::operator::{Durations, Visit};
use super::{Figures, LARGE, SMALL};
use crate::args::SqlPlan;
use crate::latencies::show;
use crate::report::{Table, verdict};
use crate::statistics::Spread;

/// The most round trips of a look, once its session is open.
const ROUND_TRIPS: u64 = 3;

/// The longest until one more user is there.
const LATE: Duration = Duration::from_secs(2);

/// The most connections for it.
const CONNECTIONS: u64 = 40;

/// How much longer than psql a first creation may take.
const TIMES_PSQL: f64 = 1.5;

/// The most Events of a first creation.
const EVENTS: usize = 20;

/// The results.
pub(super) fn tables(plan: &SqlPlan, psql: Option<&str>, figures: &[Figures]) -> Result<Vec<Table>> {
    Ok(vec![
        summary(figures)?,
        looks(plan, figures)?,
        late(plan, figures)?,
        small(plan, psql, figures)?,
        birth(figures)?,
    ])
}

fn summary(figures: &[Figures]) -> Result<Table> {
    let (users, databases) = LARGE;
    let all = |met: &dyn Fn(&Figures) -> bool| figures.iter().all(met);
    let note = format!(
        "medians, in parentheses the smallest and the largest; the large object has {users} users who all work in {databases} databases"
    );
    let mut table = Table::new("Against the targets", note, &header(figures, &["target"]));
    let mut row = |name: String, cells: Vec<String>, target: String| {
        table.row([vec![name], cells, vec![target]].concat());
    };
    row(
        "large object at rest, round trips of a look once its session is open".into(),
        cells(figures, |seen| Ok(seen.question().to_string()))?,
        verdict(&format!("at most {ROUND_TRIPS}"), all(&|seen| seen.question() <= ROUND_TRIPS)),
    );
    row(
        "one more user in the large object, until its login works".into(),
        cells(figures, |seen| spread(seen.late.0.iter().map(|visit| visit.durations.all())))?,
        verdict(
            "at most 2 s (v0.1.0: 48 s)",
            all(&|seen| seen.late.0.iter().all(|visit| visit.durations.all() <= LATE)),
        ),
    );
    row(
        "one more user, connections, with logins".into(),
        cells(figures, |seen| Ok(seen.late.1.connections.to_string()))?,
        verdict(&format!("at most {CONNECTIONS} (v0.1.0: 1,000)"), all(&|seen| seen.late.1.connections <= CONNECTIONS)),
    );
    let (users, databases) = SMALL;
    let target = format!("at most {TIMES_PSQL:.1} times psql's");
    let compared = all(&|seen| seen.times_psql().is_some());
    row(
        format!("first creation of {users} users × {databases} databases, without logins"),
        cells(figures, |seen| Ok(seen.times_psql().map_or_else(none, |times| times.show(ratio))))?,
        match compared {
            true => verdict(&target, all(&|seen| seen.times_psql().is_some_and(|times| times.median <= TIMES_PSQL))),
            false => format!("{target}: there is no psql on this machine"),
        },
    );
    row(
        "first creation of the large object, Events".into(),
        cells(figures, |seen| Ok(seen.birth.0.events.to_string()))?,
        verdict(&format!("at most {EVENTS} (v0.1.0: 4,057)"), all(&|seen| seen.birth.0.events <= EVENTS)),
    );
    Ok(table)
}

fn looks(plan: &SqlPlan, figures: &[Figures]) -> Result<Table> {
    let note = format!(
        "the large object; {} looks, each on a connection of its own, which is opened and closed within the time. Round trips and bytes are \
         those of the network, TLS included",
        plan.looks
    );
    let mut table = Table::new("A look at rest", note, &header(figures, &[]));
    let mut row = |name: &str, cell: &dyn Fn(&Figures) -> Result<String>| -> Result<()> {
        table.row([vec![name.to_owned()], cells(figures, cell)?].concat());
        Ok(())
    };
    row("duration", &|seen| spread(seen.looks.iter().copied()))?;
    row("connections", &|seen| Ok(seen.look.0.connections.to_string()))?;
    row("round trips of TCP, TLS, startup and SCRAM", &|seen| {
        Ok((seen.look.0.round_trips - seen.question()).to_string())
    })?;
    row("round trips of the question", &|seen| Ok(seen.question().to_string()))?;
    row("bytes sent", &|seen| Ok(bytes(seen.look.0.sent)))?;
    row("of them without the question", &|seen| Ok(bytes(seen.look.1.sent)))?;
    row("bytes received", &|seen| Ok(bytes(seen.look.0.received)))?;
    row("of them without the answer", &|seen| Ok(bytes(seen.look.1.received)))?;
    row("a visit at rest: a look, and logins that come round", &|seen| {
        Ok(format!("{}, {} logins", show(seen.rest.durations.all()), seen.rest.logins.len()))
    })?;
    Ok(table)
}

fn late(plan: &SqlPlan, figures: &[Figures]) -> Result<Table> {
    let note = format!(
        "in one of the databases of the large object, {} times; a look, the work, a look that finds nothing left, and the logins that are due",
        plan.rounds
    );
    let mut table = Table::new("One more user", note, &header(figures, &[]));
    for (name, part) in PARTS {
        let cell = |seen: &Figures| spread(seen.late.0.iter().map(|visit| part(&visit.durations)));
        table.row([vec![name.to_owned()], cells(figures, cell)?].concat());
    }
    let counts: [(&str, Cell); 4] = [
        ("steps", |seen| Ok(seen.latest()?.steps.to_string())),
        ("logins", |seen| Ok(seen.latest()?.logins.len().to_string())),
        ("connections", |seen| Ok(seen.late.1.connections.to_string())),
        ("round trips of the network", |seen| Ok(seen.late.1.round_trips.to_string())),
    ];
    for (name, count) in counts {
        table.row([vec![name.to_owned()], cells(figures, count)?].concat());
    }
    Ok(table)
}

fn small(plan: &SqlPlan, psql: Option<&str>, figures: &[Figures]) -> Result<Table> {
    let (users, databases) = SMALL;
    let beside = match psql {
        Some(version) => format!(
            "{version} sends the same statements from one file, with a new connection where the database changes; ratios are taken round by \
             round"
        ),
        None => "skipped: there is no psql on this machine to compare with".to_owned(),
    };
    let note = format!("{} rounds, each on fresh servers, one after the other; {beside}", plan.rounds);
    let title = format!("First creation of {users} users × {databases} databases, without logins");
    let mut table = Table::new(&title, note, &header(figures, &[]));
    let mut row = |name: &str, cell: &dyn Fn(&Figures) -> Result<String>| -> Result<()> {
        table.row([vec![name.to_owned()], cells(figures, cell)?].concat());
        Ok(())
    };
    row("looks", &|seen| spread(seen.small.iter().map(|(ours, _)| ours.looks)))?;
    row("work", &|seen| spread(seen.small.iter().map(|(ours, _)| ours.work)))?;
    row("both", &|seen| spread(seen.small.iter().map(|(ours, _)| ours.sql())))?;
    if psql.is_some() {
        row("psql, from its start to its end", &|seen| spread(seen.small.iter().filter_map(|(_, psql)| *psql)))?;
        row("both, times psql's", &|seen| Ok(seen.times_psql().map_or_else(none, |times| times.show(ratio))))?;
        row("work alone, times psql's", &|seen| {
            Ok(seen.times(|ours| ours.work).map_or_else(none, |times| times.show(ratio)))
        })?;
    }
    Ok(table)
}

fn birth(figures: &[Figures]) -> Result<Table> {
    let note = "once; connections and round trips are those of another one, on another server";
    let mut table = Table::new("First creation of the large object", note, &header(figures, &[]));
    for (name, part) in PARTS {
        table.row([vec![name.to_owned()], cells(figures, |seen| Ok(show(part(&seen.birth.0.durations))))?].concat());
    }
    let counts: [(&str, Cell); 5] = [
        ("steps", |seen| Ok(seen.birth.0.steps.to_string())),
        ("logins", |seen| Ok(seen.birth.0.logins.len().to_string())),
        ("Events", |seen| Ok(seen.birth.0.events.to_string())),
        ("connections", |seen| Ok(seen.birth.1.connections.to_string())),
        ("round trips of the network", |seen| Ok(seen.birth.1.round_trips.to_string())),
    ];
    for (name, count) in counts {
        table.row([vec![name.to_owned()], cells(figures, count)?].concat());
    }
    Ok(table)
}

impl Figures {
    /// Round trips that a look takes once its session is open. The session that was only opened had one, for a statement.
    fn question(&self) -> u64 {
        let (look, greeting) = self.look;
        (look.round_trips + 1).saturating_sub(greeting.round_trips)
    }

    /// The last visit with one more user that was timed.
    fn latest(&self) -> Result<&Visit> {
        self.late.0.last().context("no visit was timed")
    }

    /// How much longer than psql everything but the logins took.
    fn times_psql(&self) -> Option<Spread> {
        self.times(Durations::sql)
    }

    fn times(&self, part: impl Fn(&Durations) -> Duration) -> Option<Spread> {
        let ratios =
            self.small.iter().filter_map(|(ours, psql)| Some(part(ours).as_secs_f64() / (*psql)?.as_secs_f64()));
        Spread::of(ratios)
    }
}

/// A figure of one version, as it is shown.
type Cell = fn(&Figures) -> Result<String>;

/// A part of a visit.
type Part = fn(&Durations) -> Duration;

const PARTS: [(&str, Part); 4] = [
    ("looks", |durations| durations.looks),
    ("work", |durations| durations.work),
    ("logins", |durations| durations.logins),
    ("all", Durations::all),
];

fn header(figures: &[Figures], more: &[&str]) -> Vec<String> {
    let versions = figures.iter().map(|seen| format!("PostgreSQL {}", seen.version));
    std::iter::once(String::new()).chain(versions).chain(more.iter().map(ToString::to_string)).collect()
}

fn cells(figures: &[Figures], cell: impl Fn(&Figures) -> Result<String>) -> Result<Vec<String>> {
    figures.iter().map(cell).collect()
}

fn spread(durations: impl Iterator<Item = Duration>) -> Result<String> {
    let spread = Spread::of(durations.map(|duration| duration.as_secs_f64())).context("nothing was timed")?;
    Ok(spread.show(|seconds| show(Duration::from_secs_f64(seconds))))
}

fn ratio(times: f64) -> String {
    format!("{times:.2}")
}

fn none() -> String {
    "not compared".to_owned()
}

fn bytes(count: u64) -> String {
    // Far below 2^52.
    #[expect(clippy::cast_precision_loss)]
    let kilobytes = count as f64 / 1000.0;
    format!("{kilobytes:.1} KB")
}
