//! Each case changes one thing in a catalog that is at rest and says which steps that takes.

use serde_json::{Value, json};
use shared::rules::{defaults, parse};

use super::*;
use crate::engine::Password;

const MARK: &str = "one";

fn desired(users: &Value, databases: &Value) -> Desired {
    parse("orders", &defaults(&json!({"users": users, "databases": databases}), None)).unwrap()
}

/// A plain user and one with a flag in a database, and a user without any.
fn usual() -> Desired {
    desired(&json!({"app": [], "chief": ["createdb"], "idle": []}), &json!({"shop": ["app", "chief"]}))
}

fn role(ours: bool, memberships: &Value) -> Value {
    let comment = ours.then(|| Mark::new(MARK).to_string());
    json!({
        "login": true, "superuser": false, "createdb": false, "createrole": false, "inherit": true, "bypassrls": false,
        "comment": comment, "sessions": false, "memberships": memberships, "depends_in": [],
    })
}

/// The catalog of a server on which [`usual`] was carried out.
fn at_rest(version: u32) -> Value {
    let member = json!({"inherit": true, "set": true});
    let mut chief = role(true, &json!({"shop-owner": member}));
    chief["createdb"] = json!(true);
    let mut owner = role(true, &json!({}));
    owner["login"] = json!(false);
    let all = ["r", "S", "f", "T", "n"];
    json!({
        "version": version, "master": "sysadmin", "maintenance": "postgres",
        "roles": {
            "sysadmin": role(false, &json!({"app": member, "chief": member, "idle": member, "shop-owner": member})),
            "rds_superuser": role(false, &json!({})),
            "app": role(true, &json!({"shop-owner": member})),
            "chief": chief,
            "idle": role(true, &json!({})),
            "shop-owner": owner,
        },
        "databases": {
            "postgres": {"owner": "sysadmin", "manageable": true, "public": [], "connect": [], "acts_as": {}},
            "template1": {"owner": "rdsadmin", "manageable": false, "public": ["CONNECT"], "connect": [], "acts_as": {}},
            "shop": {
                "owner": "shop-owner", "manageable": true, "public": [], "connect": ["app", "chief"],
                "acts_as": {"app": "shop-owner"},
                "inside": {
                    "public_schema": {"owner": "pg_database_owner", "manageable": true, "open": false},
                    "default_privileges": {"app": all, "chief": all},
                },
            },
        },
    })
}

fn planned(desired: &Desired, catalog: Value, seen: LoginSeen) -> (Vec<String>, Vec<String>) {
    let state = PasswordState { password: Password::from("secret".to_owned()), seen };
    let passwords = desired.users.keys().map(|user| (user.clone(), state.clone())).collect();
    let plan = plan_sql(desired, &passwords, &serde_json::from_value(catalog).unwrap(), &Mark::new(MARK));
    let blocked = plan.blocked.iter().map(|blocked| blocked.reason.to_string());
    (plan.steps.iter().map(ToString::to_string).collect(), blocked.collect())
}

#[test]
fn nothing_is_done_at_rest() {
    for version in [120_022, 150_019, 180_004] {
        for seen in [LoginSeen::Unknown, LoginSeen::Accepted] {
            assert_eq!(planned(&usual(), at_rest(version), seen), (vec![], vec![]));
        }
    }
}

#[test]
fn a_new_server_gets_everything_in_order() {
    let mut catalog = at_rest(120_022);
    catalog["roles"] = json!({"sysadmin": role(false, &json!({})), "rds_superuser": role(false, &json!({}))});
    catalog["databases"] = json!({"postgres": catalog["databases"]["postgres"]});
    catalog["databases"]["postgres"]["public"] = json!(["CONNECT", "TEMPORARY"]);
    let desired = desired(&json!({"app": [], "boss": ["superuser"]}), &json!({"shop": ["app"]}));
    assert_eq!(
        planned(&desired, catalog, LoginSeen::Refused).0,
        [
            "close database postgres to everyone",
            "create user app",
            "create user boss",
            "grant rds_superuser to user boss",
            "let user boss connect to postgres",
            "create owner role shop-owner",
            "create database shop",
            "close database shop to all but its users",
            "let user app work in database shop",
        ]
    );
}

