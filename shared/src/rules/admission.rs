//! The answers to the questions of admission: may this be created, changed, deleted?

use jiff::civil::Date;
use serde_json::Value;

use super::backup;
use super::defaults::{Additions, additions};
use super::draft::{Draft, HINTS, read};
use super::kept::kept;
use super::name::{check_generate_name, check_object_name};
use super::path::{SPEC, shown_key};
use super::raw::{entries, field, is_null, present};
use super::violations::Violations;
use super::written::Written;
use super::{
    DefaultVersions, Observed, Refusal, Rule, Verdict, Violation, Warning, changes, storable, transition, warnings,
};

/// An object that asks for admission.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// `metadata.name`, which is absent while Kubernetes is yet to generate it.
    pub name: Option<&'a str>,
    /// `metadata.generateName`.
    pub generate_name: Option<&'a str>,
    /// The specification as it was received, with or without [`super::defaults`].
    pub spec: &'a Value,
    /// The specification in kubectl's last-applied annotation, which still has the nulls that
    /// client-side apply does not send.
    pub last_applied: Option<&'a Value>,
    /// What the status tells of the instance, where there is one. Only the old object's is looked at.
    pub observed: Option<&'a Observed>,
    /// What counts where the specification names no version. Only the new object's are looked at.
    pub versions: DefaultVersions,
}

impl<'a> Subject<'a> {
    /// An object with this name and specification, of which nothing else is known.
    pub const fn new(name: &'a str, spec: &'a Value) -> Self {
        Self {
            name: Some(name),
            generate_name: None,
            spec,
            last_applied: None,
            observed: None,
            versions: DefaultVersions::BUILT_IN,
        }
    }

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

    /// Reads the specification with what is filled in; nothing of it is copied. So many strangers are told who was meant.
    fn read<'b>(&self, added: &'b Additions<'_>, hints: usize) -> (Draft<'b>, Violations)
    where
        'a: 'b,
    {
        let (draft, found) = read(self.spec, added, hints);
        let mut violations = Violations::default();
        self.name_violation().into_iter().for_each(|violation| violations.push(violation));
        violations.append(found);
        (draft, violations)
    }
}

/// Whether an object may be created, as its author asks for it.
pub fn create(subject: &Subject<'_>, today: Date) -> Verdict {
    birth(subject, Written::Asked(subject.spec), today)
}

/// Whether a new object is still right when nothing is filled in any more: like [`create`], without warnings of what may have been filled in.
pub fn insert(subject: &Subject<'_>, today: Date) -> Verdict {
    birth(subject, Written::Complete { spec: subject.spec, old_spec: None, versions: subject.versions }, today)
}

fn birth(subject: &Subject<'_>, written: Written<'_>, today: Date) -> Verdict {
    let added = additions(subject.spec, None, subject.versions);
    let (draft, mut errors) = subject.read(&added, HINTS);
    let mut verdict = Verdict::default();
    storable::judge(&draft, None, &mut errors, &mut verdict);
    backup::judge(&draft, None, &mut errors, &mut verdict);
    verdict.errors = errors.finish();
    warnings::about(&draft, written, false, today, &mut verdict);
    warnings::about_nulls(subject.spec, subject.last_applied, &mut verdict);
    verdict
}

/// Whether an object may be changed, as its author asks for it: what left the manifest keeps its value, and a warning says
/// so. A violation that was there before and is not touched only warns.
pub fn update(new: &Subject<'_>, old: &Subject<'_>, today: Date) -> Verdict {
    let mut verdict = Verdict::default();
    let kept = kept(new.spec, old.spec, versions(new, old));
    for kept in &kept {
        verdict.warn(Rule::ValueKept, kept.field.as_str(), format!("{}: to change it, write it", kept.story()));
    }
    verdict.errors = change(new, old, Written::Asked(new.spec), today, &mut verdict).finish();
    for violation in &mut verdict.errors {
        // Its field is not in the manifest, so its author would look for it in vain.
        if let Some(kept) = kept.iter().find(|kept| kept.holds(&violation.field)) {
            violation.message = format!("{}; {} {}", violation.message, kept.field, kept.story());
        }
    }
    verdict
}

