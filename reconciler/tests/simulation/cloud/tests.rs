//! What is the simulated cloud's own: what goes wrong on the way, and what is told of it. The rest is the model's, and is held to the local RDS.

// clippy.toml allows it in test functions; a test's own functions are no less tests.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rds_model::{Account, Quotas, Timetable};
use reconciler::lease::Fence;
use reconciler::providers::{
    Cloud, Connector as _, Create, Delete, ErrorClass, MarkInstance, MasterPassword, Modify, Owner, ProviderConfig,
    Request, Settings,
};
use shared::rules::Engine;
use tokio::time::{Instant, sleep};

use crate::chance::{ProcessClock, Seeded, Time};
use crate::cloud::connector::CloudConnector;
use crate::cloud::history::{By, CloudEvent, Journal};
use crate::cloud::port::SimulatedCloud;
use crate::cloud::shown::DOMAIN;
use crate::cloud::state::CloudState;
use crate::cloud::timetables::Pace;
use crate::faults::{Fault, Faults, Port};

const PASSWORD: &str = "correct-horse-battery";

/// What is to become of the next calls, one after the other.
#[derive(Default)]
struct Scripted(Mutex<VecDeque<Fault>>);

impl Faults for Scripted {
    fn of(&self, _: Port, _: &'static str) -> Fault {
        self.0.lock().unwrap().pop_front().unwrap_or_default()
    }
}

struct Scene {
    cloud: Arc<SimulatedCloud>,
    way: Arc<dyn Cloud>,
    faults: Arc<Scripted>,
    journal: Arc<Journal>,
}

impl Scene {
    async fn set() -> Self {
        let (faults, journal) = (Arc::new(Scripted::default()), Arc::new(Journal::default()));
        let account = Account::new("000000000000", "eu-central-1", Timetable::scaled(1.0, 1.0));
        let (clock, entropy) = (Arc::new(ProcessClock::start(Time::begin())), Arc::new(Seeded::new(1)));
        let cloud = SimulatedCloud::new(account, Pace::Average, clock, entropy, faults.clone(), journal.clone());
        let connector = CloudConnector::new(vec![cloud.clone()], Fence::open());
        let way = connector.connect(&ProviderConfig::default()).await.unwrap().cloud;
        Self { cloud, way, faults, journal }
    }

    fn next(&self, fault: Fault) {
        self.faults.0.lock().unwrap().push_back(fault);
    }

    async fn listed(&self) -> Vec<String> {
        self.way.inventory().await.unwrap().into_iter().map(|instance| instance.identifier).collect()
    }

    async fn word(&self, identifier: &str) -> Option<String> {
        self.way.look(identifier).await.unwrap().map(|instance| instance.status.to_string())
    }

    async fn born(&self, identifier: &str) {
        self.way.carry_out(&create(identifier)).await.unwrap();
        sleep(Duration::from_mins(7)).await;
        assert_eq!(self.word(identifier).await.as_deref(), Some("available"));
    }

    fn events(&self, is: impl Fn(&CloudEvent) -> bool) -> usize {
        self.journal.records().iter().filter(|record| is(&record.event)).count()
    }
}

/// Plays a scene on a stopped clock.
fn played<F: Future<Output = ()>>(play: impl FnOnce() -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async { play().await });
}

fn create(identifier: &str) -> Request {
    Request::Create(Create {
        identifier: identifier.into(),
        engine: Engine::Postgresql,
        settings: Settings {
            instance_class: Some("db.t4g.micro".into()),
            allocated_gib: Some(20),
            backup_retention_days: Some(7),
            ..Settings::default()
        },
        master_user: "sysadmin".into(),
        master_password: MasterPassword { secret: "orders.master".into(), password: PASSWORD.to_owned().into() },
        owner: Owner { cluster: "simulated".into(), namespace: "shop".into(), name: "orders".into(), uid: "1".into() },
        tags: BTreeMap::from([("team".into(), "shop".into())]),
    })
}

fn grow(identifier: &str, gib: u32) -> Request {
    let change = Settings { allocated_gib: Some(gib), ..Settings::default() };
    Request::Modify(Modify { identifier: identifier.into(), change, at_once: true, major: false })
}

