//! The port of the reconciler on the simulated servers: what takes time, what goes wrong on the way, and what is told of it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use reconciler::engine::postgres::{
    Blocked, Catalog, DIALECT, PrivilegeReport, SqlPlan, SqlStep, Timeouts, plan_sql, refusal, script,
};
use reconciler::engine::{Awaited, Dialect, Engine, EngineError, Login, Password, Passwords, Question, Session};
use reconciler::entropy::Entropy;

use super::actions;
use super::postgres::{Act, Event, Postgres, Refusal, Sitting};
use super::state::{Late, State};
use crate::chance::Time;
use crate::faults::{Fault, Faults, Port};

/// The slowest answer.
const SLOWEST: Duration = Duration::from_millis(50);

/// Where a host name leads.
pub(crate) trait Addresses: Send + Sync {
    /// The resource id of the instance that answers there; `None` where none does.
    fn resource_at(&self, host: &str) -> Option<String>;
}

/// Who keeps what happens on the servers.
pub(crate) trait Witness: Send + Sync {
    /// Something happened. Its `Display` is its line in the log; no password is in it.
    fn happened(&self, record: &Record);
}

/// One thing that happened on a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// Since the beginning.
    pub(crate) at: Duration,
    /// The resource id of the instance.
    pub(crate) resource: String,
    pub(crate) event: Event,
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.resource, self.event)
    }
}

/// The servers of all instances, for all processes of a simulation.
#[derive(Clone)]
pub(crate) struct SqlServers(Arc<Inner>);

/// The same for whoever they tell of themselves: it does not keep them.
pub(crate) struct Distant(Weak<Inner>);

impl Distant {
    /// The servers, while they are there.
    pub(crate) fn servers(&self) -> Option<SqlServers> {
        self.0.upgrade().map(SqlServers)
    }
}

struct Inner {
    time: Time,
    entropy: Arc<dyn Entropy>,
    faults: Arc<dyn Faults>,
    addresses: Arc<dyn Addresses>,
    witness: Arc<dyn Witness>,
    timeouts: Timeouts,
    state: Mutex<State>,
}

/// One call of the operator's.
struct Call<'a> {
    action: &'static str,
    login: &'a Login,
    /// When the caller gives up.
    limit: Duration,
    /// What can arrive late.
    part: Option<(&'a SqlStep, usize)>,
}

impl SqlServers {
    /// No servers yet; how long an answer takes comes from `entropy`.
    pub(crate) fn new(
        time: Time,
        entropy: Arc<dyn Entropy>,
        faults: Arc<dyn Faults>,
        addresses: Arc<dyn Addresses>,
        witness: Arc<dyn Witness>,
    ) -> Self {
        let (timeouts, state) = (Timeouts::default(), Mutex::default());
        Self(Arc::new(Inner { time, entropy, faults, addresses, witness, timeouts, state }))
    }

    /// For whoever they tell of themselves.
    pub(crate) fn distant(&self) -> Distant {
        Distant(Arc::downgrade(&self.0))
    }

    /// All of it, with what is due by now.
    pub(crate) fn state(&self) -> State {
        self.act(|state, _| state.clone())
    }

    /// Makes it what it was.
    pub(crate) fn restore(&self, state: State) {
        *self.lock() = state;
    }

    /// A server begins, empty, with its instance: `version` is its `server_version_num`.
    pub(crate) fn created(&self, resource: &str, version: u32, master: &str, password: &Password) {
        self.act(|state, told| {
            state.servers.insert(resource.to_owned(), Postgres::new(version, master, password));
            told.push((resource.to_owned(), Event::Born { version }));
        });
    }

    /// Data are copied as they are now: of an instance to a snapshot, or of one to an instance, each by its resource id. No session is.
    pub(crate) fn copied(&self, from: &str, to: &str) {
        self.act(|state, told| {
            if let Some(mut copy) = state.servers.get(from).cloned() {
                copy.clients.clear();
                state.servers.insert(to.to_owned(), copy);
                told.push((to.to_owned(), Event::CopiedFrom { resource: from.to_owned() }));
            }
        });
    }

    /// The data of an instance or a snapshot are no more.
    pub(crate) fn gone(&self, resource: &str) {
        self.act(|state, told| {
            if state.servers.remove(resource).is_some() {
                told.push((resource.to_owned(), Event::Gone));
            }
        });
    }

    /// RDS sets the master user's password, and gives back what the master user lost.
    pub(crate) fn master_password(&self, resource: &str, password: &Password) {
        self.on(resource, |server, told| server.reset_master(password, told));
    }

    /// The server runs another version from now on. Every session ends.
    pub(crate) fn upgraded(&self, resource: &str, version: u32) {
        self.on(resource, |server, _| {
            server.clients.clear();
            server.upgrade(version);
        });
    }

    /// Somebody does something in a session of their own; the server may refuse.
    pub(crate) fn play(&self, resource: &str, act: &Act) -> Result<(), Refusal> {
        self.on(resource, |server, told| act.play(server, told)).unwrap_or(Ok(()))
    }

    /// The server of an instance.
    pub(crate) fn server(&self, resource: &str) -> Option<Postgres> {
        self.on(resource, |server, _| server.clone())
    }

    fn on<T>(&self, resource: &str, act: impl FnOnce(&mut Postgres, &mut Vec<Event>) -> T) -> Option<T> {
        self.act(|state, told| {
            let mut news = Vec::new();
            let answer = act(state.servers.get_mut(resource)?, &mut news);
            told.extend(news.into_iter().map(|event| (resource.to_owned(), event)));
            Some(answer)
        })
    }

