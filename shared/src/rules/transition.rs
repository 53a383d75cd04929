//! What may not become of what was there.

use super::draft::Draft;
use super::quote::quoted;
use super::size::Size;
use super::violations::Violations;
use super::{Engine, EngineVersion, Observed, Refusal, Rule};

/// Judges the step from `old`, behind which `observed` was seen, to `new`.
pub(super) fn judge(new: &Draft<'_>, old: &Draft<'_>, observed: &Observed, errors: &mut Violations) {
    let mut forbid = |field: &str, refusal: Refusal| errors.push(refusal.at(field));
    let same_engine = match (new.engine, old.engine) {
        (Some(new), Some(old)) if new != old => {
            forbid(
                "spec.type",
                Refusal::new(
                    Rule::EngineChanged,
                    format!("the engine never changes: this database is {old}, and {new} needs a new object"),
                ),
            );
            false
        }
        _ => true,
    };
    if let (Some(new), Some(old)) = (new.master_user, old.master_user)
        && new != old
        // Back to the one that the instance has.
        && observed.master_user.as_deref() != Some(new.as_str())
    {
        let message = format!("RDS cannot rename the master user: it stays {}", quoted(old.as_str()));
        forbid("spec.masteruser", Refusal::new(Rule::MasterUserChanged, message));
    }
    if observed.created && new.adopt.is_some() && new.adopt != old.adopt {
        let message = "this object has its instance: it takes over no other".to_owned();
        forbid("spec.adopt", Refusal::new(Rule::AdoptionChanged, message));
    }
    if let (Some(engine), Some(wanted), Some(written)) = (new.engine, new.version, old.version)
        && same_engine
        && let Err(refusal) = version(wanted, written, observed, engine, new.allow_major_upgrade)
    {
        forbid("spec.version", refusal);
    }
    if let (Some(new), Some(old)) = (new.size, old.size)
        && let Err(refusal) = size(new, old, observed)
    {
        forbid("spec.size", refusal);
    }
}

/// A version is compared with the one that was written; or with the one that runs, where the new one follows an upgrade
/// that somebody else made, or takes back one that was not made.
fn version(
    wanted: EngineVersion,
    written: EngineVersion,
    observed: &Observed,
    engine: Engine,
    allowed: bool,
) -> Result<(), Refusal> {
    let running = observed.running(engine);
    let follows = |running: &EngineVersion| running.major() == wanted.major() && wanted.major() != written.major();
    let before = running.filter(follows).unwrap_or(written);
    if wanted.major() > before.major() && !allowed {
        let message = format!(
            "a major upgrade from {} to {} is an outage and cannot be taken back: write spec.allowMajorVersionUpgrade: true beside it",
            before.major(),
            wanted.major()
        );
        return Err(Refusal::new(Rule::MajorUpgrade, message));
    }
    if wanted.precedes(before) {
        return Err(Refusal::new(Rule::VersionDowngrade, format!("RDS cannot go back from {before} to {wanted}")));
    }
    Ok(())
}

/// A size that was written but never allocated can be taken back.
fn size(new: Size, old: Size, observed: &Observed) -> Result<(), Refusal> {
    let (wanted, written) = (new.allocated(), old.allocated());
    let (there, is_there) = match observed.allocated {
        Some(allocated) => (allocated, "are allocated"),
        None if observed.created => (written, "were asked for"),
        None => return Ok(()),
    };
    if wanted < written && wanted < there {
        let message = format!(
            "RDS cannot shrink a volume: {there} {is_there}, {wanted} would be asked for; write {there} to keep it as it is"
        );
        return Err(Refusal::new(Rule::SizeShrinks, message));
    }
    Ok(())
}
