//! An upgrade to another major version: where a word allows it, users and databases are as declared, and a snapshot of its own is there.
//!
//! What came of a try shows in the version that runs, and in the report of the checks before it. All is decided by what is seen now: a process
//! that has just begun, or two of them, come to the same.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shared::api::UpgradeRef;
use shared::rules::EngineVersion;

use super::parameters;
use super::queue::{Ask, Standing, ask};
use crate::clock::Moment;
use crate::plan::ground::usable;
use crate::plan::outcome::Outcome;
use crate::plan::reason::Reason;
use crate::plan::step::Step;
use crate::plan::world::{Passage, Seen, SqlReport, World};
use crate::providers::{Instance, Request, Settings, Snapshot, TakeSnapshot, UpgradeReport, Upgrades};
use crate::subject::Target;

/// A snapshot that is older than this is followed by another one before the next try.
const FRESH: SignedDuration = SignedDuration::from_hours(24);
/// Between a try that its checks have stopped and the next; from then on it doubles.
const PAUSE: SignedDuration = SignedDuration::from_mins(15);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// What cannot be asked is asked again after this.
const AGAIN: Duration = Duration::from_secs(10);

/// What comes of the wish for another major version than the one that runs.
pub(super) fn plan(
    target: &Target,
    world: &World,
    instance: &Instance,
    running: EngineVersion,
    now: Moment,
) -> Outcome {
    let (desired, service) = (&target.desired, world.offer.service());
    let wanted = desired.version;
    if wanted.major() < running.major() {
        let message = format!(
            "spec.version asks for {wanted} and {service} runs {running}, which it cannot take back: set spec.version: \"{}\"",
            running.major()
        );
        return Outcome::blocked(Reason::MajorVersionDiffers, message);
    }
    // What was asked for waits, with its snapshot made, until it is withdrawn.
    let coming = instance.pending.engine_version.as_deref();
    if let Some(coming) = coming.filter(|coming| read(target, coming).is_some_and(|to| to.major() == wanted.major())) {
        return asked(target, world, instance, coming.to_owned(), now);
    }
    if !desired.allow_major_upgrade {
        let message = format!(
            "spec.version asks for {wanted} and {service} runs {running}: the upgrade is an outage and cannot be taken back; set \
             spec.allowMajorVersionUpgrade: true for it, or spec.version: \"{}\"",
            running.major()
        );
        return Outcome::blocked(Reason::MajorVersionDiffers, message);
    }
    if let Err(refusal) = target.fence.version(desired) {
        return refusal.into();
    }
    let (at, upgrades) = match &world.passage {
        Some(Passage { at, upgrades: Seen::Known(upgrades) }) => (*at, upgrades),
        Some(Passage { upgrades: Seen::Unknown(why), .. }) => return unknown(why),
        _ => return unknown("what the version can be upgraded to is not known yet"),
    };
    // Rights that only the old version gives are given before it goes.
    if !world.current_visit().is_some_and(|visit| visit.result.as_ref().is_ok_and(SqlReport::settled)) {
        let message = "the upgrade waits until users and databases are as declared".to_owned();
        return Outcome::Wait { reason: Reason::WaitingForDatabases, message, until: None };
    }
    let Upgrades { targets, report } = upgrades;
    let Some(version) = towards(target, running, targets) else {
        let message = format!(
            "spec.version: {service} does not upgrade {running} to {wanted}; it goes to {}: set spec.version to one of them first",
            if targets.is_empty() { "nothing else".to_owned() } else { targets.join(", ") }
        );
        return Outcome::blocked(Reason::NotOffered, message);
    };
    if read(target, version).is_some_and(|step| step.major() == running.major()) {
        return asked(target, world, instance, version.to_owned(), now);
    }
    // Why it is not tried now: a try has come to nothing. What its checks have said is told before another snapshot is made.
    let since = since(target, world, instance);
    if let Some(stopped) = report.as_ref().filter(|report| since.is_some_and(|since| report.written >= since)) {
        if let Some(blocked) = since.and_then(|since| paused((version, running), stopped, since, at)) {
            return blocked;
        }
    } else if world.ledger.upgrade_without_effect(version, now) {
        return without_effect((version, running));
    }
    match snapshot(target, world, instance, at) {
        Ok(()) => asked(target, world, instance, version.to_owned(), now),
        Err(outcome) => outcome,
    }
}

