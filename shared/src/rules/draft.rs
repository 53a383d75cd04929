//! What a specification asks for: read with every violation collected, parsed as far as that could be, and whole.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::backup::{Backup, BackupDraft};
use super::defaults::Additions;
use super::filled::Filled;
use super::name::{DatabaseName, Name, RoleName, check_object_name};
use super::path::SPEC;
use super::people::{Databases, Users};
use super::quote::described;
use super::reader::Reader;
use super::reserved::Place;
use super::restore::RestoreFrom;
use super::storage::Storage;
use super::violations::Violations;
use super::window::WeeklyWindow;
use super::words::{check_class_name, check_instance_class, parse_deletion_policy, parse_lifecycle_support};
use super::{Engine, EngineVersion, Gibibytes, Refusal, RoleFlags, Rule, Size, Violation};
use crate::api::DeletionPolicy;
use crate::api::database::Fields;

/// What other tools call the keys of a specification, in lower case.
const KEYS_ELSEWHERE: [(&str, &str); 25] = [
    ("engine", "type"),
    ("engineversion", "version"),
    ("capacity", "size"),
    ("disk", "size"),
    ("allocatedstorage", "size"),
    ("username", "masteruser"),
    ("roles", "users"),
    ("dbs", "databases"),
    ("class", "className"),
    ("dbinstanceclass", "instanceClass"),
    ("instancetype", "instanceClass"),
    ("highavailability", "multiAZ"),
    ("preferredmaintenancewindow", "maintenanceWindow"),
    ("extendedsupport", "engineLifecycleSupport"),
    ("lifecyclesupport", "engineLifecycleSupport"),
    ("labels", "tags"),
    ("parametergroup", "parameters"),
    ("config", "parameters"),
    ("settings", "parameters"),
    ("snapshot", "restoreFrom"),
    ("recovery", "restoreFrom"),
    ("import", "adopt"),
    ("existinginstance", "adopt"),
    ("suspend", "paused"),
    ("suspended", "paused"),
];

/// The database an object asks for: a bad value cannot exist in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The engine.
    pub engine: Engine,
    /// The engine's version, of which the minor part may be left to RDS.
    pub version: EngineVersion,
    /// The size that was written; [`Size::allocated`] is what RDS is asked for.
    pub size: Size,
    /// What the storage is and does.
    pub storage: Storage,
    /// Name of the user that administers the server.
    pub master_user: RoleName,
    /// The users and their flags.
    pub users: BTreeMap<RoleName, RoleFlags>,
    /// The databases and who works in each; all of them are in `users`.
    pub databases: BTreeMap<DatabaseName, BTreeSet<RoleName>>,
    /// How often backups are made, when, and how long they are kept.
    pub backup: Backup,
    /// What a new instance is made of; none is an empty one.
    pub restore_from: Option<RestoreFrom>,
    /// The instance that is taken over instead of making one.
    pub adopt: Option<String>,
    /// Whether there is a standby in another zone; none leaves it to the class, or as it is.
    pub multi_az: Option<bool>,
    /// When the provider may make what is an outage; none leaves it to the class, or as it is.
    pub maintenance_window: Option<WeeklyWindow>,
    /// Whether the instance goes on into paid support when the standard support of its version ends; none leaves it to the class, or as it is.
    pub extended_support: Option<bool>,
    /// Tags beside those of the class.
    pub tags: BTreeMap<String, String>,
    /// Parameters of the server, as the provider is told them.
    pub parameters: BTreeMap<String, String>,
    /// The `RDSDatabaseClass`; none means the default one.
    pub class_name: Option<String>,
    /// The RDS instance class, such as `db.t4g.micro`; none means the class's.
    pub instance_class: Option<String>,
    /// What becomes of the data when the object is deleted; none means the class's default.
    pub deletion_policy: Option<DeletionPolicy>,
    /// Whether the instance is protected from deletion.
    pub deletion_protection: bool,
    /// Whether what is an outage is made at once instead of in the maintenance window.
    pub apply_immediately: bool,
    /// Whether the version may be of a later major than the one that runs.
    pub allow_major_upgrade: bool,
    /// Whether the reconciler leaves everything as it is.
    pub paused: bool,
}

