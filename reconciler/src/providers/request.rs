//! What the cloud can be asked for. A request is complete: what is sent, retried, told and shown is this one value.

mod snapshots;

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use shared::rules::Engine;

use super::listed::{digest, some, told};
use super::owner::Owner;
use super::parameters::Values;
use super::settings::Settings;
use crate::engine::Password;

pub use snapshots::{DeleteSnapshot, TakeSnapshot};

/// A change of the cloud: one call, safe to repeat.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Request {
    /// A new instance.
    Create(Create),
    /// A new instance with the data of one that was.
    Restore(Restore),
    /// Other settings.
    Modify(Modify),
    /// Another password for the master user.
    ResetMaster(ResetMaster),
    /// Marks and tags, over those of the same keys.
    Mark(MarkInstance),
    /// A snapshot of an instance.
    Snapshot(TakeSnapshot),
    /// The end of a snapshot.
    DeleteSnapshot(DeleteSnapshot),
    /// The end of an instance.
    Delete(Delete),
    /// A restart of an instance.
    Reboot(Reboot),
    /// A new group of parameters, without values.
    CreateGroup(CreateGroup),
    /// Values for a group of parameters.
    FillGroup(FillGroup),
    /// The end of a group of parameters.
    DeleteGroup(DeleteGroup),
}

/// The password of the master user, by the Secret that holds it: only the adapter looks inside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MasterPassword {
    /// The Secret.
    pub secret: String,
    /// What it holds.
    pub password: Password,
}

/// A new instance.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Create {
    /// The name to give it.
    pub identifier: String,
    /// What runs in it.
    pub engine: Engine,
    /// What is to be said of its settings; the rest is the provider's default. It is encrypted, not public, and its tags are copied to
    /// its snapshots.
    pub settings: Settings,
    /// Master user.
    pub master_user: String,
    /// Its password.
    pub master_password: MasterPassword,
    /// Whose it is.
    pub owner: Owner,
    /// The platform's tags.
    pub tags: BTreeMap<String, String>,
}

/// What a new instance is made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The snapshot of this name.
    Snapshot(String),
    /// What the instance of this `resource_id` held at a moment; none is the latest that can be restored.
    PointInTime {
        /// The instance.
        resource_id: String,
        /// The moment.
        time: Option<Timestamp>,
    },
}

/// A new instance with the data of one that was: users, passwords and the master user are those inside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Restore {
    /// The name to give it.
    pub identifier: String,
    /// Where the data comes from.
    pub origin: Origin,
    /// What is to be said of its settings; the rest comes with the data, or is the provider's default. It is not public, and its tags are copied
    /// to its snapshots.
    pub settings: Settings,
    /// Whose it is.
    pub owner: Owner,
    /// The platform's tags.
    pub tags: BTreeMap<String, String>,
}

/// A change to an instance.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Modify {
    /// The instance.
    pub identifier: String,
    /// What becomes otherwise.
    pub change: Settings,
    /// Whether all that would wait for the maintenance window is applied at once, and with it whatever waits already.
    pub at_once: bool,
    /// Whether the engine goes to another major version with it.
    pub major: bool,
}

/// Another password for the master user of an instance.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResetMaster {
    /// The instance.
    pub identifier: String,
    /// The password.
    pub master_password: MasterPassword,
}

/// Marks and tags for an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct MarkInstance {
    /// The instance, by the name that the provider's calls for tags take.
    pub resource: String,
    /// Whose it is from now on.
    pub owner: Option<Owner>,
    /// Whether it stays on purpose without an object.
    pub retained: Option<bool>,
    /// Other tags.
    pub tags: BTreeMap<String, String>,
}

/// The end of an instance.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Delete {
    /// The instance.
    pub identifier: String,
    /// The snapshot to make first; without one the data is gone.
    pub final_snapshot: Option<String>,
    /// Whether the automated backups go too.
    pub delete_automated_backups: bool,
}

/// A restart of an instance: an outage.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reboot {
    /// The instance.
    pub identifier: String,
    /// The group of parameters that its server is to take up.
    pub group: String,
}

/// A new group of parameters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CreateGroup {
    /// The name to give it.
    pub name: String,
    /// The family of servers that it is for.
    pub family: String,
    /// The cluster whose objects share it.
    pub cluster: String,
}

/// Values for a group of parameters, as many as one call takes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FillGroup {
    /// The group.
    pub name: String,
    /// What it is to set beside what it sets already.
    pub values: Values,
}

/// The end of a group of parameters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeleteGroup {
    /// The group.
    pub name: String,
}

impl FillGroup {
    /// Values that one call takes.
    pub(crate) const AT_ONCE: usize = 20;
}

impl Request {
    /// Whether an instance begins with it.
    pub(crate) fn gives_birth(&self) -> bool {
        matches!(self, Self::Create(_) | Self::Restore(_))
    }
}

