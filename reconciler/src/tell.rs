//! Every Event: what was done, what failed, and what somebody has to do. What an object's status says already was told before, also by an
//! earlier process, and is not told again.

use shared::api::RDSDatabase;

use crate::cluster::Notice;
use crate::context::Context;
use crate::plan::{ClusterStep, Concern, Outcome, Plan, Reason, Seen, World, concern, serving};
use crate::providers::Request;

/// Tells of something that lasts, unless it was told before.
pub(crate) async fn once(context: &Context, object: &RDSDatabase, about: &str, notice: Notice) {
    let uid = object.metadata.uid.as_deref().unwrap_or_default();
    let mut news = false;
    context.memory.update(uid, |recollection| news = recollection.told.news(about, &notice.note));
    if news {
        context.cluster.notify(object, notice).await;
    }
}

/// Takes over what an earlier process has told of an object.
pub(crate) fn begin(context: &Context, object: &RDSDatabase) {
    let uid = object.metadata.uid.as_deref().unwrap_or_default();
    let conditions = object.status.iter().flat_map(|status| &status.conditions);
    context.memory.update(uid, |recollection| recollection.told.begin(conditions));
}

/// What a plan says that a person must do, once, until it has passed.
pub(crate) async fn planned(context: &Context, object: &RDSDatabase, world: &World, plan: &Plan) {
    for (concern, outcome) in &plan.outcomes {
        let about = concern.condition();
        match outcome {
            Outcome::Blocked { reason, message, .. } => {
                once(context, object, about, blocked(*reason, message.clone())).await;
            }
            Outcome::Done { .. } if seen(*concern, world) => {
                context.memory.update(&world.object.uid, |recollection| recollection.told.forget(about));
            }
            _ => {}
        }
    }
}

/// What cannot be seen has not passed. What Secrets lack, the instance tells while it serves.
fn seen(concern: Concern, world: &World) -> bool {
    match (concern, &world.instance) {
        (_, Seen::Unknown(_)) => false,
        (Concern::Secrets, Seen::Known(_)) => serving(world).is_some(),
        _ => true,
    }
}

/// The object is gone with this plan: what became of the instance.
pub(crate) async fn farewell(context: &Context, object: &RDSDatabase, plan: &Plan) {
    let Some(Outcome::Act { message, .. }) = plan.outcome(Concern::Deletion) else { return };
    context.cluster.notify(object, released(message.clone())).await;
}

/// What only a person can mend.
pub(crate) fn blocked(reason: Reason, note: String) -> Notice {
    Notice { warning: true, reason: reason.as_str(), action: "Reconcile".into(), note }
}

fn released(note: String) -> Notice {
    Notice { warning: false, reason: Reason::Released.as_str(), action: "Delete".into(), note }
}

/// A step on Kubernetes that was made for the object of this name.
pub(crate) fn of_cluster(step: &ClusterStep, object: &str) -> Option<Notice> {
    let (reason, action, note) = match step {
        ClusterStep::AddFinalizer | ClusterStep::RemoveFinalizer => return None,
        ClusterStep::CreateSecret { secret, user, .. } => {
            (Reason::SecretCreated, "CreateSecret", format!("Secret {secret} for the user {user}"))
        }
        ClusterStep::RepairPassword { secret, .. } => (
            Reason::PasswordRenewed,
            "RepairSecret",
            format!("Secret {secret} had lost its password and has a new one"),
        ),
        ClusterStep::UpdateSecret { secret, renewal: true, .. } => (
            Reason::SecretUpdated,
            "UpdateSecret",
            format!("Secret {secret} has what applications need by now to verify the server"),
        ),
        ClusterStep::UpdateSecret { secret, renewal: false, .. } => {
            (Reason::SecretUpdated, "UpdateSecret", format!("Secret {secret} follows the endpoint and the databases"))
        }
        ClusterStep::DeleteSecret { secret, .. } => {
            (Reason::SecretDeleted, "DeleteSecret", format!("Secret {secret}: its user left the spec"))
        }
        ClusterStep::CreateService { place, external_name, .. } => (
            Reason::ServiceCreated,
            "CreateService",
            format!("Service {} leads to {external_name}", place.service(object)),
        ),
        ClusterStep::UpdateService { place, external_name, .. } => (
            Reason::ServiceUpdated,
            "UpdateService",
            format!("Service {} leads to {external_name} now", place.service(object)),
        ),
        ClusterStep::DeleteService { place, .. } => {
            (Reason::ServiceDeleted, "DeleteService", format!("Service {}", place.service(object)))
        }
    };
    Some(Notice { warning: false, reason: reason.as_str(), action: action.into(), note })
}

/// A change that the cloud has accepted.
pub(crate) fn accepted(request: &Request) -> Notice {
    let reason = asked(request);
    Notice {
        warning: false,
        reason: reason.as_str(),
        action: reason.to_string(),
        note: format!("asked for: {request}"),
    }
}

/// One that it has not.
pub(crate) fn refused(request: &Request, note: String) -> Notice {
    Notice { warning: true, reason: Reason::CloudRefused.as_str(), action: asked(request).to_string(), note }
}