/// What the reconciler works on: the parsed form of a specification to which [`super::defaults`] were applied.
///
/// # Errors
/// Every violation, in the order of the fields.
pub fn parse(name: &str, spec: &Value) -> Result<Desired, Vec<Violation>> {
    let nothing = Additions::default();
    let (draft, violations) = read(spec, &nothing, HINTS);
    let mut violations = violations.finish();
    if let Err(refusal) = check_object_name(name) {
        violations.insert(0, refusal.at("metadata.name"));
    }
    match draft.finish() {
        Some(desired) if violations.is_empty() => Ok(desired),
        _ if violations.is_empty() => {
            Err(vec![Refusal::new(Rule::DefaultsMissing, "is incomplete: its defaults were not applied").at("spec")])
        }
        _ => Err(violations),
    }
}

/// The fields of a specification that could be parsed, where they were written.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft<'a> {
    pub(super) engine: Option<Engine>,
    pub(super) version: Option<EngineVersion>,
    pub(super) size: Option<Size>,
    pub(super) storage: Storage,
    pub(super) master_user: Option<Name<'a>>,
    pub(super) users: Users<'a>,
    pub(super) databases: Databases<'a>,
    pub(super) backup: BackupDraft,
    pub(super) restore_from: Option<RestoreFrom>,
    pub(super) adopt: Option<String>,
    pub(super) multi_az: Option<bool>,
    pub(super) maintenance_window: Option<WeeklyWindow>,
    pub(super) extended_support: Option<bool>,
    pub(super) tags: BTreeMap<&'a str, &'a str>,
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) class_name: Option<&'a str>,
    pub(super) instance_class: Option<&'a str>,
    pub(super) deletion_policy: Option<DeletionPolicy>,
    pub(super) deletion_protection: bool,
    pub(super) apply_immediately: bool,
    pub(super) allow_major_upgrade: bool,
    pub(super) paused: bool,
}

impl Draft<'_> {
    fn finish(self) -> Option<Desired> {
        Some(Desired {
            engine: self.engine?,
            version: self.version?,
            size: self.size?,
            storage: self.storage,
            master_user: self.master_user?.role(),
            users: self.users.into_iter().map(|(name, flags)| (name.role(), flags)).collect(),
            databases: self
                .databases
                .into_iter()
                .map(|(name, members)| (name.database(), members.into_iter().map(Name::role).collect()))
                .collect(),
            backup: self.backup.finish()?,
            restore_from: self.restore_from,
            adopt: self.adopt,
            multi_az: self.multi_az,
            maintenance_window: self.maintenance_window,
            extended_support: self.extended_support,
            tags: self.tags.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            parameters: self.parameters,
            class_name: self.class_name.map(str::to_owned),
            instance_class: self.instance_class.map(str::to_owned),
            deletion_policy: self.deletion_policy,
            deletion_protection: self.deletion_protection,
            apply_immediately: self.apply_immediately,
            allow_major_upgrade: self.allow_major_upgrade,
            paused: self.paused,
        })
    }
}

/// How many users of databases who are not in `spec.users` are told who was probably meant: each is compared with every user.
pub(super) const HINTS: usize = 10;

/// Reads a specification with what is filled in, and gives at most so many hints that take long to find.
pub(super) fn read<'a>(spec: &'a Value, added: &'a Additions<'_>, hints: usize) -> (Draft<'a>, Violations) {
    let mut reader = Reader { hints, ..Reader::default() };
    let draft = if spec.is_null() || spec.is_object() {
        reader.spec(spec, added)
    } else {
        reader.refuse(&SPEC, Rule::WrongType, format_args!("must be a map of fields, not {}", described(spec)));
        Draft::default()
    };
    (draft, reader.violations)
}

