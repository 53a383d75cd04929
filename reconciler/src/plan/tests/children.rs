//! What surrounds the instance: Secrets, Services, users and databases, and the plan as a whole.

use std::time::Duration;

use serde_json::json;

use super::{
    blocked, empty_world, inputs, look, now, orders, pinned, plan, planned, settled_world, target, version, waits,
};
use crate::engine::postgres::DIALECT;
use crate::plan::ledger::Cause;
use crate::plan::outcome::{Concern, Outcome};
use crate::plan::reason::Reason;
use crate::plan::step::{ClusterStep, Step};
use crate::plan::world::{SecretFact, Seen, ServiceFact, SqlFailure};

#[test]
fn i5_at_rest_nothing_is_done() {
    let plan = planned(&orders(), &settled_world());
    assert_eq!(plan.steps, []);
    for (concern, outcome) in &plan.outcomes {
        assert!(matches!(outcome, Outcome::Done { .. }), "{concern:?}: {outcome:?}");
    }
}

#[test]
fn i5_a_second_look_makes_nothing_less_than_ready() {
    let long_after = now() + Duration::from_hours(1);
    let due = plan(&orders(), &settled_world(), long_after);
    assert_eq!((due.steps.as_slice(), due.again), (&[look(&settled_world())][..], Duration::ZERO));
    assert_eq!(due.outcomes, planned(&orders(), &settled_world()).outcomes);
}

#[test]
fn a_failed_visit_stays_failed_until_another_one_went_well() {
    let mut world = settled_world();
    let failure = SqlFailure {
        reason: Reason::DatabaseUnreachable,
        message: "connection refused".into(),
        needs_person: false,
        master_refused: false,
        retry_at: now() + Duration::from_secs(5),
        attempts: 1,
    };
    world.visit.as_mut().expect("the fixture has one").result = Err(failure.clone());
    let early = planned(&orders(), &world);
    assert_eq!((early.steps.as_slice(), early.again), (&[][..], Duration::from_secs(5)));
    let due = plan(&orders(), &world, failure.retry_at);
    assert_eq!(due.steps, [look(&world)]);
    assert_eq!(due.outcomes, early.outcomes);
    assert_eq!(waits(&due, Concern::Databases), "DatabaseUnreachable");
}

#[test]
fn i10_a_secret_of_somebody_else_stops_its_user_and_nobody_else() {
    let mut world = empty_world();
    world.pinned = Some(pinned(None));
    let foreign = Seen::Known(SecretFact::Foreign { why: "it is not marked as this object's".into() });
    world.secrets = [("orders.rds.app".to_owned(), foreign)].into();
    let plan = planned(&orders(), &world);
    let touched: Vec<_> = plan.steps.iter().filter(|step| format!("{step:?}").contains("orders.rds.app")).collect();
    assert_eq!(touched, Vec::<&Step>::new());
    assert_eq!(plan.steps.len(), 2, "the other two are created: {:?}", plan.steps);

    let mut world = settled_world();
    world.secrets.insert("orders.rds.app".into(), Seen::Known(SecretFact::Foreign { why: "not ours".into() }));
    let (reason, message) = blocked(&planned(&orders(), &world), Concern::Secrets);
    assert_eq!(reason, "SecretNotOurs");
    assert!(message.contains("orders.rds.app"), "{message}");
}

#[test]
fn a_lost_password_is_renewed_and_a_lost_secret_made_again() {
    let mut world = settled_world();
    let Some(Seen::Known(SecretFact::Ours { data, .. })) = world.secrets.get_mut("orders.rds.report") else {
        unreachable!()
    };
    data.0.remove("password");
    world.secrets.remove("orders.rds.app");
    let plan = planned(&orders(), &world);
    let repair = ClusterStep::RepairPassword {
        secret: "orders.rds.report".into(),
        user: "report".into(),
        database: Some("orders".into()),
        dialect: DIALECT,
    };
    let create = ClusterStep::CreateSecret { secret: "orders.rds.app".into(), user: "app".into(), dialect: DIALECT };
    assert!(plan.steps.contains(&Step::Cluster(repair)), "{:?}", plan.steps);
    assert!(plan.steps.contains(&Step::Cluster(create)), "{:?}", plan.steps);
}

#[test]
fn i4_a_removed_users_secret_goes_after_the_server_was_told() {
    let without_report = target(&json!({"users": {"app": ["createdb"]}, "databases": {"orders": ["app"]}}));
    let mut world = settled_world();
    world.visit_inputs = Some(inputs("changed"));
    let plan = planned(&without_report, &world);
    assert!(plan.steps.contains(&look(&world)));
    assert!(!format!("{:?}", plan.steps).contains("DeleteSecret"), "{:?}", plan.steps);

    world.visit.as_mut().expect("the fixture has one").inputs = "changed".into();
    let plan = planned(&without_report, &world);
    let delete = ClusterStep::DeleteSecret { secret: "orders.rds.report".into(), version: version("report") };
    assert_eq!(plan.steps, [Step::Cluster(delete)]);
}

#[test]
fn a_namespace_that_ends_gets_no_new_secret() {
    let mut world = empty_world();
    world.object.namespace_terminating = true;
    world.pinned = Some(pinned(None));
    let plan = planned(&orders(), &world);
    assert_eq!(plan.steps, []);
    assert_eq!(waits(&plan, Concern::Secrets), "NamespaceTerminating");
}

#[test]
fn i10_an_alias_that_somebody_has_is_left_alone_and_takes_nothing_from_readiness() {
    let mut world = settled_world();
    world.alias = Some(Seen::Known(ServiceFact::Foreign { owner: "the RDSDatabase orders in namespace other".into() }));
    let plan = planned(&orders(), &world);
    assert_eq!(plan.steps, []);
    let (reason, message) = blocked(&plan, Concern::Alias);
    assert_eq!(reason, "ServiceNotOurs");
    assert!(message.contains("namespace other"), "{message}");
}

#[test]
fn i8_a_step_that_kubernetes_refuses_stops_no_other() {
    let mut world = settled_world();
    world.alias = Some(Seen::Absent);
    world.visit = None;
    let create = planned(&orders(), &world).steps.into_iter().find(|step| matches!(step, Step::Cluster(_)));
    let create = create.expect("the alias is missing");
    world.ledger.refused(&create, Cause::Kubernetes, "namespaces \"rds\" not found".into(), now(), 0.0);
    let plan = planned(&orders(), &world);
    assert_eq!(plan.steps, [look(&world)]);
    match plan.outcome(Concern::Alias) {
        Some(Outcome::Wait { reason: Reason::ClusterRefused, message, until: Some(_) }) => {
            assert!(message.contains("rds"));
        }
        other => unreachable!("{other:?}"),
    }
}
