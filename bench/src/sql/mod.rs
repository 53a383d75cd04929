//! What users and databases inside a server cost: the shipped engine and decisions on real PostgreSQL servers, without Kubernetes.

mod operator;
mod psql;
mod relay;
mod result;
mod server;

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use reconciler::engine::Login;

use self::operator::{Durations, Operator, Visit, declared};
use self::psql::Psql;
use self::relay::{Relay, Traffic};
use self::server::{Cloud, Server};
use crate::args::SqlPlan;
use crate::latencies::show;
use crate::report::{Table, progress};

/// Users and databases of the large object. Every user works in every database.
const LARGE: (u16, u16) = (50, 20);

/// Users and databases of the small one, whose first creation is compared.
const SMALL: (u16, u16) = (5, 5);

/// What was measured on one version.
#[derive(Debug)]
struct Figures {
    /// Such as `12.22`.
    version: String,
    /// The first creation of the large object, and what went over the network in another one.
    birth: (Visit, Traffic),
    /// Each look at rest.
    looks: Vec<Duration>,
    /// What went over the network for one of them, and for a session that did as good as nothing.
    look: (Traffic, Traffic),
    /// A visit at rest.
    rest: Visit,
    /// Visits with one more user each, and what went over the network in one more of them.
    late: (Vec<Visit>, Traffic),
    /// First creations of the small object, beside psql where there is one.
    small: Vec<(Durations, Option<Duration>)>,
}

/// Measures the engine that is linked into this executable.
///
/// # Errors
/// When a server does not start, or is not as declared after a visit.
#[tokio::main]
pub(crate) async fn measure(plan: &SqlPlan) -> Result<Vec<Table>> {
    let dir = std::path::absolute(&plan.dir)?;
    fs::create_dir_all(&dir)?;
    ensure!(fs::read_dir(&dir)?.next().is_none(), "{} is not empty: another run?", dir.display());
    let cloud = Cloud::start(&dir.join("rds")).await?;
    let psql = Psql::find(cloud.ca(), &dir).await;
    if psql.is_none() {
        progress("there is no psql on this machine: nothing is compared with it");
    }
    let bench = Bench { plan, ca_pem: fs::read(cloud.ca())?, cloud, psql };
    let mut figures = Vec::new();
    for version in &plan.versions {
        let seen = bench.version(version).await;
        figures.push(seen.with_context(|| format!("PostgreSQL {version}; its logs are in {}", dir.display()))?);
    }
    let psql = bench.psql.as_ref().map(|psql| psql.version.clone());
    bench.cloud.stop().await;
    fs::remove_dir_all(&dir)?;
    result::tables(plan, psql.as_deref(), &figures)
}

struct Bench<'a> {
    plan: &'a SqlPlan,
    cloud: Cloud,
    ca_pem: Vec<u8>,
    psql: Option<Psql>,
}

impl Bench<'_> {
    async fn version(&self, version: &str) -> Result<Figures> {
        let server = self.server("large", version).await?;
        let number = server.version.clone();
        progress(&format!("PostgreSQL {number}: the first creation of the large object"));
        let mut operator = self.operator(LARGE)?;
        let birth = operator.visit(&server.master).await?;
        progress(&format!("it took {}, and {} of logins", show(birth.durations.sql()), show(birth.durations.logins)));

        progress("looks at rest");
        let mut looks = Vec::new();
        for _ in 0..self.plan.looks {
            let began = Instant::now();
            operator.look_at_rest(&server.master).await?;
            looks.push(began.elapsed());
        }
        let look = relayed(&server, async |master| operator.look_at_rest(&master).await).await?.1;
        let greeting = relayed(&server, async |master| operator.greet(&master).await).await?.1;
        let rest = operator.visit(&server.master).await?;
        ensure!(rest.steps == 0, "something was done at rest");

        progress("one more user, several times");
        let mut late = Vec::new();
        for number in 1..=self.plan.rounds {
            late.push(one_more(&mut operator, &server.master, number).await?);
        }
        let number_relayed = self.plan.rounds + 1;
        let counted = relayed(&server, async |master| one_more(&mut operator, &master, number_relayed).await).await?;
        self.cloud.delete(server).await?;

        progress("the first creation of the large object, to count what goes over the network");
        let server = self.server("counted", version).await?;
        let mut operator = self.operator(LARGE)?;
        let (_, birth_traffic) = relayed(&server, async |master| operator.visit(&master).await).await?;
        self.cloud.delete(server).await?;

        let small = self.small(version).await?;
        Ok(Figures {
            version: number,
            birth: (birth, birth_traffic),
            looks,
            look: (look, greeting),
            rest,
            late: (late, counted.1),
            small,
        })
    }

    /// Each round has fresh servers, one after the other.
    async fn small(&self, version: &str) -> Result<Vec<(Durations, Option<Duration>)>> {
        let mut rounds = Vec::new();
        for round in 1..=self.plan.rounds {
            let ours = self.server(&format!("ours-{round}"), version).await?;
            let ours_took = self.operator(SMALL)?.visit(&ours.master).await?.durations;
            self.cloud.delete(ours).await?;
            let theirs_took = match &self.psql {
                Some(psql) => Some(self.by_psql(psql, &format!("psql-{round}"), version).await?),
                None => None,
            };
            let theirs_shown = theirs_took.map_or_else(String::new, |took| format!(", psql {}", show(took)));
            progress(&format!(
                "small object, {round} of {}: {}{theirs_shown}",
                self.plan.rounds,
                show(ours_took.sql())
            ));
            rounds.push((ours_took, theirs_took));
        }
        Ok(rounds)
    }

    /// The engine says what is to be done, psql does it, and the engine finds nothing left to do.
    async fn by_psql(&self, psql: &Psql, name: &str, version: &str) -> Result<Duration> {
        let server = self.server(name, version).await?;
        let mut operator = self.operator(SMALL)?;
        let (_, todo) = operator.look(&server.master).await?;
        let took = psql.run(&server.master, &todo.steps).await?;
        let left = operator.visit(&server.master).await?;
        ensure!(left.steps == 0, "psql left {} steps", left.steps);
        self.cloud.delete(server).await?;
        Ok(took)
    }

    async fn server(&self, name: &str, version: &str) -> Result<Server> {
        self.cloud.create(&format!("{name}-{}", version.replace('.', "-")), version).await
    }

    fn operator(&self, (users, databases): (u16, u16)) -> Result<Operator> {
        Ok(Operator::new(&self.ca_pem, declared(users, databases, 0)?))
    }
}

/// A visit that admits the next user to the first database of the large object, and shows that its login works.
async fn one_more(operator: &mut Operator, master: &Login, number: u16) -> Result<Visit> {
    let (users, databases) = LARGE;
    operator.declare(declared(users, databases, number)?);
    let visit = operator.visit(master).await?;
    let late = format!("late_{number:02}");
    ensure!(visit.logins.iter().any(|door| door.user == late), "{late} was not logged in");
    Ok(visit)
}

/// Does something by way of a relay that counts what goes over the network.
async fn relayed<T>(server: &Server, work: impl AsyncFnOnce(Login) -> Result<T>) -> Result<(T, Traffic)> {
    let relay = Relay::to(server.master.port).await?;
    let done = work(server.master_at(relay.port())).await?;
    Ok((done, relay.traffic().await?))
}
