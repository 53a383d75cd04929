//! What a visit to the database would be made with, as far as it is there.

use sha2::{Digest as _, Sha256};
use shared::names;

use crate::engine::{Login, Mark};
use crate::plan::{SecretFact, Seen, VisitInputs, World};
use crate::providers::Instance;
use crate::subject::Target;

/// What a visit would be made with now; `None` while the endpoint or a password is missing.
pub(crate) fn visit_inputs(target: &Target, world: &World) -> Option<VisitInputs> {
    let Target { desired, server, .. } = target;
    let instance = world.instance.known()?;
    let endpoint = instance.endpoint.clone()?;
    let name = &world.object.name;
    let master = Login {
        host: endpoint.host,
        port: endpoint.port,
        user: desired.master_user.to_string(),
        password: world.password(&names::master_secret_name(name))?,
        database: server.dialect().maintenance_database().into(),
        version: None,
    };
    let passwords =
        desired.users.keys().filter_map(|user| Some((user.clone(), world.password(&names::secret_name(name, user))?)));
    Some(VisitInputs {
        digest: digest(target, world, instance, &master)?,
        server: server.clone(),
        instance: instance.clone(),
        desired: desired.clone(),
        // The instance's name is the same for an object that is created again, so that a restored database knows its users.
        mark: Mark::new(world.identifier.as_str()),
        passwords: passwords.collect(),
        master,
    })
}

fn digest(target: &Target, world: &World, instance: &Instance, master: &Login) -> Option<String> {
    let mut digest = Sha256::new();
    let mut add = |text: &str| {
        digest.update(text.len().to_be_bytes());
        digest.update(text.as_bytes());
    };
    add(instance.resource_id.as_deref().unwrap_or_default());
    add(instance.running.engine_version.as_deref().unwrap_or_default());
    add(&format!("{}:{}", master.host, master.port));
    add(&format!("{:?} {:?}", target.desired.users, target.desired.databases));
    add(world.object.recreate_databases.as_deref().unwrap_or_default());
    add(master.password.expose());
    for secret in target.desired.users.keys().map(|user| names::secret_name(&world.object.name, user)) {
        // A Secret that is somebody else's stops its own user, not the others.
        match world.secrets.get(&secret) {
            Some(Seen::Known(SecretFact::Foreign { .. })) => add("foreign"),
            // Nor does one that cannot be read.
            Some(Seen::Unknown(_)) => add("unknown"),
            _ => add(world.password(&secret)?.expose()),
        }
    }
    Some(hex::encode(digest.finalize()))
}
