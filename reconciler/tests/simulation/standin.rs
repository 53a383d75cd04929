//! A cloud and a server that are as simple as can be.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use reconciler::engine::{
    Access as Seen, Change, Engine, EngineError, Findings, Kind, Login, Obstacle, Password, Passwords, Planned,
    Question, Session,
};
use reconciler::providers::{
    Access, Changes, Cloud, CloudError, ConnectError, Connected, Connector, Course, Endpoint, ErrorClass,
    FinalSnapshot, Identity, Instance, Marks, Phase, Request, Settings, Snapshot, SnapshotKind, State,
};
use shared::rules::DatabaseName;

use crate::chance::Time;
use crate::gate::Gate;
use crate::history::History;

const CREATION: Duration = Duration::from_secs(120);
const DELETION: Duration = Duration::from_secs(60);
const MODIFICATION: Duration = Duration::from_secs(30);

pub(crate) struct OneAccount {
    time: Time,
    history: Arc<History>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    count: u32,
    instances: BTreeMap<String, (Instance, Duration, &'static str)>,
    snapshots: Vec<(String, Snapshot)>,
}

impl OneAccount {
    pub(crate) fn new(time: Time, history: Arc<History>) -> Self {
        Self { time, history, held: Mutex::default() }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Held) -> T) -> T {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.time.elapsed();
        held.instances.retain(|_, (_, until, then)| *then != "gone" || *until > now);
        for (instance, until, then) in held.instances.values_mut() {
            if *until <= now && !then.is_empty() {
                instance.status = state(then);
                *then = "";
                let pending = std::mem::take(&mut instance.pending);
                instance.running = pending.or(instance.running.clone());
                let host = format!("{}.x.eu-central-1.rds.amazonaws.com", instance.identifier);
                instance.endpoint = Some(Endpoint { host, port: 5432 });
            }
        }
        act(&mut held)
    }
}

fn state(word: &str) -> State {
    let (course, serves, takes, final_snapshot) = match word {
        "available" => (Course::Settled, true, Changes::All, FinalSnapshot::Possible),
        "creating" => (Course::Creating, false, Changes::None, FinalSnapshot::Later),
        "deleting" => (Course::Deleting, false, Changes::None, FinalSnapshot::Later),
        _ => (Course::Passing, true, Changes::None, FinalSnapshot::Later),
    };
    State::new(word, Phase { course, serves, takes, final_snapshot })
}

fn error(action: &'static str, code: &str, class: ErrorClass) -> CloudError {
    CloudError { action, code: code.into(), message: "so it is".into(), class }
}

#[async_trait]
impl Cloud for OneAccount {
    async fn identity(&self) -> Result<Identity, CloudError> {
        Ok(Identity { account: "000000000000".into(), arn: "arn".into() })
    }

    async fn inventory(&self) -> Result<Vec<Instance>, CloudError> {
        Ok(self.with(|held| held.instances.values().map(|(instance, ..)| instance.clone()).collect()))
    }

    async fn snapshots_of(&self, identifier: &str) -> Result<Vec<Snapshot>, CloudError> {
        Ok(self.with(|held| {
            held.snapshots.iter().filter(|(of, _)| of == identifier).map(|(_, snapshot)| snapshot.clone()).collect()
        }))
    }

    async fn look(&self, identifier: &str) -> Result<Option<Instance>, CloudError> {
        Ok(self.with(|held| held.instances.get(identifier).map(|(instance, ..)| instance.clone())))
    }

    async fn carry_out(&self, request: &Request) -> Result<(), CloudError> {
        self.history.log(request);
        let (now, wall) = (self.time.elapsed(), self.time.wall());
        self.with(|held| match request {
            Request::Create(create) => {
                if held.instances.contains_key(&create.identifier) {
                    return Err(error("CreateDBInstance", "DBInstanceAlreadyExists", ErrorClass::AlreadyExists));
                }
                held.count += 1;
                let instance = Instance {
                    identifier: create.identifier.clone(),
                    resource_id: Some(format!("db-{}", held.count)),
                    resource_name: Some(create.identifier.clone()),
                    status: state("creating"),
                    endpoint: None,
                    running: create.settings.clone(),
                    pending: Settings::default(),
                    backup_window: None,
                    master_user: Some(create.master_user.clone()),
                    authority: None,
                    marks: Marks::from(&create.owner),
                    tags: create.tags.clone(),
                };
                held.instances.insert(create.identifier.clone(), (instance, now + CREATION, "available"));
                Ok(())
            }
            Request::Modify(modify) => match held.instances.get_mut(&modify.identifier) {
                Some((instance, until, then)) if then.is_empty() => {
                    instance.pending = modify.change.clone();
                    instance.status = state("modifying");
                    (*until, *then) = (now + MODIFICATION, "available");
                    Ok(())
                }
                _ => Err(error("ModifyDBInstance", "InvalidDBInstanceState", ErrorClass::WrongState)),
            },
            Request::ResetMaster(_) => Ok(()),
            Request::Mark(mark) => {
                if let Some((instance, ..)) = held.instances.get_mut(&mark.resource) {
                    instance.marks.retained = mark.retained.or(instance.marks.retained);
                    if let Some(owner) = &mark.owner {
                        instance.marks = Marks::from(owner);
                    }
                    instance.tags.extend(mark.tags.clone());
                }
                Ok(())
            }
            Request::Delete(delete) => match held.instances.get_mut(&delete.identifier) {
                Some((instance, until, then)) if then.is_empty() => {
                    instance.status = state("deleting");
                    (*until, *then) = (now + DELETION, "gone");
                    let resource_id = instance.resource_id.clone();
                    if let Some(identifier) = delete.final_snapshot.clone() {
                        let snapshot = Snapshot {
                            identifier,
                            kind: SnapshotKind::Manual,
                            status: "available".into(),
                            created: Some(wall),
                            resource_id,
                        };
                        held.snapshots.push((delete.identifier.clone(), snapshot));
                    }
                    Ok(())
                }
                _ => Err(error("DeleteDBInstance", "InvalidDBInstanceState", ErrorClass::WrongState)),
            },
        })
    }
}

