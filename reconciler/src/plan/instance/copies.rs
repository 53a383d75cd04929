//! Copies that are kept beside the automated backups: one each time the interval has passed, for as long as the retention says.
//!
//! All of it is decided by the snapshots themselves: their names tell which moment each stands for, and the provider when it was made. How old
//! one is, is measured by the newest, never by a clock: where the clock is wrong a copy is made too early, and none goes too early.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use shared::rules::Copies;

use super::queue::NOT_YET;
use crate::plan::ground::usable;
use crate::plan::outcome::Outcome;
use crate::plan::reason::Reason;
use crate::plan::step::Step;
use crate::plan::world::{KeptCopies, Seen, World};
use crate::providers::{DeleteSnapshot, Instance, Mark, Quota, Request, Snapshot, TakeSnapshot};
use crate::subject::Target;

/// Copies that fail one after the other for the same moment: the next one would, too.
const MOST_FAILED: usize = 3;
/// So much of a quota may be in use: what is left is for final snapshots and those before upgrades.
const PERCENT: u32 = 90;
/// A copy that is being made is looked at again after this, and a question that was not answered.
const SOON: Duration = Duration::from_secs(60);
/// Whether somebody has made room is looked at again after this.
const LATER: Duration = Duration::from_secs(600);
/// How a name tells a moment, in UTC.
const MOMENT: &str = "%Y%m%d-%H%M";

/// What the status tells of the copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// How many are complete.
    pub(crate) number: usize,
    /// When the oldest and the newest of them were made.
    pub(crate) made: Option<(Timestamp, Timestamp)>,
    /// When the next one is due; `None` until there is a first.
    pub(crate) next: Option<Timestamp>,
}

/// What is done about the copies; `None` where the object asks for none.
pub(crate) fn plan(target: &Target, world: &World) -> Option<Outcome> {
    let copies = target.desired.backup.copies()?;
    if let Some(why) = copies.too_many() {
        return Some(Outcome::blocked(Reason::NotScheduled, format!("spec.backup.every: {why}")));
    }
    let Some(instance) = usable(world) else {
        return Some(Outcome::wait(Reason::WaitingForInstance, NOT_YET));
    };
    if let Err(refusal) = target.fence.copies(&target.desired) {
        return Some(refusal.into());
    }
    let kept = match Kept::of(copies, world, instance) {
        Ok(kept) => kept,
        Err(why) => return Some(unknown(why)),
    };
    let prune = kept.outlived().map(|copy| copy.snapshot.identifier.clone());
    let step = |snapshot: &String| Step::Cloud(Request::DeleteSnapshot(DeleteSnapshot { snapshot: snapshot.clone() }));
    Some(match (kept.next(target, world, instance), prune) {
        (Ok(Some((message, make))), prune) => {
            let steps = std::iter::once(make).chain(prune.as_ref().map(step)).collect();
            Outcome::Act { reason: Reason::KeepingCopy, message, steps }
        }
        (_, Some(prune)) => {
            let message =
                format!("the copy {prune} is older than {}d, and newer ones are there: it is deleted", copies.days);
            Outcome::act(Reason::PruningCopy, message, step(&prune))
        }
        (Err(outcome), None) => outcome,
        (Ok(None), None) => Outcome::done(kept.told()),
    })
}

/// Whether the copies of an object are looked for.
pub(crate) fn looked_for(target: &Target, world: &World) -> bool {
    let copies = target.desired.backup.copies();
    copies.is_some_and(|copies| copies.too_many().is_none())
        && target.fence.copies(&target.desired).is_ok()
        && usable(world).is_some()
}

/// Whether, by what is known of them, nothing is to be done about the copies, or nothing can be.
pub(crate) fn at_rest(target: &Target, world: &World) -> bool {
    with_kept(target, world, |kept, instance| {
        let due = kept.due().is_some_and(|due| instance.status.modifiable() && kept.failed(due) < MOST_FAILED);
        !due && kept.making().is_none() && kept.outlived().is_none()
    })
    .unwrap_or_default()
}

/// Whether a copy is to be made, if the account has room for it.
pub(crate) fn due(target: &Target, world: &World) -> bool {
    with_kept(target, world, |kept, _| kept.making().is_none() && kept.due().is_some()).unwrap_or_default()
}

/// What the status tells of the copies, where they are known.
pub(crate) fn told(target: &Target, world: &World) -> Option<Told> {
    with_kept(target, world, |kept, _| {
        let made = || kept.complete().map(Copy::made);
        let last = kept.last().map(|last| kept.after(last, 1));
        Told { number: kept.complete().count(), made: made().min().zip(made().max()), next: last }
    })
}

