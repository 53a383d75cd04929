//! A cluster in memory, with what the tests are about: versions that writes are checked against, other callers in between, a past that API
//! servers may still live in, and failures.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use webhook::authority::cluster::{Cluster, ClusterError, Registered, Registrar, Registration, Stored};

/// A cluster; clones share it.
#[derive(Clone, Default)]
pub struct Simulated(Arc<Mutex<State>>);

/// What the cluster holds.
#[derive(Default)]
pub struct State {
    pub now: Timestamp,
    pub secret: BTreeMap<String, Vec<u8>>,
    secret_version: u64,
    registrations: BTreeMap<&'static str, Registration>,
    /// Every bundle that was ever current, and since when.
    pub past: Vec<(Timestamp, &'static str, Vec<u8>)>,
    /// Writes that succeeded.
    pub writes: usize,
    /// Numbers that say how often others get their turn before a call is answered.
    pub turns: Vec<u8>,
    /// How long it takes until an API server has written a webhook configuration.
    pub slow: SignedDuration,
    /// The Secret cannot be read or written.
    pub no_secret: bool,
    /// Webhook configurations cannot be read or written.
    pub no_registrations: bool,
}

fn name(registrar: Registrar) -> &'static str {
    match registrar {
        Registrar::Mutating => "mutating",
        Registrar::Validating => "validating",
    }
}

fn forbidden(object: &str) -> ClusterError {
    ClusterError::Forbidden { verb: "get", object: object.to_owned() }
}

fn conflict(object: &str) -> ClusterError {
    ClusterError::Conflict { object: object.to_owned() }
}

impl Simulated {
    /// An empty Secret and two webhook configurations without a bundle, at `now`.
    pub fn new(now: Timestamp) -> Self {
        let simulated = Self::default();
        simulated.with(|state| state.now = now);
        for registrar in Registrar::ALL {
            simulated.register(registrar, b"");
        }
        simulated
    }

    pub fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().expect("no test panics inside"))
    }

    /// Somebody else writes a configuration.
    pub fn register(&self, registrar: Registrar, bundle: &[u8]) {
        self.with(|state| state.register(name(registrar), bundle));
    }

    /// cert-manager is asked to write the bundles of a configuration, or not any more.
    pub fn annotate(&self, registrar: Registrar, injected: Option<&str>) {
        self.with(|state| {
            let registration = state.registrations.get_mut(name(registrar)).expect("both are there");
            registration.injected = injected.map(str::to_owned);
        });
    }

    /// Somebody else writes the Secret.
    pub fn replace_secret(&self, data: BTreeMap<String, Vec<u8>>) {
        self.with(|state| {
            state.secret = data;
            state.secret_version += 1;
        });
    }

    /// Bundles that an API server may act on which is up to `lag` behind.
    pub fn bundles(&self, registrar: Registrar, lag: SignedDuration) -> Vec<Vec<u8>> {
        self.with(|state| {
            let of_kind = state.past.iter().filter(|(_, kind, _)| *kind == name(registrar));
            let mut bundles: Vec<(Timestamp, Vec<u8>)> = of_kind.map(|(at, _, bundle)| (*at, bundle.clone())).collect();
            let first = bundles.iter().rposition(|(at, _)| *at <= state.now - lag).unwrap_or_default();
            bundles.drain(..first);
            bundles.into_iter().map(|(_, bundle)| bundle).collect()
        })
    }

    /// Others get their turn.
    async fn others(&self) {
        let turns = self.with(|state| state.turns.pop().unwrap_or_default());
        for _ in 0..turns % 4 {
            tokio::task::yield_now().await;
        }
    }
}

impl State {
    fn register(&mut self, kind: &'static str, bundle: &[u8]) {
        let version = self.past.len().to_string();
        let injected = self.registrations.get(kind).and_then(|registration| registration.injected.clone());
        let webhooks = vec![Registered { name: "one.of.ours".into(), bundle: bundle.to_vec() }];
        self.registrations.insert(kind, Registration { version, injected, webhooks });
        self.past.push((self.now, kind, bundle.to_vec()));
    }
}

impl Cluster for Simulated {
    async fn secret(&self) -> Result<Stored, ClusterError> {
        self.others().await;
        self.with(|state| {
            if state.no_secret {
                return Err(forbidden("Secret"));
            }
            let version = state.secret_version.to_string();
            Ok(Stored { version, time: Some(state.now), data: state.secret.clone() })
        })
    }

    async fn amend(&self, version: &str, data: BTreeMap<&'static str, Option<String>>) -> Result<String, ClusterError> {
        self.others().await;
        self.with(|state| {
            if state.no_secret {
                return Err(forbidden("Secret"));
            }
            if version != state.secret_version.to_string() {
                return Err(conflict("Secret"));
            }
            for (key, value) in data {
                match value {
                    Some(value) => state.secret.insert(key.to_owned(), value.into_bytes()),
                    None => state.secret.remove(key),
                };
            }
            (state.secret_version, state.writes) = (state.secret_version + 1, state.writes + 1);
            Ok(state.secret_version.to_string())
        })
    }

    async fn registration(&self, registrar: Registrar) -> Result<Option<Registration>, ClusterError> {
        self.others().await;
        self.with(|state| {
            if state.no_registrations {
                return Err(forbidden(name(registrar)));
            }
            Ok(state.registrations.get(name(registrar)).cloned())
        })
    }

    async fn publish(&self, registrar: Registrar, read: &Registration, bundle: &str) -> Result<String, ClusterError> {
        self.others().await;
        self.with(|state| {
            if state.no_registrations {
                return Err(forbidden(name(registrar)));
            }
            if state.registrations[name(registrar)].version != read.version {
                return Err(conflict(name(registrar)));
            }
            state.now += state.slow;
            state.register(name(registrar), bundle.as_bytes());
            state.writes += 1;
            Ok(state.registrations[name(registrar)].version.clone())
        })
    }
}
