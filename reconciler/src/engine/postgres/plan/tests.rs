//! Each case is one difference that a look found, and says which steps that takes.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shared::rules::{DatabaseName, DefaultVersions, Desired, defaults, parse};

use super::*;
use crate::engine::known::Known;
use crate::engine::mark::Mark;
use crate::engine::password::Password;
use crate::engine::port::Findings as _;
use crate::engine::postgres::naming::HEIR;
use crate::engine::postgres::step::SqlStep;

fn desired(users: &Value, databases: &Value) -> Desired {
    parse("orders", &defaults(&json!({"users": users, "databases": databases}), None, DefaultVersions::BUILT_IN))
        .unwrap()
}

/// A plain user and one with a flag in a database, and a user without any.
fn usual() -> Desired {
    desired(&json!({"app": [], "chief": ["createdb"], "idle": []}), &json!({"shop": ["app", "chief"]}))
}

/// The answer of a server on which all is as wanted.
fn at_rest(version: u32) -> Value {
    let mut catalog = json!({
        "version": version, "master": "sysadmin", "grants_bypassrls": false, "server_roles": ["rds_superuser", "rds_replication"],
        "roles": {}, "oids": {},
    });
    for list in [
        "unjoined",
        "awake",
        "users",
        "removed_users",
        "databases",
        "removed_databases",
        "pairs",
        "strays",
        "stray_members",
        "unshared",
        "overshared",
        "possessions",
        "open",
        "given_away",
        "maintenance",
    ] {
        catalog[list] = json!([]);
    }
    catalog
}

fn user(name: &str, state: &str) -> Value {
    json!({
        "name": name, "state": state, "login": true, "createdb": name == "chief", "createrole": false, "inherit": true, "bypassrls": false,
        "superuser": false, "replication": false,
    })
}

fn database(oid: Option<u32>) -> Value {
    json!({"name": "shop", "oid": oid, "ours": oid.is_some(), "admits": true, "laid_out": true})
}

fn planned_with(
    desired: &Desired,
    catalog: Value,
    known: &BTreeMap<DatabaseName, Known>,
) -> (Vec<String>, Vec<String>) {
    let passwords = desired.users.keys().map(|user| (user.clone(), Password::from("secret".to_owned()))).collect();
    let mark = Mark::new("one");
    let question = Question { desired, mark: &mark, known };
    let plan = plan_sql(question, &passwords, &serde_json::from_value(catalog).unwrap());
    let blocked = plan.blocked.iter().map(|blocked| blocked.reason.to_string());
    (plan.steps.iter().map(ToString::to_string).collect(), blocked.collect())
}

fn planned(desired: &Desired, catalog: Value) -> (Vec<String>, Vec<String>) {
    planned_with(desired, catalog, &BTreeMap::new())
}

#[test]
fn nothing_is_done_at_rest() {
    for version in [120_022, 160_015, 180_004] {
        assert_eq!(planned(&usual(), at_rest(version)), (vec![], vec![]));
    }
}

#[test]
fn a_new_server_gets_everything_in_order_and_the_way_in_last() {
    let mut catalog = at_rest(120_022);
    catalog["roles"] = json!({"databases-keeper": "missing", "databases-heir": "missing", "shop-owner": "missing"});
    catalog["users"] = json!([user("app", "missing"), user("boss", "missing")]);
    for user in 0..2 {
        catalog["users"][user]["login"] = json!(false);
    }
    catalog["databases"] = json!([{"name": "shop", "oid": null}]);
    catalog["open"] = json!(["postgres", "template1"]);
    catalog["maintenance"] = json!([{"user": "boss", "enters": true}]);
    catalog["unshared"] = json!([{"user": "boss", "database": "shop"}]);
    catalog["pairs"] = json!([{"user": "app", "database": "shop"}, {"user": "boss", "database": "shop"}]);
    let desired = desired(&json!({"app": [], "boss": ["superuser"]}), &json!({"shop": ["app", "boss"]}));
    assert_eq!(
        planned(&desired, catalog).0,
        [
            "create role databases-keeper",
            "create role shop-owner",
            "close database postgres to everyone",
            "close database template1 to everyone",
            "create user app",
            "create user boss",
            "grant rds_superuser to user boss",
            "let user boss connect to postgres",
            "create database shop",
            "lay out database shop",
            "share what user boss will make in database shop",
            "let user app work in database shop",
            "let user boss work in database shop",
        ]
    );
}