fn asked(request: &Request) -> Reason {
    match request {
        Request::Create(_) => Reason::CreateInstance,
        Request::Restore(_) => Reason::RestoreInstance,
        Request::Modify(_) if concern(request) == Concern::Storage => Reason::GrowStorage,
        Request::Modify(request) if request.major => Reason::UpgradeInstance,
        Request::Modify(_) => Reason::ModifyInstance,
        Request::ResetMaster(_) => Reason::ResetMasterPassword,
        Request::Mark(request) if request.owner.is_some() => Reason::TakeUpInstance,
        Request::Mark(_) => Reason::TagInstance,
        Request::Snapshot(_) => Reason::SnapshotInstance,
        Request::DeleteSnapshot(_) => Reason::DeleteSnapshot,
        Request::Delete(_) => Reason::DeleteInstance,
        Request::Reboot(_) => Reason::RebootInstance,
        Request::CreateGroup(_) | Request::FillGroup(_) | Request::DeleteGroup(_) => Reason::ParameterGroup,
    }
}

/// What was done inside the database, of one kind.
pub(crate) fn worked(reason: Reason, note: String) -> Notice {
    Notice { warning: false, reason: reason.as_str(), action: VISIT.into(), note }
}

/// A visit that came to nothing.
pub(crate) fn visit_failed(note: String) -> Notice {
    Notice { warning: true, reason: Reason::DatabaseVisitFailed.as_str(), action: VISIT.into(), note }
}

const VISIT: &str = "VisitDatabase";

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::binding::SecretData;
    use crate::cluster::Version;
    use crate::engine::Kind;
    use crate::engine::postgres::DIALECT;
    use crate::plan::{Place, ServicePlace};
    use crate::providers::{
        Create, Delete, DeleteGroup, DeleteSnapshot, MarkInstance, MasterPassword, Modify, Origin, Owner, Reboot,
        ResetMaster, Restore, Settings, TakeSnapshot,
    };
    use shared::rules::Engine;

    fn requests() -> [Request; 13] {
        let identifier = || "orders".to_owned();
        let modify =
            |change| Request::Modify(Modify { identifier: identifier(), change, at_once: false, major: false });
        let master_password = MasterPassword { secret: "orders.rds.master".into(), password: "s".to_owned().into() };
        let mark = |owner| Request::Mark(MarkInstance { owner, ..MarkInstance::default() });
        [
            Request::Create(Create {
                identifier: identifier(),
                engine: Engine::Postgresql,
                settings: Settings::default(),
                master_user: "sysadmin".into(),
                master_password: master_password.clone(),
                owner: Owner::default(),
                tags: BTreeMap::new(),
            }),
            Request::Restore(Restore {
                identifier: identifier(),
                origin: Origin::Snapshot("orders-before".into()),
                settings: Settings::default(),
                owner: Owner::default(),
                tags: BTreeMap::new(),
            }),
            modify(Settings { allocated_gib: Some(30), ..Settings::default() }),
            modify(Settings { backup_retention_days: Some(3), ..Settings::default() }),
            Request::ResetMaster(ResetMaster { identifier: identifier(), master_password }),
            mark(Some(Owner::default())),
            mark(None),
            Request::Modify(Modify {
                identifier: identifier(),
                change: Settings::default(),
                at_once: true,
                major: true,
            }),
            Request::Snapshot(TakeSnapshot {
                identifier: identifier(),
                snapshot: "orders-before-17-1".into(),
                kept: false,
                owner: Owner::default(),
                tags: BTreeMap::new(),
            }),
            Request::DeleteSnapshot(DeleteSnapshot { snapshot: "orders-kept-20261201-0400".into() }),
            Request::Delete(Delete { identifier: identifier(), final_snapshot: None, delete_automated_backups: true }),
            Request::Reboot(Reboot { identifier: identifier(), group: "group".into() }),
            Request::DeleteGroup(DeleteGroup { name: "group".into() }),
        ]
    }

    fn cluster_steps() -> [ClusterStep; 9] {
        let (secret, user) = ("orders.rds.app".to_owned(), "app".to_owned());
        let version = Version { uid: "uid".into(), resource: "7".into() };
        let (place, external_name, port, dialect) = (ServicePlace::Own, "host".to_owned(), 5432, DIALECT);
        [
            ClusterStep::AddFinalizer,
            ClusterStep::RemoveFinalizer,
            ClusterStep::CreateSecret { secret: secret.clone(), user: user.clone(), dialect },
            ClusterStep::RepairPassword { secret: secret.clone(), user, database: None, dialect },
            ClusterStep::UpdateSecret { secret: secret.clone(), data: SecretData::default(), renewal: false },
            ClusterStep::DeleteSecret { secret, version: version.clone() },
            ClusterStep::CreateService { place, external_name: external_name.clone(), port, dialect },
            ClusterStep::UpdateService { place, external_name, port, dialect, version: version.clone() },
            ClusterStep::DeleteService { place: ServicePlace::Alias, version },
        ]
    }

    /// A reason that no Event has would be a promise; each mutation has one.
    #[test]
    fn every_reason_of_an_event_is_told() {
        let note = String::new;
        let mut told: BTreeSet<&str> = requests().map(|request| accepted(&request).reason).into();
        told.extend(cluster_steps().iter().filter_map(|step| of_cluster(step, "orders")).map(|notice| notice.reason));
        told.extend(Kind::ALL.map(|kind| worked(kind.into(), note()).reason));
        told.extend(
            [refused(&requests()[0], note()), visit_failed(note()), released(note())].map(|notice| notice.reason),
        );
        let wanted: BTreeSet<&str> =
            Reason::ALL.iter().copied().filter(|reason| reason.place() == Place::Event).map(Reason::as_str).collect();
        assert_eq!(told, wanted);
    }
}
