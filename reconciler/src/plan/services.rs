//! The two Services that lead to the endpoint.

use std::time::Duration;

use super::ground::usable;
use super::outcome::Outcome;
use super::reason::Reason;
use super::step::{ClusterStep, ServicePlace, Step};
use super::world::{Seen, ServiceFact, World};
use crate::subject::Target;

pub(super) fn service(target: &Target, world: &World) -> Outcome {
    if world.object.namespace_terminating {
        return Outcome::wait(Reason::NamespaceTerminating, "the namespace is being deleted");
    }
    converge(target, world, &world.service, ServicePlace::Own)
}

pub(super) fn alias(target: &Target, world: &World) -> Option<Outcome> {
    world.alias.as_ref().map(|seen| converge(target, world, seen, ServicePlace::Alias))
}

fn converge(target: &Target, world: &World, seen: &Seen<ServiceFact>, place: ServicePlace) -> Outcome {
    let name = place.service(&world.object.name);
    let served = usable(world).filter(|instance| instance.status.serves());
    let Some(endpoint) = served.and_then(|instance| instance.endpoint.as_ref()) else {
        return match seen {
            // Through a passing state of the instance the Service stays as it is.
            Seen::Known(ServiceFact::Ours { .. }) => Outcome::done(format!("Service {name}")),
            _ => Outcome::wait(Reason::WaitingForInstance, "the Service follows when the instance is available"),
        };
    };
    let (external_name, port, dialect) = (endpoint.host.clone(), endpoint.port, target.dialect());
    match seen {
        Seen::Unknown(why) => Outcome::Wait {
            reason: Reason::ClusterUnavailable,
            message: format!("the Service {name} could not be read: {why}"),
            until: Some(Duration::from_secs(30)),
        },
        Seen::Absent => {
            let step = ClusterStep::CreateService { place, external_name, port, dialect };
            Outcome::act(Reason::CreatingService, format!("Service {name} is being created"), Step::Cluster(step))
        }
        Seen::Known(ServiceFact::Foreign { owner }) => Outcome::Blocked {
            reason: Reason::ServiceNotOurs,
            message: format!(
                "the Service {name} belongs to {owner}: it is left alone; rename the object, or delete that Service"
            ),
            until: Some(Duration::from_secs(30)),
        },
        Seen::Known(ServiceFact::Ours { external_name: found, port: found_port, .. })
            if *found == external_name && *found_port == Some(i32::from(port)) =>
        {
            Outcome::done(format!("Service {name} leads to {found}"))
        }
        Seen::Known(ServiceFact::Ours { version, .. }) => {
            let step = ClusterStep::UpdateService { place, external_name, port, dialect, version: version.clone() };
            Outcome::act(Reason::UpdatingService, format!("Service {name} follows the endpoint"), Step::Cluster(step))
        }
    }
}
