//! The cloud that the reconciler is simulated with is held to this server: one conversation is had with both, through the same port, and
//! every answer is the same.

// clippy.toml allows these in test functions; a test's own functions are no less tests.
#![allow(clippy::unwrap_used, clippy::panic)]

// Faults and people are a simulation's own.
#[allow(dead_code)]
#[path = "../../../../reconciler/tests/simulation/cloud/mod.rs"]
mod cloud;
#[allow(dead_code)]
#[path = "../../../../reconciler/tests/simulation/faults.rs"]
mod faults;
mod side;
#[path = "../support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use reconciler::providers::{
    Applied, CloudError, Create, CreateGroup, Delete, DeleteGroup, FillGroup, Instance, MarkInstance, MasterPassword,
    Modify, Owner, Reboot, Request, ResetMaster, Settings,
};
use shared::rules::Engine;

use side::{GROUP, SUBNETS, Side};
use support::PASSWORD;

/// Polls before something is given up that does not come.
const POLLS: usize = 1000;

/// What was said with one side.
struct Conversation {
    side: Side,
    said: Vec<String>,
}

impl Conversation {
    async fn ask(&mut self, what: &str, request: Request) {
        let answer = self.side.port().carry_out(&request).await;
        self.said.push(format!("{what}: {}", told(&answer)));
    }

    async fn create(&mut self, what: &str, change: impl FnOnce(&mut Create)) {
        let mut create = create();
        change(&mut create);
        self.ask(what, Request::Create(create)).await;
    }

    async fn modify(&mut self, what: &str, change: Settings) {
        self.ask(what, Request::Modify(Modify { identifier: "orders".into(), change, at_once: true, major: false }))
            .await;
    }

    /// What would be an outage waits.
    async fn modify_later(&mut self, what: &str, change: Settings) {
        self.ask(what, Request::Modify(Modify { identifier: "orders".into(), change, at_once: false, major: false }))
            .await;
    }

    async fn mark(&mut self, what: &str, mark: MarkInstance) {
        self.ask(what, Request::Mark(mark)).await;
    }

    async fn delete(&mut self, what: &str, snapshot: Option<&str>) {
        let final_snapshot = snapshot.map(str::to_owned);
        let delete = Delete { identifier: "orders".into(), final_snapshot, delete_automated_backups: true };
        self.ask(what, Request::Delete(delete)).await;
    }

    /// Looks until the instance is as expected, then says how.
    async fn until(&mut self, what: &str, is: impl Fn(&Instance) -> bool) {
        let mut last = None;
        for _ in 0..POLLS {
            last = self.side.seen("orders").await;
            if let Some(found) = last.take_if(|found| is(found)) {
                self.said.push(format!("{what}: {:#?}", alike(found)));
                return;
            }
            self.side.passes().await;
        }
        panic!("never {what}, but {last:?} after {:#?}", self.said);
    }

    async fn available(&mut self, what: &str, is: impl Fn(&Settings) -> bool) {
        self.until(what, |found| found.status.to_string() == "available" && is(&found.running)).await;
    }

    /// Says what there is of groups of parameters.
    async fn groups(&mut self, what: &str, name: &str) {
        let port = self.side.port();
        let (named, listed) = (port.group(name).await, port.groups().await);
        let (offered, none) = (port.parameters("postgres17").await, port.parameters("postgres11").await);
        let offered = offered.map(|all| all.into_iter().filter(|(name, _)| name.contains("mem")).collect::<Vec<_>>());
        self.said.push(format!("{what}: {named:#?} {listed:#?} {offered:#?} {none:#?}"));
    }

    /// Says what RDS is going to do by itself, with dates that are the same on every day.
    async fn maintenance(&mut self, what: &str) {
        let mut pending = self.side.port().maintenance().await;
        for pending in pending.iter_mut().flat_map(BTreeMap::values_mut).flatten() {
            pending.at = pending.at.map(|_| Timestamp::UNIX_EPOCH);
        }
        self.said.push(format!("{what}: {pending:#?}"));
    }

    /// Says what is listed.
    async fn lists(&mut self, what: &str) {
        let port = self.side.port();
        let instances = port.inventory().await.map(|all| all.into_iter().map(alike).collect::<Vec<_>>());
        let named = port.look("Orders").await.map(|found| found.map(alike));
        let mut snapshots = port.snapshots_of("Orders").await.unwrap();
        for snapshot in &mut snapshots {
            // Made at another time, of an instance with another id.
            snapshot.created = snapshot.created.map(|_| Timestamp::UNIX_EPOCH);
            snapshot.resource_id = snapshot.resource_id.as_ref().map(|id| id.chars().take(3).collect());
        }
        self.said.push(format!("{what}: {instances:#?} {named:#?} {snapshots:#?}"));
    }
}

