//! What may not become of what was there.

use super::draft::Draft;
use super::quote::quoted;
use super::reader::keyed;
use super::size::Size;
use super::violations::Violations;
use super::{EngineVersion, Observed, Reason, Refusal, Verdict};

/// Judges the step from `old`, behind which `observed` was seen, to `new`.
pub(super) fn judge(new: &Draft, old: &Draft, observed: &Observed, errors: &mut Violations, verdict: &mut Verdict) {
    let mut forbid = |field: &str, message: String| errors.push(Refusal::new(Reason::Forbidden, message).at(field));
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
    if let (Some(engine), Some(wanted), Some(written)) = (new.engine, new.version, old.version)
        && same_engine
        && let Err(message) = version(wanted, written, observed.running(engine))
    {
        forbid("spec.version", message);
    }
    if let (Some(new), Some(old)) = (new.size, old.size)
        && let Err(message) = size(new, old, observed, verdict)
    {
        forbid("spec.size", message);
    }
    for database in old.databases.keys().filter(|database| !new.databases.contains_key(*database)) {
        verdict.warn(format!(
            "{} is kept with its data: only its users lose access",
            keyed("spec.databases", database.as_str())
        ));
    }
}

/// A version is compared with the one that was written; or with the one that runs, where the new one follows an upgrade
/// that somebody else made.
fn version(wanted: EngineVersion, written: EngineVersion, running: Option<EngineVersion>) -> Result<(), String> {
    let follows = |running: &EngineVersion| running.major() == wanted.major() && wanted.major() != written.major();
    let before = running.filter(follows).unwrap_or(written);
    if wanted.major() > before.major() {
        return Err(format!(
            "a major upgrade from {} to {} is not offered yet: make a new object of version {} and move the data",
            before.major(),
            wanted.major(),
            wanted.major()
        ));
    }
    if wanted.precedes(before) {
        return Err(format!("RDS cannot go back from {before} to {wanted}"));
    }
    Ok(())
}

/// A size that was written but never allocated can be taken back.
fn size(new: Size, old: Size, observed: &Observed, verdict: &mut Verdict) -> Result<(), String> {
    let (wanted, written) = (new.allocated(), old.allocated());
    let (there, is_there) = match observed.allocated {
        Some(allocated) => (allocated, "are allocated"),
        None if observed.created => (written, "were asked for"),
        None => return Ok(()),
    };
    if wanted < written && wanted < there {
        return Err(format!(
            "RDS cannot shrink a volume: {there} {is_there}, {wanted} would be asked for; write {there} to keep it as it is"
        ));
    }
    let grown = there.grown_to(wanted);
    if wanted != written && wanted > there && grown > wanted {
        verdict
            .warn(format!("spec.size: RDS grows volumes by at least 10 %: {there} become {grown} instead of {wanted}"));
    }
    Ok(())
}