    /// Lets arrive what is due, then does something, then tells of both.
    fn act<T>(&self, act: impl FnOnce(&mut State, &mut Vec<(String, Event)>) -> T) -> T {
        let at = self.0.time.elapsed();
        let (answer, told) = {
            let mut state = self.lock();
            let mut told = state.advance(at);
            (act(&mut state, &mut told), told)
        };
        for (resource, event) in told {
            self.0.witness.happened(&Record { at, resource, event });
        }
        answer
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An answer takes its time, on the way there and on the way back: one who dies may have had an effect and not know.
    async fn travels(&self) {
        tokio::time::sleep(SLOWEST.mul_f64(self.0.entropy.fraction() / 2.0)).await;
    }

    async fn answer<T>(
        &self,
        call: Call<'_>,
        serve: impl FnOnce(&mut Postgres, &mut Vec<Event>) -> Result<T, Refusal>,
    ) -> Result<T, EngineError> {
        self.travels().await;
        let Call { action, login, limit, part } = call;
        let says = |sqlstate: &str, message: &str| refusal(login, limit, sqlstate, message);
        let refused = |reason: &str| EngineError::Unreachable {
            host: login.host.clone(),
            port: login.port,
            reason: reason.to_owned(),
        };
        let fault = self.0.faults.of(Port::Server, action);
        let resource = self.0.addresses.resource_at(&login.host).ok_or_else(|| refused("connection refused"))?;
        let late = EngineError::Timeout { awaited: Awaited::Statement, limit };
        match fault {
            // A server answers from what is true, and whole.
            Fault::None | Fault::Stale | Fault::Partial | Fault::Outrun => {}
            Fault::Throttled => return Err(says("53300", "sorry, too many clients already")),
            Fault::Broken => return Err(says("57P03", "the database system is starting up")),
            Fault::Forbidden => return Err(says("42501", "permission denied")),
            Fault::Lost => {
                let limit = self.0.timeouts.connect;
                tokio::time::sleep(limit).await;
                return Err(EngineError::Timeout { awaited: Awaited::Connection, limit });
            }
            Fault::AnswerLost => {
                drop(self.on(&resource, serve));
                tokio::time::sleep(limit).await;
                return Err(late);
            }
            Fault::Late(by) => {
                if let Some((step, part)) = part {
                    let due = self.0.time.elapsed() + limit + by;
                    let (master, step) = (login.clone(), step.clone());
                    self.act(|state, _| state.send_late(Late { due, resource, master, step, part }));
                }
                tokio::time::sleep(limit).await;
                return Err(late);
            }
        }
        let answer = self.on(&resource, serve).ok_or_else(|| refused("connection refused"))?;
        self.travels().await;
        answer.map_err(|refusal| says(refusal.sqlstate, &refusal.message))
    }
}

#[async_trait]
impl Engine for SqlServers {
    const DIALECT: &'static dyn Dialect = DIALECT;

    type Catalog = Catalog;
    type Step = SqlStep;
    type Blocked = Blocked;
    type Privileges = PrivilegeReport;
    type Session = Work;

    async fn look(&self, master: &Login, question: Question<'_>) -> Result<Catalog, EngineError> {
        let call = Call { action: actions::LOOK, login: master, limit: self.0.timeouts.look, part: None };
        let look = |server: &mut Postgres, _: &mut Vec<Event>| {
            server.authenticate(&master.user, &master.password)?;
            server.admit(&master.user, &master.database)?;
            Ok(server.look(question))
        };
        self.answer(call, look).await
    }

    fn plan(question: Question<'_>, passwords: &Passwords, catalog: &Catalog) -> SqlPlan {
        plan_sql(question, passwords, catalog)
    }

    fn set_password(user: &str, password: &Password) -> SqlStep {
        SqlStep::SetPassword { user: user.to_owned(), password: password.clone() }
    }

    fn session(&self, master: &Login) -> Work {
        Work { servers: self.clone(), sitting: Sitting::of(master) }
    }

    async fn check_login(&self, login: &Login) -> Result<PrivilegeReport, EngineError> {
        let call = Call { action: actions::LOG_IN, login, limit: self.0.timeouts.login, part: None };
        let (user, database) = (&login.user, &login.database);
        let enter = |server: &mut Postgres, told: &mut Vec<Event>| {
            let entered = server.authenticate(user, &login.password).and_then(|()| server.admit(user, database));
            let (user, database) = (user.clone(), database.clone());
            if let Err(refusal) = entered {
                told.push(Event::Refused { user, database, sqlstate: refusal.sqlstate });
                return Err(refusal);
            }
            let report = server.access(&user, &database);
            told.push(Event::LoggedIn { user, database });
            Ok(report)
        };
        self.answer(call, enter).await
    }
}

/// The connections of the master for one piece of work.
pub(crate) struct Work {
    servers: SqlServers,
    sitting: Sitting,
}

#[async_trait]
impl Session<SqlStep> for Work {
    async fn carry_out(&mut self, step: &SqlStep) -> Result<(), EngineError> {
        let (login, limit) = (self.sitting.master().clone(), self.servers.0.timeouts.step);
        for (part, batch) in script(step, |_| String::new()).iter().enumerate() {
            let call = Call { action: actions::of(step), login: &login, limit, part: Some((step, part)) };
            let sitting = &mut self.sitting;
            let run = |server: &mut Postgres, told: &mut Vec<Event>| sitting.run(server, (step, part), batch, told);
            self.servers.answer(call, run).await?;
        }
        Ok(())
    }

    fn is_closed(&self, database: &str) -> bool {
        self.sitting.is_closed(database)
    }

    async fn close(self) {}
}
