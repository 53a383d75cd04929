//! I11: whatever happened, an object that says Ready is as its spec declares: the instance, the Secrets, the Services, the server inside.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::Secret;
use reconciler::engine::postgres::DIALECT;
use reconciler::engine::{Change as _, Engine as _, Login, Mark, Passwords, Privileges as _, Question};
use reconciler::plan::doorways;
use reconciler::providers::{Endpoint, Group, Instance, Values, WantedGroup};
use reconciler::turns::Key;
use serde_json::Value;
use shared::names;
use shared::rules::{self, DatabaseName, DefaultVersions, Desired, EngineVersion, RoleName};

use super::Violation;
use super::rest::is_ready;
use crate::cluster::{State, key, text};
use crate::server::SqlServers;
use crate::world::{CLUSTER, World};

/// An object that says Ready, and what it should have led to.
struct Promise<'a> {
    of: &'a Key,
    object: &'a Value,
    desired: Desired,
    instance: Instance,
    endpoint: Endpoint,
    /// The group of parameters that the instance has, unless it is one of RDS's own.
    group: Option<Group>,
    state: &'a State,
}

/// # Errors
/// The first object that is not as it says.
pub(super) async fn as_declared(world: &World) -> Result<(), Violation> {
    let state = world.kubernetes.state();
    for (of, object) in state.databases.iter().filter(|(_, object)| is_ready(object)) {
        let wrong = match Promise::new(world, &state, of, object) {
            Ok(promise) => promise.broken(&world.servers).await,
            Err(wrong) => Some(wrong),
        };
        if let Some(wrong) = wrong {
            let what = format!("{of} is Ready, and {wrong}");
            return Err(Violation { invariant: "I11", what, when: world.time.elapsed() });
        }
    }
    Ok(())
}

impl<'a> Promise<'a> {
    fn new(world: &World, state: &'a State, of: &'a Key, object: &'a Value) -> Result<Self, String> {
        let spec = rules::defaults(&object["spec"], None, DefaultVersions::BUILT_IN);
        let desired = rules::parse(&of.name, &spec).map_err(|wrong| format!("its spec is wrong: {wrong:?}"))?;
        let resource = object["status"]["instance"]["resourceId"].as_str().unwrap_or_default();
        let instance = world.instance(resource).ok_or_else(|| format!("there is no instance {resource}"))?;
        let endpoint = instance.endpoint.clone().ok_or("its instance has no endpoint")?;
        let group = instance.running.parameter_group.as_deref();
        let group = group.and_then(|name| world.clouds.iter().find_map(|cloud| cloud.state().group(name)));
        Ok(Self { of, object, desired, instance, endpoint, group, state })
    }

    /// What is not as it should be.
    async fn broken(&self, servers: &SqlServers) -> Option<String> {
        self.ownership()
            .or_else(|| self.settings())
            .or_else(|| self.parameters())
            .or_else(|| self.of_class())
            .or_else(|| self.services())
            .or_else(|| self.secrets())
            .or(self.inside(servers).await)
    }

    fn ownership(&self) -> Option<String> {
        let (marks, uid) = (&self.instance.marks, self.object["metadata"]["uid"].as_str());
        let ours = marks.cluster.as_deref() == Some(CLUSTER) && marks.uid.as_deref() == uid;
        (!ours).then(|| format!("the instance {} is marked as another's: {marks:?}", self.instance.identifier))
    }

    fn settings(&self) -> Option<String> {
        // What waits for the maintenance window is as good as there.
        let running = self.instance.pending.clone().or(self.instance.running.clone());
        let desired = &self.desired;
        let small = running.allocated_gib < Some(desired.size.allocated().get());
        let kept = running.backup_retention_days != Some(u32::from(desired.backup.automated_days()));
        let class = desired.instance_class.is_some() && desired.instance_class != running.instance_class;
        let iops = desired.storage.iops.is_some() && desired.storage.iops != running.iops;
        let throughput = desired.storage.throughput.is_some() && desired.storage.throughput != running.throughput;
        let standby = desired.multi_az.is_some() && desired.multi_az != running.multi_az;
        let version = self.instance.running.engine_version.as_deref();
        let version = version.and_then(|text| EngineVersion::read(desired.engine, text));
        // Before an upgrade that is wanted nobody leaves paid support.
        let rises = version.is_some_and(|version| version.major() < desired.version.major());
        let support =
            desired.extended_support.is_some() && desired.extended_support != running.extended_support && !rises;
        let window = desired.maintenance_window.map(|window| window.to_string());
        let window = window.is_some() && window != running.maintenance_window;
        let open = desired.deletion_protection && running.deletion_protection != Some(true);
        (small || kept || class || iops || throughput || standby || support || window || open)
            .then(|| format!("the instance runs with {running}"))
    }

