//! What people do past the operator: at the console of the cloud, and with a login of their own on a server.

use std::sync::Arc;

use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rds_model::ApiError;
use reconciler::engine::Password;
use reconciler::providers::Instance;
use reconciler::turns::Key;
use shared::api::labels::{CLUSTER_TAG, UID_TAG};
use shared::names::InstanceIdentifier;

use crate::cloud::port::SimulatedCloud;
use crate::server::postgres::{Act as Statement, Deed as Sql};
use crate::world::{CLUSTER, World};

/// What somebody does to an instance, or what is made to happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Console {
    Stop,
    Start,
    Reboot,
    Delete {
        snapshot: bool,
    },
    Protect(bool),
    Rename,
    Class(&'static str),
    Storage(u32),
    Retention(u32),
    Password,
    StripTag(&'static str),
    /// It gets a tag of another instance.
    Mark(&'static str),
    Snapshot,
    /// From that snapshot, under the name that the instance had.
    Restore,
    FailCreation,
    DropChange,
    FailSnapshot,
    /// Its snapshots become days older.
    Age,
    FillStorage,
    /// RDS is going to upgrade the engine by itself.
    RequireUpgrade,
    Lose,
    /// Shown until there is peace.
    State(&'static str),
    HideEndpoint,
}

const DEEDS: [Console; 25] = [
    Console::Stop,
    Console::Start,
    Console::Reboot,
    Console::Reboot,
    Console::Delete { snapshot: true },
    Console::Delete { snapshot: false },
    Console::Protect(true),
    Console::Rename,
    Console::Class("db.t4g.medium"),
    Console::Storage(60),
    Console::Retention(20),
    Console::Password,
    Console::Password,
    Console::StripTag(CLUSTER_TAG),
    Console::StripTag(UID_TAG),
    Console::Mark(CLUSTER_TAG),
    Console::Restore,
    Console::Snapshot,
    Console::FailCreation,
    Console::DropChange,
    Console::FailSnapshot,
    Console::FillStorage,
    Console::RequireUpgrade,
    Console::Lose,
    Console::HideEndpoint,
];
const STATES: [&str; 4] = ["maintenance", "configuring-log-exports", "a-state-of-the-future", "rebooting"];

impl Console {
    /// The name of the snapshot that somebody makes by hand.
    pub(crate) const SNAPSHOT: &str = "of-a-person";

    pub(crate) fn any(rng: &mut StdRng) -> Self {
        if rng.random_range(0..12) == 0 {
            return Self::State(STATES.choose(rng).copied().unwrap_or_default());
        }
        *DEEDS.choose(rng).unwrap_or(&Self::Reboot)
    }

    fn play(self, cloud: &SimulatedCloud, id: &str) -> Result<(), ApiError> {
        match self {
            Self::Stop => cloud.stop(id),
            Self::Start => cloud.start(id),
            Self::Reboot => cloud.reboot(id),
            Self::Delete { snapshot } => cloud.delete(id, snapshot.then_some("by-hand")),
            Self::Protect(protected) => cloud.protect(id, protected),
            Self::Rename => cloud.rename(id, "renamed"),
            Self::Class(class) => cloud.change_class(id, class),
            Self::Storage(gib) => cloud.change_storage(id, gib),
            Self::Retention(days) => cloud.change_retention(id, days),
            Self::Password => cloud.change_password(id, "somebody-elses"),
            Self::StripTag(key) => cloud.strip_tag(id, key),
            Self::Snapshot => cloud.make_snapshot(id, Self::SNAPSHOT),
            Self::Mark(key) => cloud.tag(id, key, "another"),
            Self::Restore => cloud.restore_snapshot(Self::SNAPSHOT, id),
            Self::FailCreation => cloud.fail_creation(id),
            Self::DropChange => cloud.drop_change(id),
            Self::FailSnapshot => cloud.fail_snapshot(id),
            Self::Age => cloud.age_snapshots(id, 3),
            Self::FillStorage => cloud.fill_storage(id),
            Self::RequireUpgrade => cloud.require_upgrade(id),
            Self::Lose => cloud.lose(id),
            Self::State(word) => cloud.show_state(id, Some(word)),
            Self::HideEndpoint => cloud.show_endpoint(id, false),
        }
    }
}

/// Does it to the instance of an object.
pub(crate) fn play(world: &World, object: &Key, deed: Console) {
    let id = identifier(world, object);
    let has = |cloud: &&Arc<SimulatedCloud>| match deed {
        Console::Restore => cloud.view().snapshot(Console::SNAPSHOT).is_some(),
        // RDS ends what it has begun: no final snapshot is under way for ever.
        Console::Lose => cloud.view().named(&id).is_some_and(|instance| !instance.status.deleting()),
        _ => cloud.view().named(&id).is_some(),
    };
    let Some(cloud) = world.clouds.iter().find(has) else { return };
    if let Err(refused) = deed.play(cloud, &id) {
        world.history.log(format_args!("** refused: {} {}", refused.code, refused.message));
    }
}

/// What only a test bed can do to an instance is over.
pub(crate) fn mend(world: &World) {
    for cloud in &world.clouds {
        for instance in &cloud.view().instances {
            let id = &instance.identifier;
            if STATES.contains(&instance.status.to_string().as_str()) {
                // The instance is there, and shows whatever it does.
                let _ = cloud.show_state(id, None);
            }
            let _ = cloud.show_endpoint(id, true);
        }
    }
}

/// The instance of an object, by its name.
pub(crate) fn instance(world: &World, object: &Key) -> Option<Instance> {
    let id = identifier(world, object);
    world.clouds.iter().find_map(|cloud| cloud.view().named(&id).cloned())
}

/// Whether a copy is kept of the instance of an object.
pub(crate) fn keeps(world: &World, object: &Key) -> bool {
    let copy = format!("{}-kept-", identifier(world, object));
    let views = world.clouds.iter().map(|cloud| cloud.view());
    views.into_iter().any(|view| {
        view.snapshots.iter().any(|kept| kept.snapshot.available() && kept.snapshot.identifier.starts_with(&copy))
    })
}

/// The instance's name by the object's status, else the one that it would have.
fn identifier(world: &World, object: &Key) -> String {
    let found = world.kubernetes.database(object);
    let pinned = found.as_ref().and_then(|found| found["status"]["instance"]["identifier"].as_str());
    let derived = || InstanceIdentifier::derive(CLUSTER, &object.namespace, &object.name).to_string();
    pinned.map_or_else(derived, str::to_owned)
}

/// What a tenant, or somebody with the master's password, says to a server.
pub(crate) fn statement(rng: &mut StdRng) -> Statement {
    let user = ["app", "report", "etl"].choose(rng).copied().unwrap_or("app");
    let database = ["main", "orders", "stock"].choose(rng).copied().unwrap_or("main");
    let name = || database.to_owned();
    let password = || Password::from("of-my-own-choice".to_owned());
    let deeds = [
        Sql::MakeTable { name: "things".into() },
        Sql::MakeTable { name: "more".into() },
        Sql::MakeExtension,
        Sql::SetPassword { role: user.into(), password: password() },
        Sql::UndoActsAs,
        Sql::MakeRole { name: "etl".into(), login: true },
        Sql::AlterLogin { role: "report".into(), login: false },
        Sql::Grant { role: "app".into(), to: "report".into() },
        Sql::MakeDatabase { name: "stock".into() },
        Sql::OpenDatabase { name: name() },
        Sql::StayConnected { reads: None },
        Sql::StayConnected { reads: Some("app".into()) },
        Sql::Disconnect,
    ];
    if rng.random_range(0..3) > 0 {
        return Statement::of(user, database, deeds.choose(rng).cloned().unwrap_or(Sql::Disconnect));
    }
    let masters = [
        Sql::DropDatabase { name: name() },
        Sql::RenameDatabase { name: name(), to: "moved".into() },
        Sql::ShutDatabase { name: name() },
        Sql::OpenDatabase { name: name() },
        Sql::MakeTemplate { name: name() },
        Sql::GiveDatabase { name: name(), to: user.into() },
        Sql::SetForAll { name: name(), setting: "search_path".into(), value: "elsewhere".into() },
        Sql::CrashInDrop { name: name() },
    ];
    Statement::of_master(masters.choose(rng).cloned().unwrap_or(Sql::Disconnect))
}

/// Says it to the server of an object, if there is one.
pub(crate) fn say(world: &World, object: &Key, statement: &Statement) {
    let Some(resource) = instance(world, object).and_then(|instance| instance.resource_id) else { return };
    if let Err(refused) = world.servers.play(&resource, statement) {
        world.history.log(format_args!("** refused: {} {}", refused.sqlstate, refused.message));
    }
}
