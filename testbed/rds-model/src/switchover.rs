//! A blue/green deployment that somebody made at the console and switched over [RDS User Guide, "Switching a blue/green deployment"]: another
//! instance, with the same data and settings, has the name from then on.

use jiff::Timestamp;

use crate::actions::ports;
use crate::error::ApiError;
use crate::fresh::Fresh;
use crate::state::{Activity, Category, Change, Instance, Ordered, PendingMaintenance, Phase, Source, State};

/// What a switchover is going to do. In between its two steps the data are copied.
#[derive(Clone, Debug)]
pub struct Switchover {
    /// The instance that has the name until then.
    pub blue: Instance,
    /// The one that has it afterwards.
    pub green: Instance,
}

impl Switchover {
    /// Prepares the switchover of the instance with this identifier.
    ///
    /// # Errors
    /// When there is none, or it is busy.
    pub fn plan(state: &State, id: &str, fresh: &mut impl Fresh) -> Result<Self, ApiError> {
        let blue = blue(state, id)?.clone();
        let green = Instance {
            resource_id: fresh.resource_id(),
            port: fresh.port(&ports(state), None)?,
            pending: Change::default(),
            maintenance: PendingMaintenance::new(),
            storage_changed_at: None,
            // What was backed up is the other one's.
            restorable_since: None,
            backed_up_at: None,
            ordered: Ordered::default(),
            replicas: Vec::new(),
            ..blue.clone()
        };
        Ok(Self { blue, green })
    }

    /// The names move. Both servers restart under theirs; the first backup of the new instance follows.
    ///
    /// # Errors
    /// When the instance has become busy or another one meanwhile; nothing has changed then.
    pub fn carry_out(self, state: &mut State, now: Timestamp) -> Result<(), ApiError> {
        let Self { blue: planned, green } = self;
        let (id, resource_id) = (planned.id, green.resource_id.clone());
        if blue(state, &id)?.resource_id != planned.resource_id {
            return Err(ApiError::invalid_instance_state(format!("{id} is another instance by now")));
        }
        let old = (1..u16::MAX).map(|n| format!("{id}-old{n}")).find(|old| !state.instances.contains_key(old));
        let (Some(old), Some(mut blue)) = (old, state.instances.remove(&id)) else {
            return Err(ApiError::internal());
        };
        blue.id.clone_from(&old);
        blue.phase = Phase::begin(Activity::Rebooting, now);
        state.instances.insert(old.clone(), blue);
        let phase = Phase::begin(Activity::Rebooting, now);
        state.instances.insert(id.clone(), Instance { created_at: now, restored_at: Some(now), phase, ..green });
        for resource_id in [&planned.resource_id, &resource_id] {
            state.load_parameters(resource_id);
        }
        for (from, to) in [(id.clone(), old), (format!("{id}-green-000000"), id)] {
            let message = format!("Renamed instance from {from} to {to}");
            state.record(Source::DbInstance(to), Category::ConfigurationChange, message, now);
        }
        Ok(())
    }
}

fn blue<'a>(state: &'a State, id: &str) -> Result<&'a Instance, ApiError> {
    let blue = state.instances.get(id).ok_or_else(|| ApiError::instance_not_found(id))?;
    if blue.phase.activity == Activity::Available {
        Ok(blue)
    } else {
        Err(ApiError::invalid_instance_state("only an instance that is available can be switched over"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifecycle::finish;
    use crate::testing::{Counted, at, instance};

    #[test]
    fn the_name_is_another_instances_and_the_tags_are_copies() {
        let mut state = State::default();
        let tags = [("team".to_owned(), "shop".to_owned())].into();
        let blue = Instance { tags, restorable_since: Some(at(0)), ..instance("orders") };
        state.instances.insert("orders".into(), blue);
        state.instances.insert("orders-old1".into(), instance("orders-old1"));
        let plan = Switchover::plan(&state, "orders", &mut Counted::default()).unwrap();
        plan.carry_out(&mut state, at(9)).unwrap();
        let (green, blue) = (&state.instances["orders"], &state.instances["orders-old2"]);
        assert_eq!((blue.resource_id.as_str(), blue.id.as_str()), ("db-ORDERS", "orders-old2"));
        assert!(green.resource_id != blue.resource_id && green.port != blue.port);
        assert_eq!((&green.tags, green.allocated_storage), (&blue.tags, 20));
        assert_eq!((green.restorable_since, blue.restorable_since), (None, Some(at(0))));

        let (green, blue) = (green.resource_id.clone(), blue.resource_id.clone());
        finish(&mut state, &green, at(60));
        finish(&mut state, &blue, at(60));
        assert!(matches!(state.instances["orders"].phase.activity, Activity::BackingUp { .. }));
        assert_eq!(state.instances["orders-old2"].phase.activity, Activity::Available);
    }

    #[test]
    fn what_is_busy_or_gone_is_not_switched_over() {
        let mut state = State::default();
        state.instances.insert("orders".into(), instance("orders"));
        let plan = Switchover::plan(&state, "orders", &mut Counted::default()).unwrap();
        state.instances.get_mut("orders").unwrap().phase = Phase::begin(Activity::Rebooting, at(0));
        assert!(Switchover::plan(&state, "orders", &mut Counted::default()).is_err());
        let before = state.clone();
        assert!(plan.carry_out(&mut state, at(1)).is_err());
        assert_eq!(state, before);
    }
}