fn delete(identifier: &str, snapshot: &str) -> Request {
    let (identifier, final_snapshot) = (identifier.into(), Some(snapshot.into()));
    Request::Delete(Delete { identifier, final_snapshot, delete_automated_backups: true })
}

#[test]
fn i11_a_lost_answer_is_an_effect_that_the_caller_does_not_know_of() {
    played(async || {
        let scene = Scene::set().await;
        for (fault, listed) in [(Fault::Lost, 0), (Fault::AnswerLost, 1)] {
            scene.next(fault);
            let began = Instant::now();
            let error = scene.way.carry_out(&create("orders")).await.unwrap_err();
            assert_eq!((error.class, error.code.as_str()), (ErrorClass::Unreachable, "Timeout"));
            assert!(began.elapsed() >= Duration::from_secs(20), "{:?}", began.elapsed());
            assert_eq!(scene.listed().await.len(), listed, "{fault:?}");
        }
        let again = scene.way.carry_out(&create("orders")).await.unwrap_err();
        assert_eq!(again.class, ErrorClass::AlreadyExists);
    });
}

#[test]
fn i11_a_late_effect_comes_when_nobody_waits_for_it_any_more() {
    played(async || {
        let scene = Scene::set().await;
        scene.next(Fault::Late(Duration::from_mins(5)));
        assert_eq!(scene.way.carry_out(&create("orders")).await.unwrap_err().code, "Timeout");
        sleep(Duration::from_mins(4)).await;
        assert!(scene.listed().await.is_empty());
        let due = scene.cloud.next_moment().unwrap();
        sleep(Duration::from_mins(2)).await;
        assert_eq!(scene.listed().await, ["orders"]);
        let records = scene.journal.records();
        let created = records.iter().find(|record| matches!(record.event, CloudEvent::Created { .. })).unwrap();
        assert_eq!((created.at, created.by), (due, By::Operator), "at its own time, not when somebody looked");
    });
}

#[test]
fn a_call_that_is_refused_on_the_way_has_no_effect() {
    played(async || {
        let scene = Scene::set().await;
        for (fault, class) in [
            (Fault::Throttled, ErrorClass::Transient),
            (Fault::Broken, ErrorClass::Transient),
            (Fault::Forbidden, ErrorClass::Unauthorized),
        ] {
            scene.next(fault);
            assert_eq!(scene.way.carry_out(&create("orders")).await.unwrap_err().class, class);
        }
        assert!(scene.listed().await.is_empty());
    });
}

#[test]
fn a_stale_answer_is_one_that_was_true_within_the_last_minute() {
    played(async || {
        let scene = Scene::set().await;
        scene.way.carry_out(&create("orders")).await.unwrap();
        for (wait, listed) in [(1, 0), (90, 1)] {
            sleep(Duration::from_secs(wait)).await;
            scene.next(Fault::Stale);
            assert_eq!(scene.listed().await.len(), listed, "{wait} s later");
        }
        assert_eq!(scene.listed().await, ["orders"]);
    });
}

#[test]
fn a_partial_list_lacks_some_and_a_partial_answer_says_neither() {
    played(async || {
        let scene = Scene::set().await;
        for identifier in ["a", "b", "c"] {
            scene.way.carry_out(&create(identifier)).await.unwrap();
        }
        scene.next(Fault::Partial);
        assert_eq!(scene.listed().await, ["b"]);
        scene.next(Fault::Partial);
        assert_eq!(scene.way.look("b").await.unwrap_err().code, "EmptyAnswer");
        assert_eq!(scene.listed().await, ["a", "b", "c"]);
    });
}

#[test]
fn a_process_without_its_lease_changes_nothing() {
    played(async || {
        let scene = Scene::set().await;
        let fence = Fence::closed(Arc::new(ProcessClock::start(Time::begin())));
        let connector = CloudConnector::new(vec![scene.cloud.clone()], fence);
        let way = connector.connect(&ProviderConfig::default()).await.unwrap().cloud;
        assert_eq!(way.carry_out(&create("orders")).await.unwrap_err().code, "Fenced");
        assert!(way.inventory().await.unwrap().is_empty());
        let elsewhere = ProviderConfig { region: Some("eu-west-1".into()), ..ProviderConfig::default() };
        assert!(connector.connect(&elsewhere).await.is_err());
    });
}

