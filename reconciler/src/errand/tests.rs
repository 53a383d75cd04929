//! A visit, from look to report, on values.

use std::collections::BTreeMap;

use serde_json::json;
use shared::rules::{DefaultVersions, Desired, defaults, parse};
use std::time::Duration;

use super::*;
use crate::clock::SystemClock;
use crate::engine::paper::{Chore, Found as Played, Lost, Paper, admit};
use crate::engine::postgres::DIALECT;
use crate::engine::{EngineError, Login, Mark, Password, Question, Visit};
use crate::plan::{Found, LoginKnown, SqlReport, doorways, due, report};

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

fn master() -> Login {
    let password = Password::from("secret".to_owned());
    let (user, database) = ("sysadmin".into(), "maintenance".into());
    Login { host: "db.example".into(), port: 5432, user, password, database, version: None }
}

/// A visit after its first look.
async fn looked_at(visit: Box<dyn Visit>) -> Box<dyn Visit> {
    let mut visit = visit;
    let (desired, mark, known) = (orders(), Mark::new("one"), BTreeMap::new());
    let question = Question { desired: &desired, mark: &mark, known: &known };
    visit.look(&master(), question, &BTreeMap::new()).await.expect("paper is patient");
    visit
}

async fn look(errand: &mut Errand, due: &[Doorway]) {
    let (desired, mark, known) = (orders(), Mark::new("one"), BTreeMap::new());
    let question = Question { desired: &desired, mark: &mark, known: &known };
    errand.visit_mut().look(&master(), question, &BTreeMap::new()).await.expect("paper is patient");
    errand.looked(|_| due.to_vec(), now());
}

async fn work(errand: &mut Errand) {
    work_for(errand, Duration::from_mins(1)).await;
}

async fn work_for(errand: &mut Errand, budget: Duration) {
    errand.visit_mut().work(&master(), &SystemClock, budget, None).await.expect("paper is patient");
    errand.worked(now());
}

fn set_password(errand: &mut Errand, user: &str) {
    errand.visit_mut().set_passwords([(user.to_owned(), Password::from("secret".to_owned()))].into());
}

/// What was found after so many visits that left something.
fn found_after(errand: &Errand, attempts: u32) -> SqlReport {
    let found = Found { report: errand.visit().report(), logins: &known(), attempts, jitter: 0.0 };
    report(DIALECT, &orders(), found, now())
}

fn found(errand: &Errand) -> SqlReport {
    found_after(errand, 0)
}

fn prints() -> BTreeMap<String, String> {
    ["app", "report", "off", "maker"].map(|user| (user.to_owned(), format!("print of {user}"))).into()
}

fn known() -> BTreeMap<Doorway, LoginKnown> {
    let login = |door: Doorway| {
        let fingerprint = format!("print of {}", door.user);
        (door, LoginKnown { fingerprint, at: now(), fault: None, passing: false })
    };
    doorways(DIALECT, &orders()).into_iter().map(login).collect()
}

#[test]
fn only_users_that_can_log_in_have_a_doorway() {
    assert_eq!(
        doorways(DIALECT, &orders()),
        [door("app", "orders"), door("maker", "postgres"), door("report", "orders")]
    );
}

#[tokio::test]
async fn logins_are_tried_for_what_changed_and_a_few_more() {
    let many: serde_json::Map<_, _> = (0..300).map(|number| (format!("u{number}"), json!([]))).collect();
    let users: Vec<_> = many.keys().cloned().collect();
    let spec = json!({"users": many, "databases": {"orders": users}});
    let desired = parse("orders", &defaults(&spec, None, DefaultVersions::BUILT_IN)).expect("the fixture is valid");
    let current: BTreeMap<_, _> = desired.users.keys().map(|user| (user.to_string(), "print".to_owned())).collect();
    let known: BTreeMap<_, _> = doorways(DIALECT, &desired)
        .into_iter()
        .map(|door| (door, LoginKnown { fingerprint: "print".into(), at: now(), fault: None, passing: false }))
        .collect();
    let idle = Paper::visit([], []);
    let none = due(DIALECT, &desired, &*idle, &known, &current);
    assert_eq!(none.len(), 4, "a few at rest: {none:?}");
    let mut errand = Errand::begin("inputs".into(), Paper::visit([Played::of(vec![admit("u7", "orders")])], []), now());
    look(&mut errand, &[]).await;
    work(&mut errand).await;
    let one = due(DIALECT, &desired, errand.visit(), &known, &current);
    assert_eq!((one.len(), &one[0]), (5, &door("u7", "orders")));
    // Within a day every one of them is tried, however many there are.
    assert!(none.len() * 144 >= known.len());
    let fresh = due(DIALECT, &desired, &*idle, &BTreeMap::new(), &current);
    assert_eq!(fresh.len(), 300);
}

#[test]
fn a_changed_password_and_a_failed_login_are_tried_at_once() {
    let (mut known, mut current) = (known(), prints());
    known.get_mut(&door("report", "orders")).expect("it is there").fault = Some("refused".into());
    current.insert("app".into(), "another password".into());
    let due = due(DIALECT, &orders(), &*Paper::visit([], []), &known, &current);
    assert_eq!(&due[..2], [door("app", "orders"), door("report", "orders")]);
}

#[tokio::test]
async fn what_is_not_there_yet_is_not_logged_in_to() {
    for missing in ["app", "orders"] {
        let visit = Paper::visit([Played { missing: [missing.to_owned()].into(), ..Played::default() }], []);
        let due = due(DIALECT, &orders(), &*looked_at(visit).await, &BTreeMap::new(), &prints());
        assert!(!due.contains(&door("app", "orders")), "{missing}: {due:?}");
        assert_eq!(due.contains(&door("report", "orders")), missing == "app", "{due:?}");
    }
}