#[test]
fn each_difference_takes_its_step() {
    let member = json!({"inherit": true, "set": true});
    let cases = [
        ("/databases/postgres/public", json!(["TEMPORARY"]), "close database postgres to everyone"),
        ("/databases/postgres/connect", json!(["app"]), "no longer let user app connect to postgres"),
        ("/databases/shop/public", json!(["CONNECT"]), "close database shop to all but its users"),
        ("/databases/shop/inside/public_schema/open", json!(true), "close database shop to all but its users"),
        ("/databases/shop/inside/public_schema/owner", json!("sysadmin"), "close database shop to all but its users"),
        ("/databases/shop/connect", json!(["app"]), "let user chief work in database shop"),
        ("/databases/shop/connect", json!(["app", "chief", "idle"]), "end the work of user idle in database shop"),
        ("/databases/shop/acts_as", json!({}), "let user app work in database shop"),
        ("/databases/shop/acts_as/app", json!("idle"), "let user app work in database shop"),
        ("/databases/shop/acts_as/chief", json!("shop-owner"), "let user chief work in database shop"),
        ("/databases/shop/acts_as/idle", json!("shop-owner"), "end the work of user idle in database shop"),
        ("/databases/shop/inside/default_privileges/app", json!(["r"]), "let user app work in database shop"),
        ("/databases/shop/inside/default_privileges/idle", json!(["r"]), "end the work of user idle in database shop"),
        ("/roles/app/memberships", json!({}), "let user app work in database shop"),
        ("/roles/app/memberships/shop-owner/set", json!(false), "let user app work in database shop"),
        ("/roles/app/memberships/shop-owner/inherit", json!(false), "let user app work in database shop"),
        ("/roles/idle/memberships/shop-owner", member.clone(), "end the work of user idle in database shop"),
        ("/roles/idle/memberships/rds_superuser", member.clone(), "revoke rds_superuser from user idle"),
        ("/roles/idle/login", json!(false), "change user idle: LOGIN"),
        ("/roles/idle/createrole", json!(true), "change user idle: NOCREATEROLE"),
        ("/roles/chief/createdb", json!(false), "change user chief: CREATEDB"),
        ("/roles/sysadmin/memberships/app/inherit", json!(false), "make sysadmin a member of app"),
        ("/roles/sysadmin/memberships/shop-owner/set", json!(false), "make sysadmin a member of shop-owner"),
    ];
    for (pointer, value, step) in cases {
        let mut catalog = at_rest(180_004);
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        catalog.pointer_mut(parent).unwrap()[key] = value;
        assert_eq!(planned(&usual(), catalog, LoginSeen::Unknown), (vec![step.to_owned()], vec![]), "{pointer}");
    }
}

#[test]
fn what_cannot_be_changed_or_read_is_left() {
    let cases = [
        ("/databases/shop/inside", Value::Null),
        ("/databases/shop/inside/public_schema", Value::Null),
        ("/databases/shop/inside/public_schema", json!({"owner": "rdsadmin", "manageable": false, "open": true})),
        ("/databases/template1/public", json!(["CONNECT", "TEMPORARY"])),
        (
            "/databases/postgres",
            json!({"owner": "rdsadmin", "manageable": false, "public": ["CONNECT"], "connect": [], "acts_as": {}}),
        ),
        ("/databases/shop/connect", json!(["app", "chief", "a_stranger"])),
        ("/roles/app/memberships/pg_read_all_data", json!({"inherit": true, "set": true})),
        ("/roles/neighbour", role(false, &json!({"shop-owner": {"inherit": true, "set": true}}))),
    ];
    for (pointer, value) in cases {
        let mut catalog = at_rest(120_022);
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        catalog.pointer_mut(parent).unwrap()[key] = value;
        assert_eq!(planned(&usual(), catalog, LoginSeen::Unknown), (vec![], vec![]), "{pointer}");
    }
}

#[test]
fn a_refused_password_is_set_for_users_that_are_there() {
    let steps = ["set the password of user app", "set the password of user chief", "set the password of user idle"];
    assert_eq!(planned(&usual(), at_rest(150_019), LoginSeen::Refused).0, steps);
}

