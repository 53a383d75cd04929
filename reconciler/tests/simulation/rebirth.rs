//! Objects that have come to rest, made anew: with the same last spec and the same classes, in a world in which nothing ever went wrong.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use reconciler::plan::Reason;
use reconciler::turns::Key;
use serde_json::Value;

use crate::life::{Life, in_stopped_time};
use crate::mutants::Mutant;
use crate::oracle::{Picture, Violation, is_ready};
use crate::world::World;

/// Whose birth is played again.
#[derive(Debug)]
pub(crate) struct Settled {
    of: Key,
    spec: Value,
    classes: BTreeMap<String, Arc<Value>>,
    picture: Picture,
}

/// All objects that are as they should be.
pub(crate) fn settled(world: &World) -> Vec<Settled> {
    let state = world.kubernetes.state();
    let ready = state.databases.iter().filter(|(_, object)| is_ready(object));
    let settled = ready.filter_map(|(of, object)| {
        let mut spec = object["spec"].clone();
        // An object stays in the class that it was made with, whichever is the default one by now.
        match object["status"]["instance"]["className"].as_str() {
            Some(class) => spec["className"] = class.into(),
            None => drop(spec.as_object_mut()?.remove("className")),
        }
        // What it was made of is there no more, and what it holds by now is compared.
        drop(spec.as_object_mut()?.remove("restoreFrom"));
        Some(Settled { of: of.clone(), spec, classes: state.classes.clone(), picture: Picture::of(world, of)? })
    });
    settled.collect()
}

/// What of an object is otherwise than it would be of a fresh one.
pub(crate) fn otherwise(
    Settled { of, spec, classes, picture }: &Settled,
    seed: u64,
    mutant: &'static Mutant,
) -> Option<Violation> {
    in_stopped_time(async {
        let mut life = Life::begin(seed, mutant);
        let kubernetes = life.world.kubernetes.clone();
        for (name, class) in classes {
            kubernetes.class(name, Some(&class["spec"]), false);
        }
        let violation =
            |what: String, when: Duration| Violation { invariant: "I11", what: format!("{of}: {what}"), when };
        if let Err(refused) = kubernetes.apply(of, spec, false) {
            return Some(violation(refused.0, Duration::ZERO));
        }
        if let Err(restless) = life.peace().await {
            return Some(restless);
        }
        let when = life.world.time.elapsed();
        let by_design = [Reason::ClassNotPermitted, Reason::NotOffered].map(|reason| reason.to_string());
        match Picture::of(&life.world, of) {
            Some(fresh) => picture.differs(&fresh).map(|what| violation(what, when)),
            // One that stands outside a fence that was narrowed after its birth goes on as it is, and so does a volume that is larger than is written.
            None if reasons(&life.world, of).iter().any(|reason| by_design.contains(reason)) => None,
            None => Some(violation(format!("a fresh one says {:?}", reasons(&life.world, of)), when)),
        }
    })
}

fn reasons(world: &World, of: &Key) -> Vec<String> {
    let state = world.kubernetes.state();
    let conditions = state.databases.get(of).and_then(|object| object["status"]["conditions"].as_array().cloned());
    let wrong = conditions.into_iter().flatten().filter(|condition| condition["status"] == "False");
    wrong.filter_map(|condition| condition["reason"].as_str().map(str::to_owned)).collect()
}