fn with_kept<T>(target: &Target, world: &World, tell: impl FnOnce(&Kept<'_>, &Instance) -> T) -> Option<T> {
    let instance = usable(world)?;
    let kept = Kept::of(target.desired.backup.copies()?, world, instance).ok()?;
    Some(tell(&kept, instance))
}

fn unknown(why: &str) -> Outcome {
    Outcome::Wait { reason: Reason::CloudUnavailable, message: why.to_owned(), until: Some(SOON) }
}

/// A copy of this very instance that this operator has made for this object, and that nobody has taken out of its hands.
#[derive(Clone, Copy)]
struct Copy<'a> {
    snapshot: &'a Snapshot,
    /// The moment that its name tells.
    stands_for: Timestamp,
}

impl<'a> Copy<'a> {
    fn of(world: &World, instance: &Instance, snapshot: &'a Snapshot) -> Option<Self> {
        let (owner, marks) = (world.owner(), &snapshot.marks);
        let same = instance.resource_id.is_some() && snapshot.resource_id == instance.resource_id;
        let named = |mark| marks.mark(mark) == Some(owner.mark(mark));
        let ours = marks.kept && [Mark::Cluster, Mark::Namespace, Mark::Name].into_iter().all(named);
        let stands_for = moment(snapshot.identifier.strip_prefix(&prefix(instance))?)?;
        (same && ours).then_some(Self { snapshot, stands_for })
    }

    fn made(self) -> Timestamp {
        self.snapshot.created.unwrap_or(self.stands_for)
    }

    fn complete(self) -> bool {
        self.snapshot.available()
    }

    /// What the next one is counted from. A name of a moment to come was given by a clock that was wrong.
    fn counts_from(self, at: Timestamp) -> Timestamp {
        match self.snapshot.created {
            Some(created) if self.stands_for <= at => created.max(self.stands_for),
            Some(created) => created,
            None => self.stands_for,
        }
    }
}

/// The copies that there are.
struct Kept<'a> {
    copies: Copies,
    /// By the clock on the wall.
    at: Timestamp,
    prefix: String,
    /// All snapshots of the instance's name: no two have one name.
    all: &'a [Snapshot],
    ours: Vec<Copy<'a>>,
}

impl<'a> Kept<'a> {
    fn of(copies: Copies, world: &'a World, instance: &Instance) -> Result<Self, &'a str> {
        let all = match world.copies.as_ref().map(|KeptCopies { snapshots, .. }| snapshots) {
            None => return Err("the copies that are kept are not known yet"),
            Some(Seen::Unknown(why)) => return Err(why),
            Some(Seen::Absent) => &[][..],
            Some(Seen::Known(all)) => all,
        };
        let ours = all.iter().filter_map(|snapshot| Copy::of(world, instance, snapshot)).collect();
        Ok(Self { copies, at: world.at, prefix: prefix(instance), all, ours })
    }

    fn complete(&self) -> impl Iterator<Item = Copy<'a>> + '_ {
        self.ours.iter().copied().filter(|copy| copy.complete())
    }

    /// What the next one is counted from: of all that did not fail.
    fn last(&self) -> Option<Timestamp> {
        let counted = self.ours.iter().filter(|copy| !copy.snapshot.failed());
        counted.map(|copy| copy.counts_from(self.at)).max()
    }

    /// One that is being made.
    fn making(&self) -> Option<Copy<'a>> {
        let newest = self.complete().map(Copy::made).max();
        let unfinished = |copy: &Copy<'_>| !copy.complete() && !copy.snapshot.failed();
        self.ours.iter().copied().filter(unfinished).find(|copy| Some(copy.made()) > newest)
    }

    /// The moment that the next copy stands for, where that has come.
    fn due(&self) -> Option<Timestamp> {
        let every = self.every();
        let (from, since) = match self.last() {
            Some(last) => (last, self.at.as_second() - last.as_second()),
            // The same for every process: an interval has one name.
            None => (Timestamp::UNIX_EPOCH, self.at.as_second()),
        };
        let passed = since.div_euclid(every);
        (passed >= 1).then(|| self.after(from, passed))
    }

    fn after(&self, from: Timestamp, times: i64) -> Timestamp {
        from.saturating_add(SignedDuration::from_secs(self.every().saturating_mul(times))).unwrap_or(Timestamp::MAX)
    }

    fn every(&self) -> i64 {
        i64::try_from(self.copies.every.as_secs()).unwrap_or(i64::MAX)
    }

    /// How many of those that stand for a moment have failed.
    fn failed(&self, due: Timestamp) -> usize {
        let name = self.name(due);
        self.ours.iter().filter(|copy| copy.snapshot.failed() && of_moment(&copy.snapshot.identifier, &name)).count()
    }

