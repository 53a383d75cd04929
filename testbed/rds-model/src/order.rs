//! Failures on order, that no request asks for: what an instance is to suffer, now or with the next thing that is done to it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer};

use crate::error::ApiError;
use crate::lifecycle;
use crate::state::{Activity, Instance, Maintenance, MaintenanceAction, Snapshot, SnapshotKind, State};

/// What `instance` is to suffer; what an order does not name stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceFault {
    instance: String,
    /// It is shown in this status, and RDS's rules for it hold; null ends it.
    #[serde(default)]
    status: Shown,
    /// Whether Describe shows its endpoint.
    #[serde(default)]
    endpoint: Option<bool>,
    /// The next change is accepted and dropped; this event is all that tells.
    #[serde(default)]
    drop_change: Option<String>,
    /// The next snapshot fails.
    #[serde(default)]
    fail_snapshot: Option<bool>,
    /// RDS has maintenance in store for it.
    #[serde(default)]
    maintenance: Option<MaintenanceOrder>,
}

/// Maintenance that becomes pending, with its dates.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct MaintenanceOrder {
    action: MaintenanceAction,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    auto_applied_after: Option<Timestamp>,
    #[serde(default)]
    forced_apply: Option<Timestamp>,
}

/// The status that an instance is to be shown in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Shown {
    /// The order says nothing of it.
    #[default]
    AsBefore,
    Truly,
    As(String),
}

impl<'de> Deserialize<'de> for Shown {
    fn deserialize<D: Deserializer<'de>>(status: D) -> Result<Self, D::Error> {
        Option::deserialize(status).map(Self::from)
    }
}

impl From<Option<String>> for Shown {
    fn from(status: Option<String>) -> Self {
        status.map_or(Self::Truly, Self::As)
    }
}

impl InstanceFault {
    fn of(id: &str) -> Self {
        Self { instance: id.to_owned(), ..Self::default() }
    }

    /// The instance that it is about.
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// Adds the order to those that the instance bears. What has begun takes none: its work may be done already.
    ///
    /// # Errors
    /// When it orders nothing, or comes too late, or there is no such instance.
    pub fn order(self, state: &mut State) -> Result<(), ApiError> {
        let Self { instance, status, endpoint, drop_change, fail_snapshot, maintenance } = self;
        let instance = found(state, &instance)?;
        let nothing = status == Shown::AsBefore && endpoint.is_none() && drop_change.is_none();
        if nothing && fail_snapshot.is_none() && maintenance.is_none() {
            return Err(ApiError::invalid_value("an instance fault says what the instance is to suffer"));
        }
        let begun = match instance.phase.activity {
            Activity::Modifying { .. } | Activity::ResettingCredentials { .. } => drop_change.is_some(),
            Activity::BackingUp { .. } | Activity::Stopping { .. } | Activity::Deleting { .. } => {
                fail_snapshot.is_some()
            }
            _ => false,
        };
        if begun {
            return Err(ApiError::invalid_instance_state("what is to fail has begun: order it before"));
        }
        if let Some(MaintenanceOrder { action, description, auto_applied_after, forced_apply }) = maintenance {
            let pending = Maintenance { description, auto_applied_after, forced_apply, opt_in: None };
            instance.maintenance.insert(action, pending);
        }
        let ordered = &mut instance.ordered;
        match status {
            Shown::AsBefore => {}
            Shown::Truly => ordered.status = None,
            Shown::As(status) => ordered.status = Some(status),
        }
        ordered.without_endpoint = endpoint.map_or(ordered.without_endpoint, |shown| !shown);
        ordered.drop_change = drop_change.or(ordered.drop_change.take());
        ordered.fail_snapshot = fail_snapshot.unwrap_or(ordered.fail_snapshot);
        Ok(())
    }
}

/// RDS is going to upgrade the engine of the instance to its newest minor version, in the first maintenance window after that.
pub fn require_upgrade(state: &mut State, id: &str, after: Timestamp) -> Result<(), ApiError> {
    let action = MaintenanceAction::DbUpgrade;
    let order = MaintenanceOrder { action, description: None, auto_applied_after: Some(after), forced_apply: None };
    InstanceFault { maintenance: Some(order), ..InstanceFault::of(id) }.order(state)
}

/// The next snapshot of the instance fails, the final one among them.
pub fn fail_snapshot(state: &mut State, id: &str) -> Result<(), ApiError> {
    InstanceFault { fail_snapshot: Some(true), ..InstanceFault::of(id) }.order(state)
}

/// The next change of the instance is accepted, begins, and is dropped: `event` is all that tells.
pub fn drop_change(state: &mut State, id: &str, event: impl Into<String>) -> Result<(), ApiError> {
    InstanceFault { drop_change: Some(event.into()), ..InstanceFault::of(id) }.order(state)
}

/// The instance is shown in this status, and RDS's rules for it hold; none ends it.
pub fn show_status(state: &mut State, id: &str, status: Option<String>) -> Result<(), ApiError> {
    InstanceFault { status: status.into(), ..InstanceFault::of(id) }.order(state)
}

/// Describe shows the endpoint of the instance, or shows none.
pub fn show_endpoint(state: &mut State, id: &str, shown: bool) -> Result<(), ApiError> {
    InstanceFault { endpoint: Some(shown), ..InstanceFault::of(id) }.order(state)
}