#[test]
fn the_history_of_a_life_tells_what_was_there_before() {
    played(async || {
        let scene = Scene::set().await;
        scene.born("orders").await;
        let orders = scene.way.look("orders").await.unwrap().unwrap();
        let host = &orders.endpoint.as_ref().unwrap().host;
        assert!(host.ends_with(DOMAIN) && scene.cloud.resource_at(host) == orders.resource_id);
        scene.way.carry_out(&grow("orders", 30)).await.unwrap();
        sleep(Duration::from_mins(3)).await;
        assert_eq!(scene.way.carry_out(&grow("orders", 40)).await.unwrap_err().class, ErrorClass::StorageCooldown);
        let resource = orders.resource_name.clone().unwrap();
        let tags = BTreeMap::from([("team".into(), "stock".into())]);
        let mark = MarkInstance { resource, tags, ..MarkInstance::default() };
        scene.way.carry_out(&Request::Mark(mark)).await.unwrap();
        scene.way.carry_out(&delete("orders", "last")).await.unwrap();
        sleep(Duration::from_mins(4)).await;
        assert_eq!(scene.word("orders").await, None);
        let records = scene.journal.records();
        let place = |is: &dyn Fn(&CloudEvent) -> bool| records.iter().position(|record| is(&record.event)).unwrap();
        let life = [
            place(&|event| matches!(event, CloudEvent::Created { .. })),
            place(&|event| matches!(event, CloudEvent::ServerBegan { password: Some(_), .. })),
            place(&|event| {
                matches!(event, CloudEvent::Modified { before, after, .. }
                if before.running.allocated_gib == Some(20) && after.running.allocated_gib == Some(30))
            }),
            place(&|event| {
                matches!(event, CloudEvent::Marked { before, after, .. }
                if before["team"] == "shop" && after["team"] == "stock")
            }),
            place(
                &|event| matches!(event, CloudEvent::DeletionAsked { final_snapshot: Some(name), .. } if name == "last"),
            ),
            place(
                &|event| matches!(event, CloudEvent::SnapshotAvailable { snapshot } if snapshot.identifier == "last"),
            ),
            place(&|event| matches!(event, CloudEvent::InstanceGone { .. })),
        ];
        assert!(life.is_sorted(), "{life:?} in {records:#?}");
        let kept = scene.way.snapshots_of("orders").await.unwrap();
        assert_eq!((kept.len(), kept[0].resource_id == orders.resource_id), (1, true), "{kept:?}");
    });
}

#[test]
fn i4_no_line_and_no_state_shows_a_password() {
    played(async || {
        let scene = Scene::set().await;
        scene.next(Fault::Late(Duration::from_mins(1)));
        scene.way.carry_out(&create("late")).await.unwrap_err();
        scene.born("orders").await;
        scene.cloud.change_password("orders", "another-horse-battery").unwrap();
        let records = scene.journal.records();
        let lines: String = records.iter().map(|record| format!("{record} {record:?}\n")).collect();
        let state = format!("{:?}", scene.cloud.state());
        assert!(!lines.contains("horse") && !state.contains("horse"));
        let known = |event: &CloudEvent| match event {
            CloudEvent::MasterPassword { password, .. } => {
                password.as_ref().is_some_and(|password| password.expose() == "another-horse-battery")
            }
            _ => false,
        };
        assert_eq!(scene.events(known), 1, "{lines}");
    });
}

#[test]
fn a_state_that_is_put_back_goes_on_as_it_did() {
    played(async || {
        let scene = Scene::set().await;
        scene.way.carry_out(&create("orders")).await.unwrap();
        scene.next(Fault::Late(Duration::from_secs(5)));
        scene.way.carry_out(&create("late")).await.unwrap_err();
        let before = scene.cloud.state();
        let goes_on = async || {
            sleep(Duration::from_secs(10)).await;
            let _ = scene.cloud.delete("orders", None);
            scene.cloud.state()
        };
        let once = goes_on().await;
        assert_ne!((&before, before.digest()), (&once, once.digest()));
        scene.cloud.restore(before.clone());
        assert_eq!(scene.cloud.next_moment(), before.next_moment());
        let again = goes_on().await;
        let listed =
            |state: &CloudState| state.view().instances.iter().map(|is| is.resource_id.clone()).collect::<Vec<_>>();
        assert_eq!(listed(&again), listed(&once), "ids too are given as they were");
        assert!(again.view().named("late").is_some() && again.view().named("orders").unwrap().status.deleting());
    });
}