#[test]
fn a_removed_user_is_locked_released_and_dropped() {
    let mut catalog = at_rest(120_022);
    catalog["roles"]["chief"]["depends_in"] = json!(["a_first", "postgres", "shop"]);
    let without = desired(&json!({"app": [], "idle": []}), &json!({"shop": ["app"]}));
    let steps = [
        "take the login of user chief and end its sessions",
        "hand what user chief has in database postgres to sysadmin",
        "hand what user chief has in database a_first to sysadmin",
        "hand what user chief has in database shop to shop-owner",
        "drop user chief",
    ];
    assert_eq!(planned(&without, catalog.clone(), LoginSeen::Unknown).0, steps);
    catalog["roles"]["chief"]["login"] = json!(false);
    assert_eq!(planned(&without, catalog.clone(), LoginSeen::Unknown).0, steps[1..]);
    catalog["roles"]["chief"]["sessions"] = json!(true);
    assert_eq!(planned(&without, catalog, LoginSeen::Unknown).0, steps);
}

#[test]
fn a_removed_database_is_kept_and_its_users_leave() {
    let without = desired(&json!({"app": [], "chief": ["createdb"], "idle": []}), &json!({}));
    assert_eq!(
        planned(&without, at_rest(150_019), LoginSeen::Unknown).0,
        [
            "let user chief connect to postgres",
            "end the work of user app in database shop",
            "end the work of user chief in database shop",
        ]
    );
}

#[test]
fn roles_and_databases_of_others_block_only_what_needs_them() {
    let mut catalog = at_rest(150_019);
    catalog["roles"]["app"] = role(false, &json!({}));
    catalog["roles"]["idle"]["comment"] = json!(Mark::new("two").to_string());
    catalog["databases"]["shop"]["connect"] = json!(["chief"]);
    let (steps, blocked) = planned(&usual(), catalog, LoginSeen::Refused);
    assert_eq!(steps, ["set the password of user chief"]);
    assert_eq!(blocked.len(), 2, "{blocked:?}");

    let mut catalog = at_rest(150_019);
    catalog["databases"]["shop"]["owner"] = json!("chief");
    let (steps, blocked) = planned(&usual(), catalog, LoginSeen::Unknown);
    assert_eq!((steps, blocked.len()), (vec![], 1), "{blocked:?}");
}

#[test]
fn bypassrls_is_given_where_the_master_can() {
    let wanted = desired(&json!({"app": ["bypassrls"]}), &json!({}));
    for (version, master_has_it, given) in
        [(120_022, false, false), (150_019, true, false), (160_000, false, false), (160_000, true, true)]
    {
        let mut catalog = at_rest(version);
        catalog["roles"] = json!({"sysadmin": role(false, &json!({"app": {"inherit": true, "set": true}})), "app": role(true, &json!({}))});
        catalog["roles"]["sysadmin"]["bypassrls"] = json!(master_has_it);
        catalog["databases"] = json!({});
        let (steps, blocked) = planned(&wanted, catalog, LoginSeen::Unknown);
        assert_eq!(steps.is_empty(), !given, "{version}");
        assert_eq!(blocked.len(), usize::from(!given), "{version}");
    }
}

#[test]
fn a_failed_step_stops_those_that_need_it() {
    let mark = Mark::new(MARK);
    let owner = SqlStep::CreateOwner { owner: "shop-owner".into(), mark: mark.clone() };
    let database = SqlStep::CreateDatabase { database: "shop".into(), owner: "shop-owner".into() };
    let user = SqlStep::LockUser { user: "app".into() };
    let admit = |user: &str| SqlStep::Admit {
        user: user.into(),
        database: "shop".into(),
        owner: "shop-owner".into(),
        acts_as_owner: true,
        inherit: None,
    };
    assert!(database.needs(&owner) && admit("app").needs(&owner) && admit("app").needs(&database));
    assert!(admit("app").needs(&user) && !admit("idle").needs(&user) && !admit("idle").needs(&admit("app")));
    assert!(!user.needs(&owner) && !user.needs(&database));
}
