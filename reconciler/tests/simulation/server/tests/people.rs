//! What people do on a server, what it lets them do, and what the operator makes of it.

use reconciler::engine::Known;
use reconciler::engine::postgres::{BlockedReason, HEIR, SqlStep, comment};
use serde_json::json;
use shared::rules::DatabaseName;

use super::{VERSIONS, World, password};
use crate::server::postgres::{Act, Deed, Event};
use crate::server::wanted::desired;

fn shop() -> shared::rules::Desired {
    desired(&json!({"app": [], "report": [], "maker": ["createdb", "createrole"]}), &json!({"shop": ["app", "report"]}))
}

#[test]
fn i2_no_user_can_take_a_database_away() {
    for version in VERSIONS {
        let mut world = World::on(version);
        world.converge(&shop());
        let name = || "shop".to_owned();
        let before = world.server.databases.clone();
        for deed in [
            Deed::DropDatabase { name: name() },
            Deed::RenameDatabase { name: name(), to: "mine".into() },
            Deed::GiveDatabase { name: name(), to: "maker".into() },
            Deed::ShutDatabase { name: name() },
            Deed::MakeTemplate { name: name() },
            Deed::SetForAll { name: name(), setting: "role".into(), value: "app".into() },
        ] {
            for (user, place) in [("app", "shop"), ("maker", "postgres")] {
                assert_eq!(
                    world.sqlstate(&Act::of(user, place, deed.clone())),
                    "42501",
                    "{user}: {deed:?} on {version}"
                );
            }
        }
        // What it grants has no effect.
        assert_eq!(world.act(&Act::of("app", "shop", Deed::OpenDatabase { name: name() })), Ok(()));
        assert_eq!(world.server.databases, before);
        assert_eq!(world.sqlstate(&Act::of("maker", "shop", Deed::MakeTable { name: "t".into() })), "42501");
    }
}

#[test]
fn i2_a_database_that_somebody_dropped_or_renamed_is_lost_and_not_replaced() {
    for (version, crash) in VERSIONS.into_iter().zip([false, true, false]) {
        let mut world = World::on(version);
        let desired = shop();
        world.converge(&desired);
        let (shop, oid) = ("shop".parse::<DatabaseName>().unwrap(), world.server.databases["shop"].oid);
        world.known.insert(shop.clone(), Known { oid: Some(oid), replaceable: false });
        let rename = |name: &str, to: &str| Act::of_master(Deed::RenameDatabase { name: name.into(), to: to.into() });
        world.act(&rename("shop", "kept")).unwrap();
        let reason = |renamed_to: Option<&str>| BlockedReason::DatabaseLost {
            database: "shop".into(),
            oid: Some(oid),
            renamed_to: renamed_to.map(str::to_owned),
        };
        let plan = world.plan(&desired);
        assert_eq!(
            plan.blocked.iter().map(|blocked| blocked.reason.clone()).collect::<Vec<_>>(),
            [reason(Some("kept"))]
        );
        world.act(&rename("kept", "shop")).unwrap();
        if crash {
            world.act(&Act::of_master(Deed::CrashInDrop { name: "shop".into() })).unwrap();
            let blocked = world.converge(&desired).blocked;
            assert_eq!(blocked[0].reason, BlockedReason::DatabaseBroken { database: "shop".into() });
        }
        world.act(&Act::of_master(Deed::DropDatabase { name: "shop".into() })).unwrap();
        assert_eq!(
            world.told.last(),
            Some(&Event::DatabaseDropped { name: "shop".into(), oid, by: "sysadmin".into() })
        );
        let plan = world.converge(&desired);
        assert_eq!((plan.blocked[0].reason.clone(), plan.blocked.len()), (reason(None), 1));
        assert!(!world.server.databases.contains_key("shop"));
        world.known.insert(shop, Known { oid: Some(oid), replaceable: true });
        assert_eq!(world.converge(&desired).blocked, []);
        assert_ne!(world.server.databases["shop"].oid, oid);
    }
}