fn told(answer: &Result<(), CloudError>) -> String {
    match answer {
        Ok(()) => "taken".into(),
        Err(error) => format!("{:?}: {error}", error.class),
    }
}

/// An instance without what no two have in common.
fn alike(mut instance: Instance) -> Instance {
    assert!(instance.resource_id.as_ref().is_some_and(|id| id.starts_with("db-") && id.len() == 29), "{instance:?}");
    instance.resource_id = None;
    // It advances by itself, and no life is told it.
    instance.restorable = None;
    if let Some(endpoint) = &mut instance.endpoint {
        assert!(!endpoint.host.is_empty() && endpoint.port > 0, "{endpoint:?}");
        (endpoint.host, endpoint.port) = ("its own".into(), 1);
    }
    instance
}

fn create() -> Create {
    Create {
        identifier: "Orders".into(),
        engine: Engine::Postgresql,
        settings: Settings {
            engine_version: Some("17".into()),
            auto_minor_version_upgrade: Some(false),
            instance_class: Some("db.t4g.micro".into()),
            allocated_gib: Some(20),
            iops: None,
            throughput: None,
            storage_type: Some("gp3".into()),
            max_allocated_gib: Some(100),
            multi_az: Some(false),
            extended_support: Some(false),
            backup_retention_days: Some(7),
            backup_window: Some("01:00-02:00".into()),
            maintenance_window: Some(far_window()),
            deletion_protection: Some(true),
            security_groups: Some(BTreeSet::from([GROUP.into()])),
            subnet_group: Some(SUBNETS.into()),
            kms_key: Some("1234abcd-12ab-34cd-56ef-1234567890ab".into()),
            parameter_group: Some("default.postgres17".into()),
        },
        master_user: "sysadmin".into(),
        master_password: password(PASSWORD),
        owner: Owner { cluster: "c".into(), namespace: "shop".into(), name: "orders".into(), uid: "u".into() },
        tags: BTreeMap::from([("team".into(), "shop & co".replace('&', "+"))]),
    }
}

/// A maintenance window that does not open while this runs.
fn far_window() -> String {
    let in_three_days = Timestamp::now() + SignedDuration::from_hours(72);
    let day = in_three_days.strftime("%a").to_string().to_lowercase();
    format!("{day}:03:00-{day}:04:00")
}

fn password(text: &str) -> MasterPassword {
    MasterPassword { secret: "orders.master".into(), password: text.to_owned().into() }
}

fn storage(gib: u32) -> Settings {
    Settings { allocated_gib: Some(gib), ..Settings::default() }
}

fn class(name: &str) -> Settings {
    Settings { instance_class: Some(name.into()), ..Settings::default() }
}

fn retention(days: u32) -> Settings {
    Settings { backup_retention_days: Some(days), ..Settings::default() }
}

fn protection(on: bool) -> Settings {
    Settings { deletion_protection: Some(on), ..Settings::default() }
}

fn of(resource: &str) -> MarkInstance {
    MarkInstance { resource: resource.into(), ..MarkInstance::default() }
}