    /// What its server was given, or takes up with its next restart.
    fn parameters(&self) -> Option<String> {
        let nothing = Values::new();
        let values = self.group.as_ref().map_or(&nothing, |group| &group.values);
        if let Some((name, value)) =
            self.desired.parameters.iter().find(|(name, value)| values.get(*name) != Some(value))
        {
            return Some(format!("{name} is to be {value}, and its group says {values:?}"));
        }
        let group = self.group.as_ref().filter(|group| group.name.starts_with("matrixmind-"))?;
        let tls = group.name.contains("-tls-");
        let whole = WantedGroup::of(CLUSTER, &group.family, tls, group.values.clone()).name == group.name;
        (!whole).then(|| format!("its group {} is not whole: {:?}", group.name, group.values))
    }

    /// What the class it was made with says at any time.
    fn of_class(&self) -> Option<String> {
        let class = self.object["status"]["instance"]["className"].as_str()?;
        let class = &self.state.classes.get(class)?["spec"];
        let tags = class["tags"].as_object().into_iter().flatten();
        let lacks =
            |(tag, value): &(&String, &Value)| self.instance.tags.get(*tag).map(String::as_str) != value.as_str();
        if let Some((tag, value)) = tags.into_iter().find(lacks) {
            return Some(format!("its class gives it the tag {tag}={value}, and it has {:?}", self.instance.tags));
        }
        let groups: BTreeSet<String> = class["securityGroups"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        let has = &self.instance.running.security_groups;
        (!groups.is_empty() && has.as_ref() != Some(&groups))
            .then(|| format!("its class says {groups:?}, and it has {has:?}"))
    }

    fn services(&self) -> Option<String> {
        let own = key(&self.of.namespace, &names::service_name(&self.of.name));
        let leads = self.state.services.get(&own).and_then(|service| service.spec.as_ref()?.external_name.as_deref());
        (leads != Some(self.endpoint.host.as_str())).then(|| format!("its Service leads to {leads:?}"))
    }

    /// Every user's Secret, with the user.
    fn users(&self) -> impl Iterator<Item = (String, &RoleName)> {
        let name = &self.of.name;
        let master = (names::master_secret_name(name), &self.desired.master_user);
        let users = self.desired.users.keys().map(|user| (names::secret_name(name, user), user));
        std::iter::once(master).chain(users)
    }

    fn secret(&self, name: &str) -> Option<&Secret> {
        self.state.secrets.get(&key(&self.of.namespace, name)).map(|secret| &**secret)
    }

    fn secrets(&self) -> Option<String> {
        self.users().find_map(|(name, user)| {
            let Some(secret) = self.secret(&name) else { return Some(format!("there is no Secret {name}")) };
            let wanted = [("username", user.as_str()), ("host", &self.endpoint.host)];
            let wrong = wanted.into_iter().find(|(key, value)| text(secret, key) != Some(value));
            wrong.map(|(key, _)| format!("the {key} in {name} is {:?}", text(secret, key)))
        })
    }

    fn login(&self, user: &str, secret: &str, database: &str) -> Login {
        let password = self.secret(secret).and_then(|secret| text(secret, "password")).unwrap_or_default();
        Login {
            host: self.endpoint.host.clone(),
            port: self.endpoint.port,
            user: user.to_owned(),
            password: password.to_owned().into(),
            database: database.to_owned(),
            version: None,
        }
    }

    /// Whether the passwords log in, everybody may work where they should, and nothing is left to do.
    async fn inside(&self, servers: &SqlServers) -> Option<String> {
        let Self { desired, .. } = self;
        let mark = Mark::new(&self.instance.identifier);
        let question = Question { desired, mark: &mark, known: &BTreeMap::new() };
        let master = self.login(desired.master_user.as_str(), &names::master_secret_name(&self.of.name), "postgres");
        let catalog = match servers.look(&master, question).await {
            Ok(catalog) => catalog,
            Err(error) => return Some(format!("the master user: {error}")),
        };
        let passwords: Passwords = desired
            .users
            .keys()
            .map(|user| {
                (user.clone(), self.login(user.as_str(), &names::secret_name(&self.of.name, user), "").password)
            })
            .collect();
        let plan = SqlServers::plan(question, &passwords, &catalog);
        if let Some(step) = plan.steps.iter().find(|step| !step.is_leisurely()) {
            return Some(format!("inside there is left: {step}"));
        }
        let kept = self.object["status"]["databases"].as_object().into_iter().flatten();
        let ours: BTreeSet<DatabaseName> = kept.filter_map(|(name, _)| name.parse().ok()).collect();
        for door in doorways(DIALECT, desired) {
            let Some(user) = desired.users.keys().find(|user| user.as_str() == door.user) else { continue };
            let login = self.login(&door.user, &names::secret_name(&self.of.name, user), &door.database);
            let databases = desired.databases.iter();
            let mapped = databases.filter(|(_, users)| users.contains(user)).map(|(name, _)| name.clone()).collect();
            let faults = match servers.check_login(&login).await {
                Ok(report) => report.faults(&mapped, &ours),
                Err(error) => vec![error.to_string()],
            };
            if let Some(fault) = faults.first() {
                return Some(format!("{} in {}: {fault}", door.user, door.database));
            }
        }
        None
    }
}