impl Reader {
    fn spec<'a>(&mut self, written: &'a Value, added: &'a Additions<'_>) -> Draft<'a> {
        let spec = added.to_spec(written);
        let engine = self.required_text(&spec, &SPEC, "type");
        let engine = engine.and_then(|text| self.take(&SPEC.field("type"), Engine::parse(text)));
        // Names and versions are judged as PostgreSQL's while the type is not known; a version is not judged at all.
        let named_by = engine.unwrap_or(Engine::Postgresql);
        let version = engine.and_then(|engine| self.version(engine, &spec));
        let size = self.quantity(&spec, &SPEC, "size", ("GB", Rule::MalformedSize));
        let size = size.and_then(|text| self.take(&SPEC.field("size"), Size::parse(text)));
        let storage = self.storage(&spec);
        if let (Some(size), Some(most)) = (size, storage.max_size())
            && let least = size.allocated().grown_to(Gibibytes::new(size.allocated().get() + 1))
            && most.gibibytes() < least
        {
            let message = format_args!("{most} leaves no room to grow from spec.size: write {least} or more");
            self.refuse(
                &SPEC.field("storage").field("autoscaling").field("maxSize"),
                Rule::AutoscalingBelowSize,
                message,
            );
        }
        let master_user = self.required_text(&spec, &SPEC, "masteruser");
        let master_user = master_user
            .and_then(|text| self.take(&SPEC.field("masteruser"), Name::parse(named_by, Place::Master, text)));
        let (users, databases) = self.people(named_by, &spec, master_user);
        let backup = self.backup(&spec, added);
        let (restore_from, adopt) = self.origin(&spec);
        let multi_az = self.choice(&spec, &SPEC, "multiAZ");
        let maintenance_window = self.text(&spec, &SPEC, "maintenanceWindow");
        let maintenance_window =
            maintenance_window.and_then(|text| self.take(&SPEC.field("maintenanceWindow"), WeeklyWindow::parse(text)));
        if let (Some(daily), Some(weekly)) = (backup.window, maintenance_window)
            && daily.overlaps(weekly)
        {
            let message = format_args!("{weekly} overlaps spec.backup.window ({daily}), which RDS does not take");
            self.refuse(&SPEC.field("maintenanceWindow"), Rule::WindowsOverlap, message);
        }
        let extended_support = self.text(&spec, &SPEC, "engineLifecycleSupport");
        let extended_support = extended_support
            .and_then(|text| self.take(&SPEC.field("engineLifecycleSupport"), parse_lifecycle_support(text)));
        let tags = self.tags(&spec);
        let parameters = self.parameters(&spec);
        let class_name = self.text(&spec, &SPEC, "className");
        let class_name = class_name.and_then(|text| self.take(&SPEC.field("className"), check_class_name(text)));
        let instance_class = self.text(&spec, &SPEC, "instanceClass");
        let instance_class =
            instance_class.and_then(|text| self.take(&SPEC.field("instanceClass"), check_instance_class(text)));
        let deletion_policy = self.text(&spec, &SPEC, "deletionPolicy");
        let deletion_policy =
            deletion_policy.and_then(|text| self.take(&SPEC.field("deletionPolicy"), parse_deletion_policy(text)));
        let deletion_protection = self.boolean(&spec, &SPEC, "deletionProtection");
        let apply_immediately = self.boolean(&spec, &SPEC, "applyImmediately");
        let allow_major_upgrade = self.boolean(&spec, &SPEC, "allowMajorVersionUpgrade");
        let paused = self.boolean(&spec, &SPEC, "paused");
        self.unknown_keys(written, &SPEC, &Fields::KEYS, &KEYS_ELSEWHERE);
        Draft {
            engine,
            version,
            size,
            storage,
            master_user,
            users,
            databases,
            backup,
            restore_from,
            adopt,
            multi_az,
            maintenance_window,
            extended_support,
            tags,
            parameters,
            class_name,
            instance_class,
            deletion_policy,
            deletion_protection,
            apply_immediately,
            allow_major_upgrade,
            paused,
        }
    }

    fn version(&mut self, engine: Engine, spec: &Filled<'_>) -> Option<EngineVersion> {
        let field = SPEC.field("version");
        match self.required(spec, &SPEC, "version")? {
            Value::String(text) => {
                let text = self.bounded(text, &field)?;
                self.take(&field, EngineVersion::parse(engine, text))
            }
            Value::Number(number) if number.is_f64() => {
                let message = format_args!(
                    "{number} without quotes is a number, and 12.10 would be the same as 12.1: quote it, such as \"{number}\""
                );
                self.refuse(&field, Rule::UnquotedVersion, message);
                None
            }
            Value::Number(number) => self.take(&field, EngineVersion::parse(engine, &number.to_string())),
            other => {
                let message = format_args!("must be a text or a whole number, not {}", described(other));
                self.refuse(&field, Rule::WrongType, message);
                None
            }
        }
    }
}