/// A life with everything that can be refused in it.
async fn conversation(side: Side) -> (Side, Vec<String>) {
    let mut with = Conversation { side, said: Vec::new() };
    with.lists("nothing yet").await;
    let orders = "arn:aws:rds:eu-central-1:000000000000:db:orders";
    absent(&mut with, orders).await;

    with.create("a class that is none", |new| new.settings.instance_class = Some("db.t9.micro".into())).await;
    with.create("IOPS of a small volume", |new| new.settings.iops = Some(12_000)).await;
    with.create("a throughput without IOPS for it", |new| {
        (new.settings.allocated_gib, new.settings.throughput) = (Some(400), Some(3_001));
    })
    .await;
    with.create("too small", |new| new.settings.allocated_gib = Some(5)).await;
    with.create("no such type", |new| new.settings.storage_type = Some("standard".into())).await;
    with.create("no such version", |new| new.settings.engine_version = Some("9.6".into())).await;
    with.create("past its standard support", |new| new.settings.engine_version = Some("13".into())).await;
    with.create("kept too long", |new| new.settings.backup_retention_days = Some(36)).await;
    with.create("no such group", |new| new.settings.security_groups = Some(BTreeSet::from(["sg-0".into()]))).await;
    with.create("no such subnets", |new| new.settings.subnet_group = Some("nowhere".into())).await;
    with.create("no identifier", |new| new.identifier = "a--b".into()).await;
    with.create("a master that is reserved", |new| new.master_user = "rdsadmin".into()).await;
    with.create("a short password", |new| new.master_password = password("short")).await;
    with.create("MySQL", |new| new.engine = Engine::MySql).await;
    with.create("a bad tag", |new| drop(new.tags.insert("team?".into(), String::new()))).await;
    with.create("too many tags", |new| new.tags.extend((0..50).map(|tag| (format!("tag-{tag}"), String::new())))).await;
    with.lists("still nothing").await;

    with.create("one that is taken", |_| ()).await;
    with.until("creating", |found| found.status.creating()).await;
    with.create("again", |_| ()).await;
    with.create("beyond the quota", |new| new.identifier = "people".into()).await;
    with.modify("while it is created", class("db.t4g.small")).await;
    with.delete("while it is created", Some("last")).await;
    with.available("there", |_| true).await;

    with.modify("another class", class("db.t4g.small")).await;
    with.modify("while it changes", retention(3)).await;
    with.available("another class", |is| is.instance_class.as_deref() == Some("db.t4g.small")).await;
    with.modify_later("a class for the window", class("db.t4g.medium")).await;
    with.until("waits", |found| found.pending.instance_class.is_some()).await;
    with.modify_later("a standby queues", Settings { multi_az: Some(true), ..Settings::default() }).await;
    with.modify_later(
        "a window that overlaps",
        Settings { backup_window: Some(far_window()[4..9].to_owned() + "-03:30"), ..Settings::default() },
    )
    .await;
    with.modify_later(
        "what is applied at any time",
        Settings {
            max_allocated_gib: Some(200),
            extended_support: Some(true),
            backup_window: Some("05:00-05:30".into()),
            auto_minor_version_upgrade: Some(true),
            ..Settings::default()
        },
    )
    .await;
    with.until("two wait", |found| {
        found.pending.multi_az == Some(true) && found.running.max_allocated_gib == Some(200)
    })
    .await;
    with.modify("the class is taken back, and the other applied", class("db.t4g.small")).await;
    with.available("a standby", |is| is.multi_az == Some(true)).await;
    with.modify("no room to grow by itself", Settings { max_allocated_gib: Some(21), ..Settings::default() }).await;
    with.modify("it does not grow by itself", Settings { max_allocated_gib: Some(20), ..Settings::default() }).await;
    with.modify("backups", retention(3)).await;
    with.available("backups", |is| is.backup_retention_days == Some(3)).await;
    with.modify("no backups", retention(36)).await;
    with.modify("a class that is none", class("micro")).await;
    with.modify("the subnets it has", Settings { subnet_group: Some(SUBNETS.into()), ..Settings::default() }).await;
    with.modify("an older version", Settings { engine_version: Some("12".into()), ..Settings::default() }).await;
    let reset =
        |text| Request::ResetMaster(ResetMaster { identifier: "orders".into(), master_password: password(text) });
    with.ask("a bad password", reset("a b")).await;
    with.ask("another password", reset("another-horse-battery")).await;
    with.ask("and another", reset("a-third-horse-battery")).await;
    with.until("resetting", |found| found.status.to_string() == "resetting-master-credentials").await;
    with.available("with another password", |_| true).await;

    groups(&mut with).await;

    with.maintenance("nothing to do").await;
    with.side.require_upgrade("orders").await;
    with.maintenance("an upgrade that is required").await;
    let standby = |there| Settings { multi_az: Some(there), ..Settings::default() };
    with.modify_later("a change that waits with it", standby(false)).await;
    with.until("it waits", |found| found.pending.multi_az == Some(false)).await;
    with.maintenance("it is required still").await;
    with.modify("a change that brings it", standby(false)).await;
    with.available("upgraded", |is| is.multi_az == Some(false)).await;
    with.maintenance("it is done").await;

    let tags = BTreeMap::from([("team".into(), "people".into())]);
    with.mark("marks", MarkInstance { retained: Some(true), tags, ..of(orders) }).await;
    with.mark("whose it is", MarkInstance { owner: Some(Owner::default()), ..of(orders) }).await;
    with.mark("a bad tag", MarkInstance { tags: BTreeMap::from([("aws:team".into(), String::new())]), ..of(orders) })
        .await;
    with.mark("no ARN", MarkInstance { retained: Some(true), ..of("orders") }).await;
    with.lists("marked").await;

    with.delete("protected", Some("last")).await;
    with.modify("not protected", protection(false)).await;
    with.side.make_snapshot("orders", "taken").await;
    with.available("with a snapshot", |is| is.deletion_protection == Some(false)).await;
    with.delete("a name that is taken", Some("taken")).await;
    with.delete("a name that is none", Some("a--b")).await;
    with.modify("too little", storage(21)).await;
    with.modify("less", storage(10)).await;
    with.modify("more storage", storage(30)).await;
    with.until("more storage", |found| found.running.allocated_gib == Some(30)).await;
    with.modify("more within the cooldown", storage(40)).await;
    with.modify("protected again", protection(true)).await;
    with.modify("and not", protection(false)).await;

    with.delete("for good", Some("last")).await;
    with.until("deleting", |found| found.status.deleting()).await;
    with.delete("again", Some("last")).await;
    with.modify("while it is deleted", retention(5)).await;
    while with.side.seen("orders").await.is_some() {
        with.side.passes().await;
    }
    with.lists("what is left").await;
    absent(&mut with, orders).await;

    with.create("anew, without what need not be said", |new| {
        new.settings = Settings { instance_class: new.settings.instance_class.take(), ..storage(20) };
        new.tags.clear();
    })
    .await;
    with.available("anew", |_| true).await;
    with.side.stop("orders").await;
    with.until("stopped", |found| found.status.to_string() == "stopped").await;
    with.modify("while it is stopped", class("db.t4g.small")).await;
    with.delete("beyond the quota of snapshots", Some("third")).await;
    with.delete("without a snapshot", None).await;
    (with.side, with.said)
}

