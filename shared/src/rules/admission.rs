//! The answers to the questions of admission: may this be created, changed, deleted?

use jiff::civil::Date;
use serde_json::Value;

use super::defaults::{carried, defaults};
use super::draft::{Draft, read};
use super::name::{check_generate_name, check_object_name};
use super::quote::quoted;
use super::raw::{field, null_keys};
use super::reader::keyed;
use super::{Reason, Refusal, Verdict, Violation, warnings};

/// An object that asks for admission.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// `metadata.name`, which is absent while Kubernetes is yet to generate it.
    pub name: Option<&'a str>,
    /// `metadata.generateName`.
    pub generate_name: Option<&'a str>,
    /// The specification as it was received, with or without [`defaults`].
    pub spec: &'a Value,
    /// The specification in kubectl's last-applied annotation, which still has the nulls that
    /// client-side apply does not send.
    pub last_applied: Option<&'a Value>,
}

impl Subject<'_> {
    fn name_violation(&self) -> Option<Violation> {
        match (self.name, self.generate_name) {
            (Some(name), _) if !name.is_empty() => {
                check_object_name(name).err().map(|refusal| refusal.at("metadata.name"))
            }
            (_, Some(prefix)) if !prefix.is_empty() => {
                check_generate_name(prefix).err().map(|refusal| refusal.at("metadata.generateName"))
            }
            // Without either, the API server refuses by itself.
            _ => None,
        }
    }

    fn warn_of_nulls(&self, verdict: &mut Verdict) {
        for spec in [self.spec].into_iter().chain(self.last_applied) {
            warnings::about_nulls(spec, verdict);
        }
    }

    fn read(&self, spec: &Value) -> (Draft, Vec<Violation>) {
        let (draft, violations) = read(spec);
        (draft, self.name_violation().into_iter().chain(violations).collect())
    }
}

/// Whether an object may be created.
pub fn create(subject: &Subject<'_>, today: Date) -> Verdict {
    let (draft, errors) = subject.read(&defaults(subject.spec, None));
    let mut verdict = Verdict { errors, warnings: Vec::new() };
    warnings::about(&draft, today, &mut verdict);
    subject.warn_of_nulls(&mut verdict);
    verdict
}

/// Whether an object may be changed. A violation that was there before and is not touched only warns.
pub fn update(new: &Subject<'_>, old: &Subject<'_>, today: Date) -> Verdict {
    let mut verdict = Verdict::default();
    let old_spec = defaults(old.spec, None);
    let (draft, violations) = new.read(&defaults(new.spec, Some(old.spec)));
    let (old_draft, old_violations) = old.read(&old_spec);
    for violation in violations {
        if old_violations.contains(&violation) {
            verdict.warn(format!("unchanged, but still wrong: {violation}"));
        } else {
            verdict.errors.push(violation);
        }
    }
    transition(&draft, &old_draft, &mut verdict);
    dropped_by_null(new, old, &mut verdict);
    for (key, value) in carried(new.spec, Some(old.spec)) {
        let value = match value {
            Value::String(text) => text.clone(),
            _ => "its value".to_owned(),
        };
        verdict.warn(format!("spec.{key} left the manifest and keeps {value}: to change it, write it"));
    }
    warnings::about(&draft, today, &mut verdict);
    new.warn_of_nulls(&mut verdict);
    verdict
}

/// Whether an object may be deleted, by its specification.
pub fn delete(spec: &Value) -> Verdict {
    let mut verdict = Verdict::default();
    if field(spec, "deletionProtection") == Some(&Value::Bool(true)) {
        let message = "is true: set it to false before you delete the object";
        verdict.errors.push(Refusal::new(Reason::Forbidden, message).at("spec.deletionProtection"));
    }
    verdict
}

/// What may not become of what was there.
fn transition(new: &Draft, old: &Draft, verdict: &mut Verdict) {
    let mut forbid = |field: &str, message: String| {
        verdict.errors.push(Refusal::new(Reason::Forbidden, message).at(field));
    };
    let same_engine = match (new.engine, old.engine) {
        (Some(new), Some(old)) if new != old => {
            forbid(
                "spec.type",
                format!("the engine never changes: this database is {old}, and {new} needs a new object"),
            );
            false
        }
        _ => true,
    };
    if let (Some(new), Some(old)) = (&new.master_user, &old.master_user)
        && new != old
    {
        forbid("spec.masteruser", format!("RDS cannot rename the master user: it stays {}", quoted(old.as_str())));
    }
    if let (Some(new), Some(old)) = (new.version, old.version)
        && same_engine
    {
        if new.major() > old.major() {
            let message = format!(
                "a major upgrade from {} to {} is not offered yet: make a new object of version {} and move the data",
                old.major(),
                new.major(),
                new.major()
            );
            forbid("spec.version", message);
        } else if new.precedes(old) {
            forbid("spec.version", format!("RDS cannot go back from {old} to {new}"));
        }
    }
    if let (Some(new), Some(old)) = (new.size, old.size) {
        let (wanted, allocated) = (new.allocated(), old.allocated());
        if wanted < allocated {
            forbid(
                "spec.size",
                format!("RDS cannot shrink a volume: {allocated} are allocated, {wanted} would be asked for"),
            );
        } else if allocated.grown_to(wanted) > wanted {
            verdict.warn(format!(
                "spec.size: RDS grows volumes by at least 10 %: {allocated} become {} instead of {wanted}",
                allocated.grown_to(wanted)
            ));
        }
    }
    for database in old.databases.keys().filter(|database| !new.databases.contains_key(*database)) {
        verdict.warn(format!(
            "{} is kept with its data: only its users lose access",
            keyed("spec.databases", database.as_str())
        ));
    }
}

/// Client-side `kubectl apply` does not send null, so `app:` instead of `app: []` asks to remove the user `app`.
fn dropped_by_null(new: &Subject<'_>, old: &Subject<'_>, verdict: &mut Verdict) {
    for (key, what) in [("users", "the user"), ("databases", "the database")] {
        let Some(Value::Object(before)) = field(old.spec, key) else { continue };
        let written = new.last_applied.into_iter().chain([new.spec]);
        let mut nulls: Vec<&str> = written.flat_map(|spec| null_keys(spec, key)).collect();
        nulls.sort_unstable();
        nulls.dedup();
        for name in nulls {
            let existed = before.get(name).is_some_and(|value| !value.is_null());
            let remains = field(new.spec, key).and_then(|entries| field(entries, name)).is_some();
            if existed && !remains {
                let message = format!(
                    "{name}: without a value would remove {what}: write {name}: [] to keep it, or remove the line to remove it"
                );
                verdict.errors.push(Refusal::new(Reason::Invalid, message).at(keyed(&format!("spec.{key}"), name)));
            }
        }
    }
}