/// In words for people, with all that is asked for but what a Secret holds; `{:#}` leaves out when it is made.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create(request) => request.fmt(f),
            Self::Restore(request) => request.fmt(f),
            Self::Modify(request) => request.fmt(f),
            Self::ResetMaster(request) => request.fmt(f),
            Self::Mark(request) => request.fmt(f),
            Self::Snapshot(request) => request.fmt(f),
            Self::DeleteSnapshot(request) => request.fmt(f),
            Self::Delete(request) => request.fmt(f),
            Self::Reboot(request) => request.fmt(f),
            Self::CreateGroup(request) => request.fmt(f),
            Self::FillGroup(request) => request.fmt(f),
            Self::DeleteGroup(request) => request.fmt(f),
        }
    }
}

impl fmt::Display for Create {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { identifier, engine, settings, master_user, master_password, owner, tags } = self;
        let secret = &master_password.secret;
        write!(
            f,
            "create the instance {identifier} ({engine}, {settings}, master user {master_user} with the password in {secret}, for {owner}"
        )?;
        if !tags.is_empty() {
            write!(f, ", tags {}", told(tags))?;
        }
        f.write_str(")")
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Snapshot(name) => write!(f, "the snapshot {name}"),
            Self::PointInTime { resource_id, time: Some(time) } => {
                write!(f, "the backups of {resource_id} as of {time}")
            }
            Self::PointInTime { resource_id, time: None } => write!(f, "the latest backups of {resource_id}"),
        }
    }
}

impl fmt::Display for Restore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { identifier, origin, settings, owner, tags } = self;
        write!(f, "restore the instance {identifier} from {origin} ({settings}, for {owner}")?;
        if !tags.is_empty() {
            write!(f, ", tags {}", told(tags))?;
        }
        f.write_str(")")
    }
}

impl fmt::Display for Modify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { identifier, change, at_once, major } = self;
        let what = if *major { "upgrade" } else { "change" };
        let when = if *at_once || f.alternate() { "" } else { ", what is an outage in the maintenance window" };
        write!(f, "{what} the instance {identifier}: {change}{when}")
    }
}

impl fmt::Display for ResetMaster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { identifier, master_password: MasterPassword { secret, password: _ } } = self;
        write!(f, "give the master user of the instance {identifier} the password in {secret}")
    }
}

impl fmt::Display for MarkInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resource: _, owner, retained, tags } = self;
        let owner = owner.as_ref().map(|owner| format!("mark the instance as that of {owner}"));
        let retained = retained.map(|retained| match retained {
            true => "mark the instance as left on purpose".to_owned(),
            false => "mark the instance as in use".to_owned(),
        });
        let tags = (!tags.is_empty()).then(|| format!("tag the instance: {}", told(tags)));
        f.write_str(&[owner, retained, tags].into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Display for Delete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { identifier, final_snapshot, delete_automated_backups } = self;
        match final_snapshot {
            Some(snapshot) => write!(f, "delete the instance {identifier} after the final snapshot {snapshot}")?,
            None => write!(f, "delete the instance {identifier} without a snapshot")?,
        }
        f.write_str(if *delete_automated_backups { ", with its automated backups" } else { "" })
    }
}

impl fmt::Display for Reboot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { identifier, group } = self;
        write!(f, "restart the instance {identifier}, an outage, so that it takes up the parameter group {group}")
    }
}

impl fmt::Display for CreateGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, family, cluster: _ } = self;
        write!(f, "create the parameter group {name} ({family})")
    }
}

impl fmt::Display for FillGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, values } = self;
        write!(
            f,
            "fill the parameter group {name}: {} (values {})",
            some(values.keys().map(String::as_str)),
            digest(values)
        )
    }
}

impl fmt::Display for DeleteGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name } = self;
        write!(f, "delete the parameter group {name}, which nothing uses any more")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i4_no_request_shows_a_password() {
        let master_password =
            MasterPassword { secret: "orders.rds.master".into(), password: "sesame".to_owned().into() };
        let create = Request::Create(Create {
            identifier: "orders".into(),
            engine: Engine::Postgresql,
            settings: Settings::default(),
            master_user: "sysadmin".into(),
            master_password: master_password.clone(),
            owner: Owner::default(),
            tags: BTreeMap::new(),
        });
        let reset = Request::ResetMaster(ResetMaster { identifier: "orders".into(), master_password });
        for request in [create, reset] {
            let shown = format!("{request} {request:?}");
            assert!(shown.contains("orders.rds.master") && !shown.contains("sesame"), "{shown}");
        }
    }

    #[test]
    fn a_thousand_tags_make_no_long_event() {
        let tags = (0..50).map(|number| (format!("key-{number:02}-{}", "x".repeat(100)), "v".repeat(250))).collect();
        let text = MarkInstance { tags, ..MarkInstance::default() }.to_string();
        assert!(text.len() < 1024 && text.contains("and 42 more"), "{text}");
    }
}