#[test]
fn people_and_rds_can_do_to_an_instance_what_they_can() {
    played(async || {
        let scene = Scene::set().await;
        let cloud = &scene.cloud;
        scene.born("orders").await;
        let pass = async |minutes| sleep(Duration::from_mins(minutes)).await;
        let code = |answer: Result<(), rds_model::ApiError>| answer.map_err(|error| error.code);
        cloud.protect("orders", true).unwrap();
        assert_eq!(code(cloud.delete("orders", None)), Err("InvalidParameterCombination".into()));
        cloud.protect("orders", false).unwrap();
        cloud.tag("orders", "team", "people").unwrap();
        cloud.strip_tag("orders", "team").unwrap();
        assert!(!scene.way.look("orders").await.unwrap().unwrap().tags.contains_key("team"));
        cloud.change_class("orders", "db.t4g.small").unwrap();
        pass(3).await;
        cloud.change_retention("orders", 3).unwrap();
        pass(3).await;
        cloud.make_snapshot("orders", "mine").unwrap();
        pass(2).await;
        cloud.rename("orders", "other").unwrap();
        pass(3).await;
        assert_eq!((scene.word("orders").await, scene.word("other").await), (None, Some("available".into())));
        cloud.restore_snapshot("mine", "orders").unwrap();
        pass(7).await;
        let restored = scene.way.look("orders").await.unwrap().unwrap();
        assert_eq!(restored.running.allocated_gib, Some(20));
        cloud.delete_snapshot("mine").unwrap();
        cloud.reboot("other").unwrap();
        pass(2).await;
        cloud.stop("other").unwrap();
        pass(3).await;
        assert_eq!(scene.word("other").await.as_deref(), Some("stopped"));
        cloud.start("other").unwrap();
        pass(3).await;
        cloud.fill_storage("other").unwrap();
        assert_eq!(scene.word("other").await.as_deref(), Some("storage-full"));
        cloud.change_storage("other", 30).unwrap();
        pass(3).await;
        assert_eq!(scene.word("other").await.as_deref(), Some("storage-optimization"));
        cloud.show_state("other", Some("a-state-of-the-future")).unwrap();
        assert_eq!(scene.word("other").await.as_deref(), Some("a-state-of-the-future"));
        cloud.show_state("other", None).unwrap();
        cloud.show_endpoint("other", false).unwrap();
        assert_eq!(scene.way.look("other").await.unwrap().unwrap().endpoint, None);
        cloud.fail_snapshot("other").unwrap();
        cloud.delete("other", Some("last")).unwrap();
        pass(6).await;
        assert_eq!(scene.word("other").await.as_deref(), Some("storage-optimization"), "the data stay");
        assert_eq!(scene.events(|event| matches!(event, CloudEvent::SnapshotFailed { .. })), 1);
        cloud.drop_change("orders").unwrap();
        cloud.change_storage_type("orders", "io1").unwrap_err();
        cloud.change_class("orders", "db.t4g.large").unwrap();
        pass(3).await;
        let class = scene.way.look("orders").await.unwrap().unwrap().running.instance_class;
        assert_eq!(class.as_deref(), Some("db.t4g.small"));
        cloud.upgrade("orders", "1.0").unwrap_err();
        cloud.lose("orders").unwrap();
        cloud.create("foreign", PASSWORD).unwrap();
        cloud.fail_creation("foreign").unwrap();
        assert_eq!((scene.word("orders").await, scene.word("foreign").await), (None, Some("failed".into())));
        cloud.limit(Quotas { instances: Some(0), ..Quotas::default() });
        let refused = scene.way.carry_out(&create("people")).await.unwrap_err();
        assert_eq!(refused.class, ErrorClass::Exhausted);
    });
}