#[test]
fn each_difference_takes_its_step() {
    let pair = json!([{"user": "idle", "database": "shop"}]);
    let with = |field: &str, value: Value| {
        let mut database = database(Some(7));
        database[field] = value;
        json!([database])
    };
    let differs = |name: &str, field: &str, value: bool| {
        let mut user = user(name, "ours");
        user[field] = json!(value);
        json!([user])
    };
    let left = json!([{"database": "shop", "user": "app", "objects": 3, "extensions": 0}]);
    let cases = [
        ("unjoined", json!(["app"]), "make sysadmin a member of app"),
        ("awake", json!(["shop-owner"]), "take login and privileges from role shop-owner"),
        ("users", differs("idle", "login", false), "change user idle: LOGIN"),
        ("users", differs("idle", "createrole", true), "change user idle: NOCREATEROLE"),
        ("users", differs("chief", "createdb", false), "change user chief: CREATEDB"),
        ("users", differs("idle", "superuser", true), "revoke rds_superuser from user idle"),
        ("databases", with("public", json!(true)), "close database shop to everyone"),
        ("databases", with("admits", json!(false)), "close database shop to everyone, let its users in again"),
        ("databases", with("template", json!(true)), "close database shop to everyone, make it no template"),
        ("databases", with("locks", json!(["role"])), "close database shop to everyone, reset its setting role"),
        ("databases", with("former", json!(true)), "take database shop over from its users"),
        ("databases", with("laid_out", json!(false)), "lay out database shop"),
        ("open", json!(["scratch"]), "close database scratch to everyone"),
        ("given_away", json!([{"database": "gift", "owner": "shop-owner"}]), "take database gift from shop-owner"),
        ("pairs", json!([{"user": "app", "database": "shop"}]), "let user app work in database shop"),
        ("strays", pair.clone(), "end the work of user idle in database shop"),
        ("stray_members", json!([{"role": "app", "user": "idle"}]), "take user idle out of role app"),
        (
            "unshared",
            json!([{"user": "chief", "database": "shop"}]),
            "share what user chief will make in database shop",
        ),
        ("overshared", pair, "take back default privileges of user idle in database shop"),
        ("possessions", left, "share what app made in database shop (3 objects)"),
        ("maintenance", json!([{"user": "idle", "enters": false}]), "no longer let user idle connect to postgres"),
    ];
    for (list, found, step) in cases {
        let mut catalog = at_rest(180_004);
        catalog[list] = found;
        assert_eq!(planned(&usual(), catalog), (vec![step.to_owned()], vec![]), "{list}");
    }
}

#[test]
fn i12_a_removed_user_loses_its_login_before_anything_else() {
    let mut catalog = at_rest(160_015);
    catalog["roles"] = json!({"databases-heir": "missing"});
    catalog["users"] = json!([user("idle", "missing")]);
    catalog["removed_users"] = json!([{
        "name": "gone", "active": true, "owns_databases": true, "shared": true,
        "left_in": [{"database": "shop", "heir": "shop-owner"}, {"database": "theirs", "heir": null}],
    }]);
    let steps = [
        "take the login of user gone and end its sessions",
        "create role databases-heir",
        "take the databases that user gone made",
        "create user idle",
        "hand what user gone has in database shop to shop-owner",
        "hand what user gone has in database theirs to databases-heir",
        "hand what user gone has in database postgres to databases-heir",
        "drop user gone",
    ];
    assert_eq!(planned(&usual(), catalog).0, steps);
}

#[test]
fn a_user_without_login_is_locked_and_not_altered() {
    let mut catalog = at_rest(160_015);
    catalog["users"] = json!([user("app", "ours")]);
    let off = desired(&json!({"app": ["nologin"]}), &json!({}));
    assert_eq!(planned(&off, catalog).0, ["take the login of user app and end its sessions"]);
}