/// Whether a change is still right when nothing is filled in any more: like [`update`], but what the old object has and
/// the new one lost is refused, because whoever reads the new one would put the default in its place.
pub fn replace(new: &Subject<'_>, old: &Subject<'_>, today: Date) -> Verdict {
    let mut verdict = Verdict::default();
    let mut errors = Violations::default();
    let versions = versions(new, old);
    for kept in kept(new.spec, old.spec, versions) {
        let message = "is missing, though the object has it: the defaults were not filled in; apply again";
        errors.push(Refusal::new(Rule::DefaultsMissing, message).at(kept.field));
    }
    let written = Written::Complete { spec: new.spec, old_spec: Some(old.spec), versions };
    errors.append(change(new, old, written, today, &mut verdict));
    verdict.errors = errors.finish();
    verdict
}

/// The default versions of an object that may have an instance.
fn versions(new: &Subject<'_>, old: &Subject<'_>) -> DefaultVersions {
    old.observed.map_or(new.versions, |observed| new.versions.behind(observed))
}

/// Judges the new specification, with what it keeps of the old one.
fn change(
    new: &Subject<'_>,
    old: &Subject<'_>,
    written: Written<'_>,
    today: Date,
    verdict: &mut Verdict,
) -> Violations {
    let versions = versions(new, old);
    let (old_added, added) = (additions(old.spec, None, versions), additions(new.spec, Some(old.spec), versions));
    // Nobody is told what the old one should have said.
    let (old_draft, old_violations) = old.read(&old_added, 0);
    let (draft, mut errors) = new.read(&added, HINTS);
    for violation in errors.take_known(&old_violations) {
        verdict.warnings.push(still_wrong(violation));
    }
    let nothing = Observed::default();
    let observed = old.observed.unwrap_or(&nothing);
    transition::judge(&draft, &old_draft, observed, &mut errors);
    storable::judge(&draft, Some(&old_draft), &mut errors, verdict);
    backup::judge(&draft, Some(&old_draft), &mut errors, verdict);
    dropped_by_null(new, old, &mut errors);
    changes::about(&draft, &old_draft, observed, verdict);
    warnings::about(&draft, written, observed.exists(), today, verdict);
    warnings::about_nulls(new.spec, new.last_applied, verdict);
    errors
}

/// A mistake that was there before, in full or by its rule, whichever is told whole.
fn still_wrong(Violation { field, rule, message }: Violation) -> Warning {
    let told = |message| Warning { field: field.clone(), rule: Rule::UnchangedMistake, message };
    let full = told(format!("still wrong: {message}"));
    if full.is_short() { full } else { told(format!("still wrong ({rule})")) }
}

/// Whether an object may be deleted, by its specification.
pub fn delete(spec: &Value) -> Verdict {
    let mut verdict = Verdict::default();
    if field(spec, "deletionProtection") == Some(&Value::Bool(true)) {
        let message = "is true: set it to false before you delete the object";
        verdict.errors.push(Refusal::new(Rule::DeletionProtected, message).at("spec.deletionProtection"));
    }
    verdict
}

/// Client-side `kubectl apply` does not send null, so `app:` instead of `app: []` asks to remove the user `app`.
fn dropped_by_null(new: &Subject<'_>, old: &Subject<'_>, errors: &mut Violations) {
    for (key, what) in [("users", "the user"), ("databases", "the database")] {
        let (recorded, now) = (new.last_applied.and_then(|spec| entries(spec, key)), entries(new.spec, key));
        let existed = entries(old.spec, key).into_iter().flatten().filter(|(_, value)| !value.is_null());
        for (name, _) in existed {
            let nulled = [recorded, now].into_iter().flatten().any(|entries| is_null(entries, name));
            let remains = now.is_some_and(|entries| present(entries, name).is_some());
            if !nulled || remains {
                continue;
            }
            let shown = shown_key(name);
            let message = format!(
                "{shown}: without a value would remove {what}: write {shown}: [] to keep it, or remove the line to remove it"
            );
            errors.push(Refusal::new(Rule::RemovedByNull, message).at(&SPEC.field(key).key(name)));
        }
    }
}