/// The creation of the instance ends in `failed` now, and `reason` is the event that tells why.
///
/// # Errors
/// When it is there already, or not even begun.
pub fn fail_creation(state: &mut State, id: &str, reason: &str, now: Timestamp) -> Result<(), ApiError> {
    let instance = found(state, id)?;
    if !matches!(instance.phase.activity, Activity::Creating { .. }) {
        return Err(ApiError::invalid_instance_state("only what is being created can fail to be"));
    }
    let resource_id = instance.resource_id.clone();
    lifecycle::failed(state, &resource_id, reason, now);
    Ok(())
}

/// The instance is gone at once, data and all, and nothing tells: it is the answer.
pub fn remove(state: &mut State, id: &str) -> Result<Instance, ApiError> {
    state.instances.remove(id).ok_or_else(|| ApiError::instance_not_found(id))
}

/// So many hours pass over the manual snapshots of the instance, as far as anybody can tell.
///
/// # Errors
/// When there is no such instance.
pub fn age_snapshots(state: &mut State, id: &str, hours: u32) -> Result<(), ApiError> {
    found(state, id)?;
    let by = SignedDuration::from_hours(hours.into());
    let of_it = |snapshot: &&mut Snapshot| snapshot.kind == SnapshotKind::Manual && snapshot.source.id == id;
    for snapshot in state.snapshots.values_mut().filter(of_it) {
        snapshot.created_at = snapshot.created_at.checked_sub(by).unwrap_or(Timestamp::MIN);
        snapshot.completed_at = snapshot.completed_at.and_then(|at| at.checked_sub(by).ok());
    }
    Ok(())
}

fn found<'a>(state: &'a mut State, id: &str) -> Result<&'a mut Instance, ApiError> {
    state.instances.get_mut(id).ok_or_else(|| ApiError::instance_not_found(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backups;
    use crate::state::{Ordered, Phase};
    use crate::testing::{at, instance};

    fn state() -> State {
        let mut state = State::default();
        state.instances.insert("a".to_owned(), instance("a"));
        state
    }

    fn suffer(state: &mut State, text: &str) -> Result<Ordered, String> {
        let fault: InstanceFault = serde_json::from_str(text).unwrap();
        fault.order(state).map(|()| state.instances["a"].ordered.clone()).map_err(|error| error.code)
    }

    #[test]
    fn what_is_not_named_stays() {
        let mut state = state();
        suffer(&mut state, r#"{"instance":"a","status":"failed","fail_snapshot":true}"#).unwrap();
        suffer(&mut state, r#"{"instance":"a","endpoint":false,"drop_change":"no"}"#).unwrap();
        let expected =
            Ordered { without_endpoint: true, drop_change: Some("no".into()), fail_snapshot: true, status: None };
        assert_eq!(suffer(&mut state, r#"{"instance":"a","status":null}"#), Ok(expected));
        assert!(suffer(&mut state, r#"{"instance":"a"}"#).is_err());
        assert!(suffer(&mut state, r#"{"instance":"b","status":"failed"}"#).is_err());
    }

    #[test]
    fn what_has_begun_cannot_be_ordered_to_fail() {
        let mut state = state();
        state.instances.get_mut("a").unwrap().phase =
            Phase::begin(Activity::ResettingCredentials { verifier: "SCRAM".into() }, at(0));
        assert!(drop_change(&mut state, "a", "no").is_err() && fail_snapshot(&mut state, "a").is_ok());
        state.instances.get_mut("a").unwrap().phase =
            Phase::begin(Activity::Deleting { final_snapshot: Some("s".into()), published: false }, at(0));
        assert!(fail_snapshot(&mut state, "a").is_err() && drop_change(&mut state, "a", "no").is_ok());
    }

    #[test]
    fn only_what_somebody_has_made_grows_old() {
        let mut state = state();
        let automated = backups::automated(&state, &state.instances["a"], at(7200));
        let manual = Snapshot { id: "kept".into(), kind: SnapshotKind::Manual, ..automated.clone() };
        let of_another = Snapshot { id: "theirs".into(), source: instance("b"), ..manual.clone() };
        for snapshot in [automated, manual, of_another] {
            state.snapshots.insert(snapshot.id.clone(), snapshot);
        }
        age_snapshots(&mut state, "a", 1).unwrap();
        let made: Vec<_> = state.snapshots.values().map(|snapshot| snapshot.created_at == at(3600)).collect();
        assert_eq!(made.iter().filter(|aged| **aged).count(), 1);
        assert_eq!(state.snapshots["kept"].created_at, at(3600));
        assert!(age_snapshots(&mut state, "b", 1).is_err());
    }

    #[test]
    fn only_a_creation_fails_to_create() {
        let mut state = state();
        assert!(fail_creation(&mut state, "a", "no capacity", at(1)).is_err());
        state.instances.get_mut("a").unwrap().phase =
            Phase::begin(Activity::Creating { from_snapshot: None, point_in_time: None }, at(0));
        fail_creation(&mut state, "a", "no capacity", at(1)).unwrap();
        assert_eq!(state.instances["a"].phase.activity, Activity::Failed);
        assert_eq!(state.events.last().unwrap().message, "no capacity");
    }
}