/// The upgrade that is wanted, as the status tells of it: once its snapshot is there.
pub(crate) fn told(target: &Target, world: &World) -> Option<UpgradeRef> {
    let instance = usable(world)?;
    let running = instance.running.engine_version.as_deref()?;
    let wanted = target.desired.version;
    world.passage.as_ref().filter(|_| read(target, running).is_some_and(|runs| runs.major() < wanted.major()))?;
    let made = ours(target, world, instance).filter(|snapshot| snapshot.available()).max_by_key(|made| made.created)?;
    Some(UpgradeRef { from: running.to_owned(), to: wanted.to_string(), snapshot: made.identifier.clone() })
}

fn read(target: &Target, version: &str) -> Option<EngineVersion> {
    EngineVersion::read(target.desired.engine, version)
}

fn unknown(why: &str) -> Outcome {
    Outcome::Wait { reason: Reason::CloudUnavailable, message: why.to_owned(), until: Some(AGAIN) }
}

/// The next version on the way: the wanted one, or, where the running one does not reach it, the newest of its own major.
fn towards<'a>(target: &Target, running: EngineVersion, targets: &'a [String]) -> Option<&'a str> {
    let wanted = target.desired.version;
    let all = || targets.iter().filter_map(|text| Some((read(target, text)?, text.as_str())));
    let newest = |fits: &dyn Fn(EngineVersion) -> bool| all().filter(|(version, _)| fits(*version)).max();
    let reached = newest(&|version| wanted.covers(version));
    let step = || newest(&|version| version.major() == running.major() && version > running);
    // An exact version that is not offered is not offered after another step either.
    let later = || wanted.minor().is_none() || !all().any(|(version, _)| version.major() == wanted.major());
    reached.or_else(|| step().filter(|_| later())).map(|(_, text)| text)
}

/// Changes the version, when an outage may be; another major one with the group of parameters of its family.
fn asked(target: &Target, world: &World, instance: &Instance, version: String, now: Moment) -> Outcome {
    let wanted = target.desired.version;
    let rises = read(target, &version).is_some_and(|to| to.major() == wanted.major());
    let group = if rises { parameters::group(target, world, wanted) } else { Ok(None) };
    let parameter_group = match group {
        Ok(group) => group,
        Err(outcome) => return outcome,
    };
    let declared = Settings { engine_version: Some(version), ..Settings::default() };
    let with_group = |part: Settings| Settings { parameter_group: parameter_group.clone(), ..part };
    let standing = Standing::of(target, world, instance, now, instance.status.modifiable());
    // Whether it is offered, the targets have told.
    match ask(&standing, &declared, with_group, |_| None) {
        Ask::Say(outcome) => outcome,
        Ask::UnderWay(coming, until) => {
            Outcome::Wait { reason: Reason::Modifying, message: coming.from(&instance.running), until }
        }
        Ask::Nothing => {
            Outcome::wait(Reason::Modifying, format!("the upgrade to {} is under way", target.desired.version))
        }
    }
}

/// The snapshots of this very instance before upgrades to the wanted major version.
fn ours<'a>(target: &Target, world: &'a World, instance: &'a Instance) -> impl Iterator<Item = &'a Snapshot> {
    let prefix = prefix(target, instance);
    let made = world.snapshots.known().into_iter().flatten();
    made.filter(move |made| made.resource_id == instance.resource_id && made.identifier.starts_with(&prefix))
}