/// A group of parameters, from its making to its end.
async fn groups(with: &mut Conversation) {
    let name = || "matrixmind-postgres17-tls-0123456789abcdef".to_owned();
    let make =
        |family: &str| Request::CreateGroup(CreateGroup { name: name(), family: family.into(), cluster: "c".into() });
    let fill = |parameter: &str, value: &str| {
        let values = BTreeMap::from([(parameter.to_owned(), value.to_owned())]);
        Request::FillGroup(FillGroup { name: name(), values })
    };
    let attach = |group: &str| Settings { parameter_group: Some(group.into()), ..Settings::default() };
    let end = || Request::DeleteGroup(DeleteGroup { name: name() });
    let restart = || Request::Reboot(Reboot { identifier: "orders".into(), group: name() });
    with.groups("none", &name()).await;
    with.ask("a group that is not there", fill("work_mem", "65536")).await;
    with.ask("no such family", make("postgres11")).await;
    with.ask("a group", make("postgres17")).await;
    with.ask("a group again", make("postgres17")).await;
    with.groups("empty", &name()).await;
    with.ask("no such parameter", fill("work_memory", "65536")).await;
    with.ask("no such value", fill("work_mem", "1")).await;
    with.ask("nobody's to set", fill("fsync", "0")).await;
    with.ask("filled", fill("work_mem", "65536")).await;
    with.ask("filled by a second call", fill("rds.force_ssl", "1")).await;
    with.groups("whole", &name()).await;
    with.modify_later("a group that is none", attach("nobodys")).await;
    with.modify_later("a group of another family", attach("default.postgres16")).await;
    with.modify_later("the group", attach(&name())).await;
    with.until("a restart to wait", |found| {
        found.parameters == Applied::AtRestart && found.running.parameter_group == Some(name())
    })
    .await;
    with.ask("one in use", end()).await;
    with.ask("a restart", restart()).await;
    with.until("taken up", |found| found.parameters == Applied::Whole && found.status.to_string() == "available").await;
    with.modify_later("RDS's own again", attach("default.postgres17")).await;
    with.until("that waits too", |found| found.parameters == Applied::AtRestart).await;
    with.ask("one that nothing has", end()).await;
    with.ask("one that is gone", end()).await;
    with.groups("gone", &name()).await;
    with.ask("another restart", restart()).await;
    with.available("as before", |_| true).await;
}

async fn absent(with: &mut Conversation, orders: &str) {
    with.modify("what is not there", class("db.t4g.small")).await;
    with.delete("what is not there", None).await;
    with.mark("what is not there", MarkInstance { retained: Some(false), ..of(orders) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_answer_alike() {
    let (simulated, local) = tokio::join!(Box::pin(async { conversation(Side::simulated().await).await }), async {
        conversation(Side::local().await).await
    });
    assert!(local.1.len() > 60, "{:#?}", local.1);
    for (simulated, local) in simulated.1.iter().zip(&local.1) {
        assert_eq!(simulated, local);
    }
    assert_eq!(simulated.1.len(), local.1.len());
    if let Side::Local { server, .. } = local.0 {
        server.server.stop().await;
    }
}
