//! Shows what happens to an object while it happens: its Events, the cloud's word for its state, and what it waits for.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use k8s_openapi::api::events::v1::Event;
use kube::{Api, Client, api::ListParams};

use super::narrator::Narrator;
use crate::resource::Database;

/// The pause between two looks: short enough to feel immediate.
const PAUSE: Duration = Duration::from_millis(250);

/// An object that is followed.
pub(super) struct Follower<'a> {
    narrator: &'a Narrator,
    client: Client,
    namespace: &'a str,
    name: &'a str,
    events: HashSet<String>,
    said: HashMap<&'static str, String>,
}

impl<'a> Follower<'a> {
    pub(super) fn new(narrator: &'a Narrator, client: Client, namespace: &'a str, name: &'a str) -> Self {
        Self { narrator, client, namespace, name, events: HashSet::new(), said: HashMap::new() }
    }

    /// Tells what happens until `reached` is content with the object, which is `None` once it is gone.
    pub(super) async fn until<T>(
        &mut self,
        what: &str,
        deadline: Duration,
        reached: impl Fn(Option<&Database>) -> Result<T>,
    ) -> Result<T> {
        let started = Instant::now();
        loop {
            let object = Database::read(self.client.clone(), self.namespace, self.name).await?;
            self.tell_events().await?;
            if let Some(object) = &object {
                self.tell_status(object);
            }
            match reached(object.as_ref()) {
                Ok(value) => return Ok(value),
                Err(error) if started.elapsed() > deadline => {
                    bail!("{what}: not within {} s: {error:#}", deadline.as_secs())
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    async fn tell_events(&mut self) -> Result<()> {
        let events: Api<Event> = Api::namespaced(self.client.clone(), self.namespace);
        let mut fresh: Vec<Event> = events.list(&ListParams::default()).await?.items;
        fresh.retain(|event| {
            let about = event.regarding.as_ref();
            about.is_some_and(|about| {
                about.kind.as_deref() == Some("RDSDatabase") && about.name.as_deref() == Some(self.name)
            }) && self.events.insert(event.metadata.uid.clone().unwrap_or_default())
        });
        fresh.sort_by_key(|event| event.event_time.clone().map(|time| time.0));
        for event in fresh {
            let (reason, note) = (event.reason.unwrap_or_default(), event.note.unwrap_or_default());
            self.narrator.note(format!("event   {reason}: {note}"));
        }
        Ok(())
    }

    fn tell_status(&mut self, object: &Database) {
        let cloud = object.text("/status/databaseStatus").to_owned();
        if !cloud.is_empty() {
            self.tell("RDS", cloud);
        }
        if let Some(ready) = object.condition("Ready") {
            self.tell("ready", format!("{} ({}) {}", ready.status, ready.reason, ready.message));
        }
    }

    fn tell(&mut self, kind: &'static str, text: String) {
        if self.said.get(kind) != Some(&text) {
            self.narrator.note(format!("{kind:<7} {text}"));
            self.said.insert(kind, text);
        }
    }
}
