//! I11: whatever was changed and changed back, an object at rest is as a fresh one with its last spec.

mod inside;
mod outside;

use std::collections::BTreeMap;
use std::fmt;

use reconciler::turns::Key;
use serde_json::Value;
use shared::rules::{self, DefaultVersions, Desired};

use super::rest::is_ready;
use crate::world::World;

/// Where somebody else has the alias, the first of a name perhaps, an object goes without.
const ALIAS: [&str; 2] = ["the alias", "the condition AliasReady"];

/// What is to be seen of an object that is at rest, by names: without what differs between any two of them (times, UIDs, passwords), and
/// without what a decision lets differ, of which each is named where it is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Picture(BTreeMap<String, String>);

impl Picture {
    /// Of an object that is Ready.
    pub(crate) fn of(world: &World, of: &Key) -> Option<Self> {
        let state = world.kubernetes.state();
        let object = state.databases.get(of).filter(|object| is_ready(object))?;
        let resource = object["status"]["instance"]["resourceId"].as_str()?;
        let desired = desired(of, &object["spec"])?;
        let instance = world.instance(resource)?;
        let runs = rules::EngineVersion::read(desired.engine, instance.running.engine_version.as_deref()?)?;
        // One that waits for its window to go to another major version is not what it is going to be.
        if runs.major() != desired.version.major() {
            return None;
        }
        let mut picture = Self::default();
        picture.settings(&state, object, &desired, &instance);
        picture.bindings(&state, of, &desired);
        picture.status(&object["status"], &desired);
        picture.inside(&desired, &world.servers.server(resource)?);
        Some(picture)
    }

    fn add(&mut self, name: impl fmt::Display, value: impl fmt::Debug) {
        self.0.insert(name.to_string(), format!("{value:?}"));
    }

    /// What this one shows otherwise than a fresh one.
    pub(crate) fn differs(&self, fresh: &Self) -> Option<String> {
        let Self(here) = self;
        let alone = here.get(ALIAS[1]) == fresh.0.get(ALIAS[1]);
        let mut names = here.keys().chain(fresh.0.keys()).filter(|name| alone || !ALIAS.contains(&name.as_str()));
        let shown = |of: &BTreeMap<String, String>, name| of.get(name).map_or("nothing", String::as_str).to_owned();
        let other = names.find(|name| here.get(*name) != fresh.0.get(*name))?;
        Some(format!("{other} is {}, and of a fresh one {}", shown(here, other), shown(&fresh.0, other)))
    }
}

/// What is declared; `None` where that cannot be read.
fn desired(of: &Key, spec: &Value) -> Option<Desired> {
    rules::parse(&of.name, &rules::defaults(spec, None, DefaultVersions::BUILT_IN)).ok()
}

#[test]
fn i11_what_a_fresh_object_would_have_otherwise_is_found() {
    let picture = |facts: &[(&str, &str)]| {
        let mut picture = Picture::default();
        for (name, value) in facts {
            picture.add(name, value);
        }
        picture
    };
    let fresh = picture(&[("backups are kept for", "7"), ("the user app", "logs in")]);
    assert_eq!(fresh.differs(&fresh), None);
    for (other, found) in [
        (picture(&[("backups are kept for", "1"), ("the user app", "logs in")]), "backups are kept for"),
        (picture(&[("backups are kept for", "7")]), "the user app"),
        (picture(&[("backups are kept for", "7"), ("the user app", "logs in"), ("the user etl", "")]), "the user etl"),
    ] {
        assert!(other.differs(&fresh).is_some_and(|what| what.starts_with(found)), "{found}");
    }
}
