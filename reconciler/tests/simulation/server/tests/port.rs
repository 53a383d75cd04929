//! The port: what comes of a call that goes wrong, and of a process that dies.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reconciler::clock::Clock as _;
use reconciler::engine::postgres::{Catalog, PrivilegeReport, SqlPlan, SqlStep};
use reconciler::engine::{Engine as _, EngineError, Known, Login, Mark, Outcome, Passwords, Question, Slice, work};
use reconciler::lease::Fence;
use serde_json::json;
use shared::rules::{DatabaseName, Desired};

use super::{master, password};
use crate::chance::{ProcessClock, Seeded, Time};
use crate::faults::{Fault, Faults, Port};
use crate::server::postgres::{Act, Deed, Event};
use crate::server::wanted::{Wanted, desired};
use crate::server::{Addresses, Record, SqlServers, Witness};

/// What goes wrong with the next calls of an action.
#[derive(Default)]
struct Ordered(Mutex<BTreeMap<&'static str, VecDeque<Fault>>>);

impl Faults for Ordered {
    fn of(&self, port: Port, action: &'static str) -> Fault {
        assert_eq!(port, Port::Server);
        self.0.lock().unwrap().get_mut(action).and_then(VecDeque::pop_front).unwrap_or_default()
    }
}

/// One host, of the instance `db-1`.
struct OneHost;

impl Addresses for OneHost {
    fn resource_at(&self, host: &str) -> Option<String> {
        (host == "db.example").then(|| "db-1".to_owned())
    }
}

#[derive(Default)]
struct Kept(Mutex<Vec<Record>>);

impl Witness for Kept {
    fn happened(&self, record: &Record) {
        self.0.lock().unwrap().push(record.clone());
    }
}

struct Simulation {
    servers: SqlServers,
    faults: Arc<Ordered>,
    kept: Arc<Kept>,
    mark: Mark,
    known: BTreeMap<DatabaseName, Known>,
    clock: ProcessClock,
}

impl Simulation {
    fn new() -> Self {
        let time = Time::begin();
        let (faults, kept) = (Arc::<Ordered>::default(), Arc::<Kept>::default());
        let servers = SqlServers::new(time, Arc::new(Seeded::new(7)), faults.clone(), Arc::new(OneHost), kept.clone());
        servers.created("db-1", 160_015, "sysadmin", &password("sysadmin"));
        let mark = Mark::new("test/shop/orders");
        Self { servers, faults, kept, mark, known: BTreeMap::new(), clock: ProcessClock::start(time) }
    }

    fn order(&self, action: &'static str, fault: Fault) {
        self.faults.0.lock().unwrap().entry(action).or_default().push_back(fault);
    }

    async fn look(&self, desired: &Desired) -> Result<Catalog, EngineError> {
        let question = Question { desired, mark: &self.mark, known: &self.known };
        self.servers.look(&master(), question).await
    }

    async fn plan(&self, desired: &Desired) -> SqlPlan {
        let catalog = self.look(desired).await.unwrap();
        let passwords: Passwords = desired.users.keys().map(|user| (user.clone(), password(user.as_str()))).collect();
        let question = Question { desired, mark: &self.mark, known: &self.known };
        SqlServers::plan(question, &passwords, &catalog)
    }

    async fn work(&self, steps: &[SqlStep]) -> Vec<Outcome> {
        let budget = Duration::from_mins(5);
        let slice = Slice { steps, stopped: &[], clock: &self.clock, budget, fence: None };
        work(self.servers.session(&master()), slice).await
    }

    async fn converge(&self, desired: &Desired) {
        for _ in 0..6 {
            let plan = self.plan(desired).await;
            if plan.steps.is_empty() {
                return;
            }
            self.work(&plan.steps).await;
        }
        panic!("not at rest: {:?}", self.plan(desired).await.steps);
    }

    async fn log_in(&self, user: &str, database: &str) -> Result<PrivilegeReport, EngineError> {
        let login = Login { user: user.into(), password: password(user), database: database.into(), ..master() };
        self.servers.check_login(&login).await
    }

    fn events(&self) -> Vec<Event> {
        self.kept.0.lock().unwrap().iter().map(|record| record.event.clone()).collect()
    }
}

fn shop() -> Desired {
    desired(&json!({"app": [], "off": ["nologin"]}), &json!({"shop": ["app", "off"]}))
}

#[tokio::test(start_paused = true)]
async fn i4_a_life_is_told_and_no_password_is() {
    let simulation = Simulation::new();
    simulation.converge(&shop()).await;
    let report = simulation.log_in("app", "shop").await.unwrap();
    assert_eq!((report.current_user.as_str(), report.connectable.len()), ("shop-owner", 1));
    let off = simulation.log_in("off", "shop").await;
    assert!(matches!(off, Err(EngineError::NotPermitted { .. })), "{off:?}");
    let nowhere = simulation.log_in("app", "nowhere").await;
    assert!(matches!(nowhere, Err(EngineError::Other { .. })), "{nowhere:?}");
    let mine = Deed::SetPassword { role: "app".into(), password: password("another") };
    let act = Act::of("app", "shop", mine);
    simulation.servers.play("db-1", &act).unwrap();
    let refused = simulation.log_in("app", "shop").await;
    assert_eq!(refused, Err(EngineError::AuthenticationFailed { user: "app".into() }));
    let step = SqlServers::set_password("app", &password("app"));
    assert_eq!(simulation.work(&[step]).await, [Outcome::Done]);
    simulation.log_in("app", "shop").await.unwrap();
    let events = simulation.events();
    let made = events.iter().filter(|event| matches!(event, Event::DatabaseCreated { .. })).count();
    assert_eq!((made, events.iter().filter(|event| event.is_effect()).count()), (1, events.len() - 5));
    let lines = simulation.kept.0.lock().unwrap().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(lines.contains("db-1: password of app set by sysadmin"), "{lines}");
    assert!(!format!("{lines}{act}{events:?}").contains("-password"), "{lines}");
}

#[tokio::test(start_paused = true)]
async fn each_fault_has_its_error_and_its_effect_or_none() {
    let simulation = Simulation::new();
    simulation.converge(&shop()).await;
    let (before, digest) = (simulation.servers.state(), simulation.servers.state().digest());
    let mut answers = Vec::new();
    for fault in [Fault::Throttled, Fault::Broken, Fault::Forbidden, Fault::Lost, Fault::AnswerLost] {
        simulation.order("log in", fault);
        answers.push(simulation.log_in("app", "shop").await);
    }
    let [throttled, broken, forbidden, lost, answer_lost] = answers.as_slice() else { panic!() };
    assert!(matches!(throttled, Err(EngineError::Unreachable { .. })), "{throttled:?}");
    assert!(matches!(broken, Err(EngineError::Unreachable { .. })), "{broken:?}");
    assert!(matches!(forbidden, Err(EngineError::NotPermitted { .. })), "{forbidden:?}");
    assert!(matches!(lost, Err(EngineError::Timeout { .. })), "{lost:?}");
    assert!(matches!(answer_lost, Err(EngineError::Timeout { .. })), "{answer_lost:?}");
    simulation.order("look", Fault::Lost);
    let look = simulation.look(&shop()).await;
    assert!(look.as_ref().is_err_and(EngineError::ends_all), "{look:?}");

    let more = desired(&json!({"app": [], "off": ["nologin"], "new": []}), &json!({"shop": ["app", "off"]}));
    let plan = simulation.plan(&more).await;
    let new = |servers: &SqlServers| servers.state().servers["db-1"].roles.contains_key("new");
    simulation.order("create user", Fault::Lost);
    assert!(matches!(simulation.work(&plan.steps).await.as_slice(), [Outcome::Failed(error)] if error.ends_all()));
    assert!(!new(&simulation.servers));
    assert_eq!((simulation.servers.state(), simulation.servers.state().digest()), (before.clone(), digest));
    simulation.order("create user", Fault::AnswerLost);
    assert!(matches!(simulation.work(&plan.steps).await.as_slice(), [Outcome::Failed(_)]));
    assert!(new(&simulation.servers));
    assert_ne!(simulation.servers.state().digest(), digest);
    assert_eq!(simulation.work(&plan.steps).await, [Outcome::Done], "it is there, and carries the mark");

    simulation.servers.restore(before);
    simulation.order("create user", Fault::Late(Duration::from_secs(60)));
    assert!(matches!(simulation.work(&plan.steps).await.as_slice(), [Outcome::Failed(_)]));
    assert!(!new(&simulation.servers));
    tokio::time::sleep(Duration::from_secs(59)).await;
    assert!(!new(&simulation.servers), "it is still on its way");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(new(&simulation.servers));
}

#[tokio::test(start_paused = true)]
async fn i11_killed_at_any_moment_it_ends_where_it_would_have_ended() {
    for seed in 0..12 {
        let mut chance = Wanted::seeded(seed);
        let (before, after) = (chance.desired(), chance.desired());
        let ends = |deaths: u64| {
            let (before, after) = (before.clone(), after.clone());
            async move {
                let simulation = Simulation::new();
                simulation.converge(&before).await;
                for death in 0..deaths {
                    let plan = simulation.plan(&after).await;
                    let life = Duration::from_millis(10 + death * 17 % 190);
                    drop(tokio::time::timeout(life, simulation.work(&plan.steps)).await);
                }
                simulation.converge(&after).await;
                simulation.servers.state()
            }
        };
        let (undisturbed, killed) = (ends(0).await, ends(40).await);
        let plain = |state: &crate::server::State| {
            let mut server = state.servers["db-1"].clone();
            server.databases.values_mut().for_each(|database| database.oid = 0);
            (server.roles, server.memberships, server.databases)
        };
        assert_eq!(plain(&undisturbed), plain(&killed), "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn data_live_with_their_instance_and_in_snapshots() {
    let simulation = Simulation::new();
    simulation.converge(&shop()).await;
    let servers = &simulation.servers;
    servers.copied("db-1", "snapshot");
    servers.gone("db-1");
    let gone = simulation.look(&shop()).await;
    assert!(matches!(gone, Err(EngineError::Unreachable { .. })), "{gone:?}");
    servers.created("db-1", 160_015, "sysadmin", &password("sysadmin"));
    assert!(!simulation.plan(&shop()).await.steps.is_empty(), "a new server is empty");
    servers.copied("snapshot", "db-1");
    assert_eq!(simulation.plan(&shop()).await.steps, []);
    servers.master_password("db-1", &password("other"));
    let refused = simulation.look(&shop()).await;
    assert_eq!(refused, Err(EngineError::AuthenticationFailed { user: "sysadmin".into() }));
    servers.master_password("db-1", &password("sysadmin"));
    servers.upgraded("db-1", 170_011);
    assert_eq!(simulation.look(&shop()).await.unwrap().version, 170_011);
    let elsewhere = Login { host: "elsewhere".into(), ..master() };
    let nowhere = servers.check_login(&elsewhere).await;
    assert!(matches!(nowhere, Err(EngineError::Unreachable { .. })), "{nowhere:?}");
}

#[tokio::test(start_paused = true)]
async fn i11_a_process_whose_lease_is_old_begins_nothing() {
    let simulation = Simulation::new();
    let plan = simulation.plan(&shop()).await;
    let before = simulation.servers.state();
    let clock = Arc::new(ProcessClock::start(Time::begin()));
    let fence = Fence::closed(clock.clone());
    let slice = |fence| Slice {
        steps: &plan.steps,
        stopped: &[],
        clock: &simulation.clock,
        budget: Duration::from_millis(1),
        fence: Some(fence),
    };
    assert_eq!(work(simulation.servers.session(&master()), slice(&fence)).await, []);
    assert_eq!(simulation.servers.state(), before);
    fence.renewed(clock.now());
    let outcomes = work(simulation.servers.session(&master()), slice(&fence)).await;
    assert_eq!(outcomes, [Outcome::Done], "its time was up after one");
}