    fn name(&self, due: Timestamp) -> String {
        format!("{}{}", self.prefix, due.strftime(MOMENT))
    }

    /// The oldest that has outlived its time and is followed by a newer one that is complete.
    fn outlived(&self) -> Option<Copy<'a>> {
        let newest = self.complete().map(Copy::made).max()?;
        let kept_for = SignedDuration::from_hours(24 * i64::from(self.copies.days));
        let over = |copy: &Copy<'_>| copy.complete() || copy.snapshot.failed();
        let old = self.ours.iter().copied().filter(over).filter(|copy| newest.duration_since(copy.made()) >= kept_for);
        old.min_by_key(|copy| copy.made())
    }

    /// The copy that is to be made now; nothing, or what stands in its way.
    fn next(&self, target: &Target, world: &World, instance: &Instance) -> Result<Option<(String, Step)>, Outcome> {
        if let Some(making) = self.making() {
            let message = format!("the copy {} is {}", making.snapshot.identifier, making.snapshot.status);
            return Err(Outcome::Wait { reason: Reason::KeepingCopy, message, until: Some(SOON) });
        }
        let Some(due) = self.due() else { return Ok(None) };
        let first = self.name(due);
        if self.failed(due) >= MOST_FAILED {
            let message = format!(
                "the copy {first} has failed, {MOST_FAILED} times: see the instance's events; the next one is tried after {}",
                self.after(due, 1)
            );
            return Err(Outcome::blocked(Reason::CopyFailed, message));
        }
        if !instance.status.modifiable() {
            let message = format!("{} reports {}; then: the copy {first}", world.offer.service(), instance.status);
            return Err(Outcome::wait(Reason::InstanceBusy, message));
        }
        room(world)?;
        let others = (2_u64..).map(|number| format!("{first}-{number}"));
        let free = |name: &String| !self.all.iter().any(|snapshot| snapshot.identifier == *name);
        // There is no end of names.
        let name = std::iter::once(first.clone()).chain(others).find(free).unwrap_or_default();
        let message = format!("the copy {name} is made, and kept for {}d", self.copies.days);
        let request = TakeSnapshot {
            identifier: instance.identifier.clone(),
            snapshot: name,
            kept: true,
            owner: world.owner(),
            tags: target.tags(),
        };
        Ok(Some((message, Step::Cloud(Request::Snapshot(request)))))
    }

    fn told(&self) -> String {
        let Copies { every, days } = self.copies;
        let newest = self.complete().max_by_key(|copy| copy.made());
        let newest =
            newest.map(|copy| format!("; the newest of {} is {}", self.complete().count(), copy.snapshot.identifier));
        format!("a copy is made every {every} and kept for {days}d{}", newest.unwrap_or_default())
    }
}

/// Whether the account may have another snapshot, and leave some to others.
fn room(world: &World) -> Result<(), Outcome> {
    let quota = world.copies.as_ref().map(|KeptCopies { quota, .. }| quota);
    match quota {
        Some(Seen::Known(Quota { used, most })) if used.saturating_mul(100) >= most.saturating_mul(PERCENT) => {
            let message = format!(
                "{PERCENT} % or more of the {most} manual snapshots that the account may have in this region are there: no copy is made, and \
                 those that are there stay; delete snapshots that nobody needs, or ask {} for a higher quota",
                world.offer.service()
            );
            Err(Outcome::Blocked { reason: Reason::SnapshotQuotaNearlyFull, message, until: Some(LATER) })
        }
        Some(Seen::Known(_)) => Ok(()),
        Some(Seen::Unknown(why)) => Err(unknown(why)),
        Some(Seen::Absent) | None => Err(unknown("how many snapshots the account may have is not known yet")),
    }
}

/// Other names than those of final ones and of those before upgrades.
fn prefix(instance: &Instance) -> String {
    format!("{}-kept-", instance.identifier)
}

/// Whether a name is that of a moment, or one that took its place.
fn of_moment(name: &str, first: &str) -> bool {
    name.strip_prefix(first).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// The moment that the end of a name tells.
fn moment(end: &str) -> Option<Timestamp> {
    let (told, rest) = end.split_at_checked(MOMENT_LENGTH)?;
    let numbered = |rest: &str| rest.strip_prefix('-').is_some_and(|number| number.parse::<u32>().is_ok());
    (rest.is_empty() || numbered(rest)).then_some(())?;
    let time = DateTime::strptime(MOMENT, told).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// Such as `20261201-0400`.
const MOMENT_LENGTH: usize = 13;
