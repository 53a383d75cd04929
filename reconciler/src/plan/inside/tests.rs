//! A visit, from look to report, on values.

use std::collections::BTreeMap;

use serde_json::json;
use shared::rules::{DefaultVersions, Desired, defaults, parse};
use std::time::Duration;

use super::*;
use crate::engine::{Catalog, EngineError, Outcome, SqlPlan, SqlStep};
use crate::plan::{Reason, Step};

fn now() -> Moment {
    Moment::START
}

fn orders() -> Desired {
    let spec = json!({"users": {"app": [], "report": [], "off": ["nologin"], "maker": ["createdb"]}, "databases": {"orders": ["app", "report", "off"]}});
    parse("orders", &defaults(&spec, None, DefaultVersions::BUILT_IN)).expect("the fixture is valid")
}

fn door(user: &str, database: &str) -> Doorway {
    Doorway { user: user.into(), database: database.into() }
}

fn admit(user: &str) -> SqlStep {
    SqlStep::Admit {
        user: user.into(),
        database: "orders".into(),
        owner: "orders-owner".into(),
        acts_as_owner: true,
        inherits: true,
        connects: true,
    }
}

fn steps(steps: Vec<SqlStep>) -> SqlPlan {
    SqlPlan { steps, blocked: Vec::new() }
}

fn prints() -> BTreeMap<String, String> {
    ["app", "report", "off", "maker"].map(|user| (user.to_owned(), format!("print of {user}"))).into()
}

fn known() -> BTreeMap<Doorway, LoginKnown> {
    let login = |door: Doorway| {
        let fingerprint = format!("print of {}", door.user);
        (door, LoginKnown { fingerprint, at: now(), fault: None, passing: false })
    };
    doorways(&orders()).into_iter().map(login).collect()
}

#[test]
fn only_users_that_can_log_in_have_a_doorway() {
    assert_eq!(doorways(&orders()), [door("app", "orders"), door("maker", "postgres"), door("report", "orders")]);
}

#[test]
fn logins_are_tried_for_what_changed_and_a_few_more() {
    let catalog = Catalog::default();
    let many: serde_json::Map<_, _> = (0..300).map(|number| (format!("u{number}"), json!([]))).collect();
    let users: Vec<_> = many.keys().cloned().collect();
    let spec = json!({"users": many, "databases": {"orders": users}});
    let desired = parse("orders", &defaults(&spec, None, DefaultVersions::BUILT_IN)).expect("the fixture is valid");
    let current: BTreeMap<_, _> = desired.users.keys().map(|user| (user.to_string(), "print".to_owned())).collect();
    let known: BTreeMap<_, _> = doorways(&desired)
        .into_iter()
        .map(|door| (door, LoginKnown { fingerprint: "print".into(), at: now(), fault: None, passing: false }))
        .collect();
    let none = due(&desired, &catalog, &[], &known, &current);
    assert_eq!(none.len(), 4, "a few at rest: {none:?}");
    let one = due(&desired, &catalog, &[admit("u7")], &known, &current);
    assert_eq!((one.len(), &one[0]), (5, &door("u7", "orders")));
    // Within a day every one of them is tried, however many there are.
    assert!(none.len() * 144 >= known.len());
    let fresh = due(&desired, &catalog, &[], &BTreeMap::new(), &current);
    assert_eq!(fresh.len(), 300);
}

#[test]
fn a_changed_password_and_a_failed_login_are_tried_at_once() {
    let (mut known, mut current) = (known(), prints());
    known.get_mut(&door("report", "orders")).expect("it is there").fault = Some("refused".into());
    current.insert("app".into(), "another password".into());
    let due = due(&orders(), &Catalog::default(), &[], &known, &current);
    assert_eq!(&due[..2], [door("app", "orders"), door("report", "orders")]);
}