#[test]
fn a_kept_database_of_v0_1_0_is_taken_over_too() {
    let mut catalog = at_rest(160_015);
    catalog["roles"] = json!({"databases-keeper": "missing"});
    catalog["removed_databases"] = json!([{"name": "old", "former": true, "owner": "old-owner", "admits": true}]);
    assert_eq!(
        planned(&desired(&json!({}), &json!({})), catalog).0,
        ["create role databases-keeper", "take database old over from its users",]
    );
}

#[test]
fn i7_a_kept_database_that_somebody_shut_is_told_and_opened_where_something_is_to_be_done_inside() {
    let removed = |admits: bool| {
        let mut catalog = at_rest(160_015);
        catalog["removed_databases"] =
            json!([{"name": "old", "former": false, "owner": "old-owner", "admits": admits}]);
        catalog
    };
    let told = |catalog: &Value| serde_json::from_value::<Catalog>(catalog.clone()).unwrap().removed_databases();
    assert_eq!(told(&removed(true)), [("old".to_owned(), None)].into());
    let shut = removed(false);
    let why = told(&shut)["old"].clone().unwrap();
    assert!(why.contains("ALTER DATABASE \"old\" CONNECTION LIMIT -1 ALLOW_CONNECTIONS true"), "{why}");
    assert_eq!(planned(&usual(), shut.clone()).0, Vec::<String>::new(), "nobody has to enter it");

    let pair = json!([{"user": "app", "database": "old"}]);
    let left = json!([{"name": "gone", "active": false, "owns_databases": false, "shared": false,
        "left_in": [{"database": "old", "heir": "old-owner"}]}]);
    let owned = json!([{"user": "app", "database": "old", "objects": 1, "extensions": 0}]);
    for (list, found) in [("strays", &pair), ("overshared", &pair), ("possessions", &owned), ("removed_users", &left)] {
        let mut catalog = shut.clone();
        catalog[list] = found.clone();
        let steps = planned(&usual(), catalog).0;
        let opened = steps.iter().position(|step| step.starts_with("close database old"));
        let entered = steps.iter().rposition(|step| step.contains("old"));
        assert!(opened.is_some() && opened < entered, "{list}: {steps:?}");
    }
}

#[test]
fn i7_a_keeper_that_lost_its_mark_is_told_also_where_nothing_is_wanted_of_it() {
    for state in ["taken", "unmanageable"] {
        let mut catalog = at_rest(160_015);
        catalog["roles"] = json!({"databases-keeper": state});
        let (steps, blocked) = planned(&desired(&json!({}), &json!({})), catalog);
        assert_eq!((steps.len(), blocked.len()), (0, 1), "{blocked:?}");
        if state == "taken" {
            assert!(
                blocked[0].contains("COMMENT ON ROLE \"databases-keeper\" IS 'Managed by rds-reconciler for one."),
                "{blocked:?}"
            );
        }
    }
}

#[test]
fn what_is_somebody_elses_blocks_only_what_needs_it() {
    let pairs = json!([{"user": "app", "database": "shop"}, {"user": "chief", "database": "shop"}]);
    let cases = [
        ("users", json!([user("app", "taken")]), vec!["let user chief work in database shop"]),
        ("users", json!([user("app", "unmanageable")]), vec!["let user chief work in database shop"]),
        (
            "roles",
            json!({"databases-keeper": "taken"}),
            vec!["let user app work in database shop", "let user chief work in database shop"],
        ),
        ("databases", json!([{"name": "shop", "oid": 7, "owner": "somebody", "admits": true}]), vec![]),
        ("databases", json!([{"name": "shop", "oid": 7, "ours": true, "broken": true}]), vec![]),
    ];
    for (list, found, steps) in cases {
        let mut catalog = at_rest(180_004);
        catalog["pairs"] = pairs.clone();
        catalog[list] = found;
        let (planned, blocked) = planned(&usual(), catalog);
        assert_eq!(
            (planned, blocked.len()),
            (steps.into_iter().map(str::to_owned).collect(), 1),
            "{list}: {blocked:?}"
        );
    }
}