#[test]
fn i12_what_a_removed_user_leaves_goes_to_nobody_who_can_use_it() {
    for version in VERSIONS {
        let mut world = World::on(version);
        world.converge(&shop());
        let made = [
            Act::of("maker", "postgres", Deed::MakeDatabase { name: "den".into() }),
            Act::of("maker", "den", Deed::MakeTable { name: "t".into() }),
            Act::of("maker", "den", Deed::StayConnected { reads: None }),
            Act::of("maker", "postgres", Deed::MakeRole { name: "child".into(), login: true }),
            Act::of("report", "shop", Deed::MakeTable { name: "t".into() }),
        ];
        for act in &made {
            act.play(&mut world.server, &mut world.told).unwrap();
        }
        world.converge(&desired(&json!({"app": []}), &json!({"shop": ["app"]})));
        assert_eq!(world.server.databases["den"].owner, HEIR);
        assert_eq!(world.server.databases["den"].holdings.keys().collect::<Vec<_>>(), [HEIR]);
        assert_eq!(world.server.databases["shop"].holdings.keys().collect::<Vec<_>>(), ["shop-owner"]);
        assert!(world.server.clients.is_empty());
        let child = world.server.roles["child"].clone();
        assert_eq!(child.login, version < 160_000, "from 16 on nobody could take it later");
        assert!(["maker", "report"].iter().all(|user| !world.server.roles.contains_key(*user)));
    }
}

#[test]
fn i12_a_copied_mark_makes_nobody_ours() {
    for version in VERSIONS {
        let mut world = World::on(version);
        world.converge(&shop());
        let text = Some(comment(&world.mark));
        let forge = |role: &str| Act::of("maker", "postgres", Deed::Comment { role: role.into(), text: text.clone() });
        let old = version < 160_000;
        assert_eq!(world.act(&forge("sysadmin")).is_ok(), old);
        assert_eq!(world.act(&forge("rds_superuser")).is_ok(), old);
        world.act(&Act::of("maker", "postgres", Deed::MakeRole { name: "planted".into(), login: true })).unwrap();
        world.act(&forge("planted")).unwrap();
        let before = world.server.roles["planted"].clone();
        world.converge(&shop());
        // Up to 15 there is no telling it from one of ours; from 16 on the server says who made it.
        assert_eq!(world.server.roles.get("planted"), (!old).then_some(&before));
        assert!(world.server.roles["sysadmin"].login);
    }
}

#[test]
fn i12_what_a_user_grants_itself_is_taken_back() {
    for version in VERSIONS {
        let mut world = World::on(version);
        world.converge(&shop());
        let before = world.server.memberships.clone();
        for role in ["databases-keeper", "shop-owner", "rds_superuser", "app", "sysadmin"] {
            let grant = Deed::Grant { role: role.into(), to: "maker".into() };
            let expected = match (version < 160_000, role) {
                (true, "sysadmin") => "0LP01", // which is a member of it
                (true, _) => "00000",
                (false, _) => "42501",
            };
            assert_eq!(world.sqlstate(&Act::of("maker", "postgres", grant)), expected, "{role} on {version}");
        }
        world.converge(&shop());
        assert_eq!(world.server.memberships, before, "{version}");
    }
}

#[test]
fn a_name_that_is_somebody_elses_is_left_alone() {
    let mut world = World::on(160_015);
    world.act(&Act::of_master(Deed::MakeRole { name: "app".into(), login: true })).unwrap();
    world.act(&Act::of_master(Deed::MakeDatabase { name: "shop".into() })).unwrap();
    let before = (world.server.roles["app"].clone(), world.server.databases["shop"].clone());
    let blocked = world.converge(&shop()).blocked;
    let reasons: Vec<_> = blocked.into_iter().map(|blocked| blocked.reason).collect();
    let taken = BlockedReason::DatabaseTaken { database: "shop".into(), owner: "sysadmin".into() };
    assert_eq!(reasons, [BlockedReason::RoleTaken { role: "app".into() }, taken]);
    assert_eq!((world.server.roles["app"].clone(), world.server.databases["shop"].clone()), before);
}