/// The cloud as one process reaches it.
pub(crate) struct Gated {
    pub(crate) inner: Arc<OneAccount>,
    pub(crate) gate: Arc<Gate>,
}

#[async_trait]
impl Connector for Gated {
    async fn connect(&self, _: &Access) -> Result<Connected, ConnectError> {
        let identity = self.inner.identity().await.map_err(ConnectError::Identity)?;
        let cloud = Arc::new(Self { inner: self.inner.clone(), gate: self.gate.clone() });
        Ok(Connected { cloud, identity, region: "eu-central-1".into() })
    }
}

#[async_trait]
impl Cloud for Gated {
    async fn identity(&self) -> Result<Identity, CloudError> {
        self.gate.pass().await;
        self.inner.identity().await
    }

    async fn inventory(&self) -> Result<Vec<Instance>, CloudError> {
        self.gate.pass().await;
        self.inner.inventory().await
    }

    async fn snapshots_of(&self, identifier: &str) -> Result<Vec<Snapshot>, CloudError> {
        self.gate.pass().await;
        self.inner.snapshots_of(identifier).await
    }

    async fn look(&self, identifier: &str) -> Result<Option<Instance>, CloudError> {
        self.gate.pass().await;
        self.inner.look(identifier).await
    }

    async fn carry_out(&self, request: &Request) -> Result<(), CloudError> {
        self.gate.effect(self.inner.carry_out(request)).await
    }
}

/// A server on which all is as it should be.
pub(crate) struct Fine {
    pub(crate) gate: Arc<Gate>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Found(BTreeMap<String, u32>);

impl Findings for Found {
    fn version(&self) -> u32 {
        120_022
    }

    fn lacks_user(&self, _: &str) -> bool {
        false
    }

    fn lacks_database(&self, _: &str) -> bool {
        false
    }

    fn oids(&self) -> &BTreeMap<String, u32> {
        &self.0
    }

    fn removed_databases(&self) -> BTreeSet<String> {
        BTreeSet::new()
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Nothing;

impl fmt::Display for Nothing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing")
    }
}

impl Change for Nothing {
    fn kind(&self) -> Kind {
        Kind::UsersChanged
    }

    fn user(&self) -> Option<&str> {
        None
    }

    fn database(&self) -> Option<&str> {
        None
    }

    fn enters(&self) -> Option<&str> {
        None
    }

    fn is_leisurely(&self) -> bool {
        false
    }

    fn needs(&self, _: &Self) -> bool {
        false
    }
}

impl Obstacle for Nothing {
    fn user(&self) -> Option<&str> {
        None
    }

    fn database(&self) -> Option<&str> {
        None
    }

    fn is_loss(&self) -> bool {
        false
    }
}

impl Seen for Nothing {
    fn faults(&self, _: &BTreeSet<DatabaseName>, _: &BTreeSet<DatabaseName>) -> Vec<String> {
        Vec::new()
    }
}

/// A connection over which a step is done by itself.
pub(crate) struct Opened(Arc<Gate>);

#[async_trait]
impl Session<Nothing> for Opened {
    async fn carry_out(&mut self, _: &Nothing) -> Result<(), EngineError> {
        self.0.effect(async { Ok(()) }).await
    }

    fn is_closed(&self, _: &str) -> bool {
        false
    }

    async fn close(self) {}
}

#[async_trait]
impl Engine for Fine {
    type Catalog = Found;
    type Step = Nothing;
    type Blocked = Nothing;
    type Access = Nothing;
    type Session = Opened;

    async fn look(&self, _: &Login, question: Question<'_>) -> Result<Found, EngineError> {
        self.gate.pass().await;
        let known = |name: &DatabaseName| !question.known.contains_key(name);
        let names = question.desired.databases.keys().filter(|name| known(name));
        Ok(Found(names.map(|name| (name.to_string(), 7)).collect()))
    }

    fn plan(_: Question<'_>, _: &Passwords, _: &Found) -> Planned<Nothing, Nothing> {
        Planned::default()
    }

    fn set_password(_: &str, _: &Password) -> Nothing {
        Nothing
    }

    fn session(&self, _: &Login) -> Opened {
        Opened(self.gate.clone())
    }

    async fn check_access(&self, _: &Login) -> Result<Nothing, EngineError> {
        self.gate.pass().await;
        Ok(Nothing)
    }
}
