//! What the cloud and the servers tell of: it goes into the history, and what happens to an instance happens to the server in it.

use std::sync::{Arc, OnceLock, Weak};

use reconciler::engine::Password;
use reconciler::providers::Instance;
use serde_json::Value;

use crate::cloud::history::{CloudEvent, Record, Witness};
use crate::cloud::port::SimulatedCloud;
use crate::cluster::{Kubernetes, key};
use crate::history::{Event, History};
use crate::server::{self, Addresses, Distant, SqlServers};

/// What lies beneath the servers.
pub(crate) struct Ground {
    pub(crate) history: Arc<History>,
    pub(crate) kubernetes: Arc<Kubernetes>,
    pub(crate) clouds: OnceLock<Vec<Weak<SimulatedCloud>>>,
    pub(crate) servers: OnceLock<Distant>,
}

impl Ground {
    /// From now on both are known to each other.
    pub(crate) fn join(&self, clouds: &[Arc<SimulatedCloud>], servers: &SqlServers) {
        let _ = self.clouds.set(clouds.iter().map(Arc::downgrade).collect());
        let _ = self.servers.set(servers.distant());
    }

    fn instance(&self, resource_id: &str) -> Option<Instance> {
        let mut clouds = self.clouds.get()?.iter().filter_map(Weak::upgrade);
        clouds.find_map(|cloud| cloud.view().by_resource(resource_id).cloned())
    }

    /// The object that an instance is marked as that of, as it is now or was last.
    fn object(&self, instance: &Instance) -> Option<Arc<Value>> {
        let (namespace, name) = (instance.marks.namespace.as_ref()?, instance.marks.name.as_ref()?);
        self.kubernetes.last(&key(namespace, name))
    }

    /// The data of a snapshot are kept beside the servers.
    fn server_follows(&self, servers: &SqlServers, event: &CloudEvent) {
        let kept = |snapshot: &str| format!("snapshot {snapshot}");
        match event {
            CloudEvent::ServerBegan { resource_id, from_snapshot: Some(snapshot), .. } => {
                servers.copied(&kept(snapshot), resource_id);
            }
            CloudEvent::ServerBegan { resource_id, master_user, password, from_snapshot: None } => {
                let version = self.instance(resource_id).and_then(|instance| version_number(&instance));
                let password = password.clone().unwrap_or_else(|| Password::from(String::new()));
                servers.created(resource_id, version.unwrap_or(120_022), master_user, &password);
            }
            CloudEvent::MasterPassword { resource_id, password: Some(password) } => {
                servers.master_password(resource_id, password);
            }
            CloudEvent::Modified { resource_id, before, after }
                if before.running.engine_version != after.running.engine_version =>
            {
                if let Some(version) = self.instance(resource_id).and_then(|instance| version_number(&instance)) {
                    servers.upgraded(resource_id, version);
                }
            }
            CloudEvent::SnapshotBegun { snapshot } => {
                servers.copied(snapshot.resource_id.as_deref().unwrap_or_default(), &kept(&snapshot.identifier));
            }
            CloudEvent::SnapshotGone { before } => servers.gone(&kept(&before.identifier)),
            CloudEvent::InstanceGone { before } => servers.gone(before.resource_id.as_deref().unwrap_or_default()),
            _ => {}
        }
    }
}

/// `server_version_num` of what runs in an instance.
fn version_number(instance: &Instance) -> Option<u32> {
    let (major, minor) = instance.running.engine_version.as_deref()?.split_once('.')?;
    Some(major.parse::<u32>().ok()? * 10_000 + minor.parse::<u32>().ok()?)
}

impl Witness for Ground {
    fn happened(&self, record: &Record) {
        if !matches!(record.event, CloudEvent::Called { mutates: false, code: None, .. }) {
            self.history.log(record);
        }
        let object = match &record.event {
            CloudEvent::DeletionAsked { before, .. } => self.object(before),
            CloudEvent::Created { instance } => self.object(instance),
            _ => None,
        };
        self.history.happened(Event::Cloud { record: Arc::new(record.clone()), object });
        if let Some(servers) = self.servers.get().and_then(Distant::servers) {
            self.server_follows(&servers, &record.event);
        }
    }
}

impl server::Witness for Ground {
    fn happened(&self, record: &server::Record) {
        self.history.log(record);
        self.history.happened(Event::Server(Arc::new(record.clone())));
    }
}

/// Where the endpoints of the clouds lead, while the instances there serve.
pub(crate) struct Hosts(pub(crate) Vec<Arc<SimulatedCloud>>);

impl Addresses for Hosts {
    fn resource_at(&self, host: &str) -> Option<String> {
        let resource = self.0.iter().find_map(|cloud| Some((cloud.resource_at(host)?, cloud)));
        let serves = |(resource, cloud): &(String, &Arc<SimulatedCloud>)| {
            cloud.view().by_resource(resource).is_some_and(|instance| instance.status.serves())
        };
        resource.filter(serves).map(|(resource, _)| resource)
    }
}