#[test]
fn what_somebody_reads_is_handed_over_when_they_are_done() {
    for version in VERSIONS {
        let mut world = World::on(version);
        world.converge(&shop());
        world.act(&Act::of("report", "shop", Deed::MakeTable { name: "t".into() })).unwrap();
        world.act(&Act::of("app", "shop", Deed::StayConnected { reads: Some("report".into()) })).unwrap();
        let plan = world.plan(&shop());
        assert!(matches!(plan.steps.as_slice(), [SqlStep::HandOver { objects: 1, .. }]), "{:?}", plan.steps);
        assert_eq!(world.work(&plan), []);
        assert_eq!(world.plan(&shop()), plan, "it is left for later");
        let without = desired(&json!({"app": []}), &json!({"shop": ["app"]}));
        let plan = world.plan(&without);
        let refused: Vec<_> = world.work(&plan).into_iter().map(|(step, refusal)| (step, refusal.sqlstate)).collect();
        let release = "hand what user report has in database shop to shop-owner";
        assert_eq!(refused, [(release.to_owned(), "55P03"), ("drop user report".to_owned(), "2BP01")]);
        world.act(&Act::of("app", "shop", Deed::Disconnect)).unwrap();
        world.converge(&without);
        assert!(!world.server.roles.contains_key("report"));
    }
}

#[test]
fn a_user_changes_its_password_and_what_it_acts_as() {
    let mut world = World::on(120_022);
    world.converge(&shop());
    let mine = password("mine");
    world.act(&Act::of("app", "shop", Deed::SetPassword { role: "app".into(), password: mine.clone() })).unwrap();
    world.server.authenticate("app", &mine).unwrap();
    assert_eq!(world.server.authenticate("app", &password("app")).unwrap_err().sqlstate, "28P01");
    assert_eq!(world.plan(&shop()).steps, [], "only a login shows it");
    assert_eq!(world.server.access("app", "shop").current_user, "shop-owner");
    world.act(&Act::of("app", "shop", Deed::UndoActsAs)).unwrap();
    assert_eq!(world.server.access("app", "shop").current_user, "app");
    world.act(&Act::of("app", "shop", Deed::MakeTable { name: "t".into() })).unwrap();
    assert_eq!(world.server.access("report", "shop").closed_tables, 1);
    world.converge(&shop());
    assert_eq!(world.server.access("app", "shop").current_user, "shop-owner");
    assert_eq!(world.server.access("report", "shop").closed_tables, 0);
}

#[test]
fn i7_the_master_manages_what_is_ours_after_an_upgrade() {
    let mut world = World::on(150_019);
    world.converge(&shop());
    world.server.upgrade(160_015);
    assert_eq!(world.converge(&shop()).blocked, []);
    world.converge(&desired(&json!({}), &json!({})));
    assert!(!world.server.roles.contains_key("app"));
}

#[test]
fn an_extension_of_a_user_is_handed_over_with_it() {
    let mut world = World::on(160_015);
    world.converge(&shop());
    world.act(&Act::of("app", "shop", Deed::MakeExtension)).unwrap();
    world.act(&Act::of_master(Deed::MakeDatabase { name: "den".into() })).unwrap();
    world.act(&Act::of_master(Deed::AlterLogin { role: "app".into(), login: false })).unwrap();
    world.converge(&shop());
    assert_eq!(world.server.databases["shop"].holdings.keys().collect::<Vec<_>>(), ["shop-owner"]);
    assert_eq!(world.sqlstate(&Act::of("app", "shop", Deed::DropRole { role: "report".into() })), "42501");
    let revoke = Deed::Revoke { role: "app".into(), from: "sysadmin".into() };
    assert_eq!(world.sqlstate(&Act::of("maker", "postgres", revoke)), "42501");
}