#[test]
fn a_visit_looks_works_looks_and_logs_in() {
    let mut errand = Errand::begin("inputs".into(), now());
    assert_eq!(errand.step(), Step::Look);
    errand.looked(Catalog::default(), steps(vec![admit("app"), admit("report")]), |_, _| unreachable!(), now());
    assert_eq!((errand.step(), errand.slice().0.len()), (Step::Work, 2));
    assert!(errand.progress().contains("2 changes are left"), "{}", errand.progress());
    // Time was up after the first.
    errand.worked_on(vec![Outcome::Done], now());
    assert_eq!((errand.step(), errand.slice().0), (Step::Work, &[admit("report")][..]));
    errand.worked_on(vec![Outcome::Done], now());
    assert_eq!(errand.step(), Step::Look);
    errand.looked(
        Catalog::default(),
        SqlPlan::default(),
        |_, worked| vec![door(worked[0].user().unwrap_or_default(), "orders")],
        now(),
    );
    assert_eq!((errand.step(), errand.logins()), (Step::LogIn, &[door("app", "orders")][..]));
    errand.logged_in(1, Vec::new(), now());
    assert_eq!(*errand.stage(), Stage::Over);
    assert_eq!(
        errand.tally().told(),
        [(
            Reason::AccessGiven,
            "let user app work in database orders; let user report work in database orders".to_owned()
        )]
    );
}

#[test]
fn i9_what_was_just_tried_is_not_tried_again() {
    let mut errand = Errand::begin("inputs".into(), now());
    let plan = || steps(vec![admit("app")]);
    errand.looked(Catalog::default(), plan(), |_, _| Vec::new(), now());
    errand.worked_on(vec![Outcome::Failed(EngineError::Conflict { message: "busy".into() })], now());
    errand.looked(Catalog::default(), plan(), |_, _| Vec::new(), now());
    assert_eq!(*errand.stage(), Stage::Over, "it would go round and round");
    let report = report(&orders(), &Found { errand: &errand, logins: &known(), jitter: 0.0 }, now());
    assert!(report.users["app"].as_ref().is_some_and(|text| text.contains("busy")), "{report:?}");
    assert!(report.passing && !report.settled());
    assert_eq!(report.retry_at, Some(now() + Duration::from_secs(5)));
}

#[test]
fn a_refused_password_is_set_once_and_tried_again() {
    let set = || SqlStep::SetPassword { user: "app".into(), password: "secret".to_owned().into() };
    let mut errand = Errand::begin("inputs".into(), now());
    errand.looked(Catalog::default(), SqlPlan::default(), |_, _| vec![door("app", "orders")], now());
    errand.logged_in(1, vec![set()], now());
    assert_eq!(errand.slice().0, [set()]);
    errand.worked_on(vec![Outcome::Done], now());
    errand.looked(Catalog::default(), SqlPlan::default(), |_, _| vec![door("app", "orders")], now());
    errand.logged_in(1, vec![set()], now());
    assert_eq!(*errand.stage(), Stage::Over);
}

#[test]
fn what_is_left_for_the_next_look_stands_in_nobodys_way() {
    let hand_over = SqlStep::HandOver {
        database: "orders".into(),
        owner: "orders-owner".into(),
        users: vec!["app".into()],
        extensions: Vec::new(),
        objects: 3,
    };
    let mut errand = Errand::begin("inputs".into(), now());
    for _ in 0..2 {
        errand.looked(Catalog::default(), steps(vec![hand_over.clone()]), |_, _| Vec::new(), now());
        errand.worked_on(vec![Outcome::Done], now());
    }
    let report = report(&orders(), &Found { errand: &errand, logins: &known(), jitter: 0.0 }, now());
    assert!(report.settled() && report.verified(), "{report:?}");
    assert_eq!((report.notes.len(), report.retry_at), (1, None));
}

#[test]
fn i13_a_kind_is_one_event_however_much_was_done() {
    let mut errand = Errand::begin("inputs".into(), now());
    let all: Vec<_> = (0..1000).map(|number| admit(&format!("u{number}"))).collect();
    errand.looked(Catalog::default(), steps(all), |_, _| Vec::new(), now());
    while let (slice @ [_, ..], _) = errand.slice() {
        let done = vec![Outcome::Done; slice.len()];
        errand.worked_on(done, now());
    }
    let told = errand.tally().told();
    assert_eq!(told.len(), 1);
    assert!(told[0].1.ends_with("; and 995 more") && told[0].1.len() < 1000, "{told:?}");
}

#[test]
fn an_old_visit_begins_again() {
    let errand = Errand::begin("inputs".into(), now());
    assert!(errand.goes_on(Some("inputs"), now() + Duration::from_secs(60)));
    assert!(!errand.goes_on(Some("others"), now()) && !errand.goes_on(None, now()));
    assert!(!errand.goes_on(Some("inputs"), now() + Duration::from_mins(6)));
}