#[test]
fn i5_nothing_is_tried_inside_a_database_that_nobody_can_enter() {
    let mut catalog = at_rest(180_004);
    catalog["databases"] = json!([{"name": "shop", "oid": 7, "ours": true, "broken": true}]);
    catalog["strays"] = json!([{"user": "app", "database": "shop"}]);
    catalog["overshared"] = json!([{"user": "app", "database": "shop"}]);
    catalog["possessions"] = json!([{"user": "app", "database": "shop", "objects": 1, "extensions": 0}]);
    let (steps, blocked) = planned(&usual(), catalog);
    assert_eq!(
        (steps, blocked.len()),
        (vec!["end the work of user app in database shop".to_owned()], 1),
        "from outside"
    );

    let mut catalog = at_rest(180_004);
    catalog["removed_databases"] =
        json!([{"name": "old", "former": true, "owner": "old-owner", "admits": false, "broken": true}]);
    catalog["possessions"] = json!([{"user": "app", "database": "old", "objects": 1, "extensions": 0}]);
    assert_eq!(planned(&usual(), catalog.clone()).0, Vec::<String>::new());
    let told = serde_json::from_value::<Catalog>(catalog).unwrap().removed_databases()["old"].clone().unwrap();
    assert!(told.contains("left invalid by an interrupted DROP DATABASE"), "{told}");
}

#[test]
fn i2_a_database_that_was_known_is_not_made_again_without_a_word() {
    let mut catalog = at_rest(180_004);
    catalog["databases"] = json!([{"name": "shop", "oid": null}]);
    let known = |replaceable| [("shop".parse().unwrap(), Known { oid: Some(16401), replaceable })].into();
    let (steps, blocked) = planned_with(&usual(), catalog.clone(), &known(false));
    assert_eq!(steps, Vec::<String>::new());
    assert!(blocked[0].contains("recreate-lost-database=shop.16401"), "{blocked:?}");
    let (steps, blocked) = planned_with(&usual(), catalog.clone(), &known(true));
    assert_eq!(
        (steps.as_slice(), blocked),
        (["create database shop", "lay out database shop"].map(str::to_owned).as_slice(), vec![])
    );
    // It is there, under another name.
    catalog["databases"][0]["renamed_to"] = json!("kept");
    assert_eq!(planned_with(&usual(), catalog, &known(true)).0, Vec::<String>::new());
}

#[test]
fn bypassrls_is_given_where_the_master_can() {
    let wanted = desired(&json!({"app": ["bypassrls"]}), &json!({}));
    for given in [false, true] {
        let mut catalog = at_rest(160_000);
        catalog["grants_bypassrls"] = json!(given);
        catalog["users"] = json!([user("app", "ours")]);
        let (steps, blocked) = planned(&wanted, catalog);
        assert_eq!((steps.len(), blocked.len()), (usize::from(given), usize::from(!given)));
    }
}

#[test]
fn a_failed_step_stops_those_that_need_it() {
    let mark = Mark::new("one");
    let owner = SqlStep::CreateRole { role: "shop-owner".into(), mark, admin: false };
    let create = SqlStep::CreateDatabase { database: "shop".into(), template: "template0" };
    let lay_out = SqlStep::LayOut { database: "shop".into(), owner: "shop-owner".into() };
    let lock = SqlStep::LockUser { user: "app".into(), removed: true };
    let taken = SqlStep::TakeDatabases { user: "app".into() };
    let release =
        |database: &str| SqlStep::Release { user: "app".into(), database: database.into(), heir: HEIR.into() };
    let dropped = SqlStep::DropUser { user: "app".into() };
    let admit = |user: &str| SqlStep::Admit {
        user: user.into(),
        database: "shop".into(),
        owner: "shop-owner".into(),
        acts_as_owner: true,
        inherits: true,
        connects: true,
    };
    assert!(lay_out.needs(&owner) && lay_out.needs(&create) && admit("app").needs(&lay_out));
    assert!(!admit("idle").needs(&admit("app")) && !create.needs(&lock));
    // REASSIGN takes databases along: nothing is released before they are taken.
    assert!(release("other").needs(&taken) && !release("other").needs(&release("shop")));
    assert!(dropped.needs(&release("other")) && dropped.needs(&lock) && dropped.needs(&taken));
}