/// Other names than those of final ones, and told apart by the instance that they are of: a name is used again.
fn prefix(target: &Target, instance: &Instance) -> String {
    let major = target.desired.version.major().to_string().replace('.', "-");
    format!("{}-before-{major}-", instance.identifier)
}

/// Since when the upgrade is being tried: the first of the snapshots that follow each other as tries that fail do.
fn since(target: &Target, world: &World, instance: &Instance) -> Option<Timestamp> {
    let made = ours(target, world, instance).filter(|made| made.available());
    let mut times: Vec<_> = made.filter_map(|made| made.created).collect();
    times.sort_unstable_by(|one, other| other.cmp(one));
    let together = LONGEST_PAUSE.saturating_add(FRESH);
    times.into_iter().reduce(|first, before| if first.duration_since(before) <= together { before } else { first })
}

/// That there is a snapshot to come back to, complete and fresh; or what is to be done for it.
fn snapshot(target: &Target, world: &World, instance: &Instance, at: Timestamp) -> Result<(), Outcome> {
    if let Seen::Unknown(why) = &world.snapshots {
        return Err(unknown(why));
    }
    let fresh =
        |made: &&Snapshot| made.available() && made.created.is_some_and(|created| at.duration_since(created) < FRESH);
    if ours(target, world, instance).any(|made| fresh(&made)) {
        return Ok(());
    }
    let unfinished = |made: &&Snapshot| !made.available() && !made.failed();
    if let Some(making) = ours(target, world, instance).find(unfinished) {
        let message = format!("the upgrade to {} waits for the snapshot {}", target.desired.version, making.identifier);
        return Err(Outcome::wait(Reason::TakingSnapshot, message));
    }
    let prefix = prefix(target, instance);
    // The names of all, whatever they are of.
    let taken = world.snapshots.known().into_iter().flatten();
    let numbers = taken.filter_map(|made| made.identifier.strip_prefix(&prefix)?.parse::<u32>().ok());
    let next = numbers.max().unwrap_or_default().saturating_add(1);
    let name = format!("{prefix}{next}");
    let message = format!("the snapshot {name} is made before the upgrade to {}", target.desired.version);
    if !instance.status.modifiable() {
        let message = format!("{} reports {}; then: {message}", world.offer.service(), instance.status);
        return Err(Outcome::wait(Reason::InstanceBusy, message));
    }
    let request = TakeSnapshot {
        identifier: instance.identifier.clone(),
        snapshot: name,
        kept: false,
        owner: world.owner(),
        tags: target.tags(),
    };
    Err(Outcome::act(Reason::TakingSnapshot, message, Step::Cloud(Request::Snapshot(request))))
}

/// What its checks have found, until it is tried again: after as long as it has failed.
fn paused(
    (version, runs): (&str, EngineVersion),
    report: &UpgradeReport,
    since: Timestamp,
    at: Timestamp,
) -> Option<Outcome> {
    let pause = report.written.duration_since(since).clamp(PAUSE, LONGEST_PAUSE);
    let next = report.written.saturating_add(pause).unwrap_or(Timestamp::MAX);
    // A clock that was set back makes no longer pause of it.
    let left = next.duration_since(at).min(pause);
    let left = Duration::try_from(left).ok().filter(|left| !left.is_zero())?;
    let message = format!(
        "the upgrade to {version} was not begun, and {runs} runs on; the checks before it found: {} It is tried again after {}",
        report.text,
        next.round(jiff::Unit::Second).unwrap_or(next)
    );
    Some(Outcome::Blocked { reason: Reason::UpgradeBlocked, message, until: Some(left) })
}

fn without_effect((version, runs): (&str, EngineVersion)) -> Outcome {
    let message = format!(
        "the upgrade to {version} came to nothing, and {runs} runs on: the instance's events and logs say why; it is asked for again when \
         spec.version was taken back and written anew"
    );
    Outcome::blocked(Reason::UpgradeBlocked, message)
}