#[tokio::test]
async fn a_visit_looks_works_looks_and_logs_in() {
    let both = Played::of(vec![admit("app", "orders"), admit("report", "orders")]);
    let visit = Paper::visit([both], []);
    let mut errand = Errand::begin("inputs".into(), visit, now());
    assert_eq!(errand.progress().part, Part::Look);
    look(&mut errand, &[]).await;
    assert_eq!(errand.progress().part, Part::Work);
    let message = errand.progress().message;
    assert_eq!(message, "2 changes are left inside the server, next: let app into orders");
    // Time is up after the first.
    work_for(&mut errand, Duration::ZERO).await;
    assert_eq!((errand.progress().part, errand.visit().todo()), (Part::Work, 1));
    work(&mut errand).await;
    assert_eq!(errand.progress().part, Part::Look);
    look(&mut errand, &[door("app", "orders")]).await;
    assert_eq!((errand.progress().part, errand.logins()), (Part::LogIn, &[door("app", "orders")][..]));
    errand.logged_in(1, now());
    assert_eq!(*errand.stage(), Stage::Over);
    let told = "let app into orders; let report into orders".to_owned();
    assert_eq!(errand.told(), [(Reason::AccessGiven, told)]);
}

#[tokio::test]
async fn i9_what_was_just_tried_is_not_tried_again() {
    let asked = || Played::of(vec![admit("app", "orders")]);
    let failed = EngineError::Conflict { message: "busy".into() };
    let mut errand = Errand::begin("inputs".into(), Paper::visit([asked(), asked()], [Err(failed)]), now());
    look(&mut errand, &[]).await;
    work(&mut errand).await;
    look(&mut errand, &[]).await;
    assert_eq!(*errand.stage(), Stage::Over, "it would go round and round");
    let report = found(&errand);
    assert!(report.users["app"].as_ref().is_some_and(|text| text.contains("busy")), "{report:?}");
    assert!(report.passing && !report.settled());
    assert_eq!(report.retry_at, Some(now() + Duration::from_secs(5)));
    let pause = |attempts| found_after(&errand, attempts).retry_at.map(|at| at.since(now()).as_secs());
    assert_eq!(
        [1, 2, 4, 5, 100].map(pause),
        [10, 20, 80, 80, 80].map(Some),
        "it may pass, and is not waited for in a loop"
    );
}

#[tokio::test]
async fn what_the_server_does_not_allow_waits_for_a_person() {
    let failed = EngineError::Conflict { message: "busy".into() };
    let both = || Played { lost: vec![Lost("orders".into())], ..Played::of(vec![admit("app", "orders")]) };
    let mut errand = Errand::begin("inputs".into(), Paper::visit([both(), both()], [Err(failed)]), now());
    look(&mut errand, &[]).await;
    work(&mut errand).await;
    look(&mut errand, &[]).await;
    let report = found(&errand);
    assert!(report.lost && !report.passing, "{report:?}");
    assert_eq!(report.databases["orders"].as_deref(), Some("database orders: orders is gone"));
    assert_eq!(report.retry_at, Some(now() + Duration::from_secs(60)));
    assert_eq!(found_after(&errand, 7).retry_at, Some(now() + Duration::from_secs(120)));
}

#[tokio::test]
async fn a_refused_password_is_set_once_and_tried_again() {
    let mut errand = Errand::begin("inputs".into(), Paper::visit([], []), now());
    look(&mut errand, &[door("app", "orders")]).await;
    set_password(&mut errand, "app");
    errand.logged_in(1, now());
    assert_eq!((errand.stage(), errand.visit().next().as_deref()), (&Stage::Work, Some("set the password of app")));
    work(&mut errand).await;
    look(&mut errand, &[door("app", "orders")]).await;
    set_password(&mut errand, "app");
    errand.logged_in(1, now());
    assert_eq!(*errand.stage(), Stage::Over);
}

#[tokio::test]
async fn what_is_left_for_the_next_look_stands_in_nobodys_way() {
    let asked = || Played::of(vec![Chore { leisurely: true, ..admit("app", "orders") }]);
    let mut errand = Errand::begin("inputs".into(), Paper::visit([asked(), asked()], []), now());
    look(&mut errand, &[]).await;
    work(&mut errand).await;
    look(&mut errand, &[]).await;
    let report = found(&errand);
    assert!(report.settled() && report.verified(), "{report:?}");
    assert_eq!((report.notes.len(), report.retry_at), (1, None));
}

#[tokio::test]
async fn i13_a_kind_is_one_event_however_much_was_done() {
    let all = (0..1000).map(|number| admit(&format!("u{number}"), "orders")).collect();
    let mut errand = Errand::begin("inputs".into(), Paper::visit([Played::of(all)], []), now());
    look(&mut errand, &[]).await;
    while errand.visit().todo() > 0 {
        work(&mut errand).await;
    }
    let told = errand.told();
    assert_eq!((told.len(), errand.visit().done()), (1, 1000));
    assert!(told[0].1.ends_with("; and 995 more") && told[0].1.len() < 1000, "{told:?}");
}

#[test]
fn an_old_visit_begins_again() {
    let progress = Errand::begin("inputs".into(), Paper::visit([], []), now()).progress();
    assert!(progress.goes_on("inputs", now() + Duration::from_secs(60)));
    assert!(!progress.goes_on("others", now()));
    assert!(!progress.goes_on("inputs", now() + Duration::from_mins(6)));
}
