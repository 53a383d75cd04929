//! What to do next: a pure function over what the Secret says, what the webhook configurations carry, what is served, and the time.
//!
//! Authorities change in three moves, so that an API server which is told late, and a replica which reads late, both go on:
//! 1. After two thirds of the current one's life the next one is announced, and published beside it. Leaves are still of the current one.
//! 2. When every webhook configuration has carried the next one for the overlap, it becomes the current one and signs. The former one loses its
//!    key, and is published on as a previous one.
//! 3. When no leaf of it can be in use any more, it goes.
//!
//! A leaf is served only when its authority is published. Where the Secret was lost, the bundles tell whom API servers trust: they are
//! trusted on, and the new authority gains trust beside them like any other.

use std::time::Duration;

use jiff::Timestamp;

use super::certificate::{Anchor, Authority};
use super::ledger::{Amendment, Ledger};
use super::lifetimes::Lifetimes;

/// How long an API server may take to act on a webhook configuration that was changed, where waiting for the whole overlap would mean to
/// serve nobody.
pub const SETTLED: Duration = Duration::from_secs(10);

/// What is known.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// What the Secret says.
    pub ledger: &'a Ledger,
    /// A part of the Secret could not be read.
    pub damaged: bool,
    /// What each webhook configuration carries. Read before the Secret, so that it is never ahead of it.
    pub registrations: &'a [Sight],
    /// A configuration that had lost the next authority was given it back in this pass.
    pub regained: bool,
    /// What is served.
    pub served: Option<&'a Served>,
    /// The Secret can be written, as far as is known.
    pub may_amend: bool,
    /// Webhook configurations can be written, as far as is known.
    pub may_publish: bool,
    /// How long certificates live, and how long API servers have to learn of them.
    pub lives: &'a Lifetimes,
    /// By the clock of this machine, which is at most five minutes off that of the API server.
    pub now: Timestamp,
}

/// What is known of a webhook configuration.
#[derive(Clone, Debug, PartialEq)]
pub enum Sight {
    /// It could not be read.
    Unknown,
    /// It is not there, or leads elsewhere: no API server asks us because of it.
    Absent,
    /// Somebody else looks after its bundles: they are not ours to write, nor to rely on.
    Injected,
    /// The certificates that each of its webhooks carries.
    Carries(Vec<Vec<Anchor>>),
}

impl Sight {
    fn entries(&self) -> &[Vec<Anchor>] {
        match self {
            Self::Carries(entries) => entries,
            Self::Absent | Self::Unknown | Self::Injected => &[],
        }
    }

    /// Each of its webhooks carries `anchor`, as far as is known.
    pub(super) fn carries(&self, anchor: &Anchor) -> bool {
        *self != Self::Injected && self.entries().iter().all(|entry| entry.contains(anchor))
    }
}

/// A leaf that is served.
#[derive(Clone, Debug, PartialEq)]
pub struct Served {
    /// Who signed it.
    pub issuer: Anchor,
    /// When to replace it.
    pub renewal: Timestamp,
    /// Its last second.
    pub not_after: Timestamp,
}

/// Who signs a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    /// The current authority.
    Current,
    /// The next one, where there is no current one.
    Next,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Write the Secret.
    Amend(Amendment),
    /// Write the bundles of the webhook configuration with this index.
    Publish {
        /// Index into [`World::registrations`].
        registration: usize,
        /// What it shall carry.
        bundle: Vec<Anchor>,
    },
    /// Serve a new leaf.
    Serve(Signer),
    /// Nothing before this time, as far as is known.
    Rest(Option<Timestamp>),
}

/// The next step. Done again and again it comes to rest.
pub fn plan(world: &World<'_>) -> Step {
    world
        .preserve()
        .or_else(|| world.publish())
        .or_else(|| world.serve())
        .or_else(|| world.rotate())
        .unwrap_or_else(|| Step::Rest(world.next_event()))
}

impl<'a> World<'a> {
    /// Nobody loses the trust of API servers because the Secret says less than they know.
    fn preserve(&self) -> Option<Step> {
        if !self.may_amend || self.registrations.contains(&Sight::Unknown) {
            return None;
        }
        if let Some(adoption) = self.adoption() {
            return Some(Step::Amend(adoption));
        }
        let Ledger { current, next, .. } = self.ledger;
        let signs = |authority: &Authority| !authority.anchor.ended(self.now);
        if !current.as_ref().is_some_and(signs) && !next.as_ref().is_some_and(|next| signs(&next.authority)) {
            let trusting = !self.ledger.bundle(self.now).is_empty();
            return Some(Step::Amend(if trusting { Amendment::Announce } else { Amendment::Found }));
        }
        None
    }

    /// Whom the Secret should know and does not. At rest whoever is carried besides is a foreigner, and is not adopted.
    fn adoption(&self) -> Option<Amendment> {
        let current = self.ledger.current.as_ref().map(|current| &current.anchor);
        let unknown = current.is_none_or(|current| !self.carried_somewhere(current));
        let strangers = self.strangers();
        let unproved = current.is_some() && unknown && !strangers.is_empty();
        // A Secret out of a backup may have an authority that is still carried, and not the one that followed and signs by now.
        let outdated = self.living().is_none_or(|served| strangers.contains(&served.issuer));
        let missing = (unknown || outdated) && !strangers.is_empty();
        (self.damaged || missing).then_some(Amendment::Adopt { strangers, unproved })
    }

    fn publish(&self) -> Option<Step> {
        let bundle = self.ledger.bundle(self.now);
        // What is to be adopted must not be overwritten before it is.
        if !self.may_publish || bundle.is_empty() || self.adoption().is_some() {
            return None;
        }
        let same = |carried: &Vec<Anchor>| {
            carried.len() == bundle.len() && bundle.iter().all(|anchor| carried.contains(anchor))
        };
        let differs = |sight: &Sight| matches!(sight, Sight::Carries(entries) if !entries.iter().all(same));
        let registration = self.registrations.iter().position(differs)?;
        Some(Step::Publish { registration, bundle })
    }

    fn serve(&self) -> Option<Step> {
        let served = self.living();
        let due = served.is_none_or(|served| self.now >= served.renewal);
        let current = self.ledger.current.as_ref().map(|current| &current.anchor);
        if let Some(current) = current.filter(|current| !current.ended(self.now)) {
            let known = served.is_some_and(|served| served.issuer == *current);
            // Whoever was published once may sign on while the configurations cannot be read.
            let wanted = if known { due } else { self.carried_everywhere(current) };
            return wanted.then_some(Step::Serve(Signer::Current));
        }
        let next = self.ledger.next.as_ref()?;
        let settled = next.trusted_since? + self.settled() <= self.now;
        let usable = settled && !next.authority.anchor.ended(self.now);
        // A leaf of someone whom API servers have known for longer is better as long as it lives.
        let wanted = match served {
            Some(served) => due && served.issuer == next.authority.anchor,
            None => true,
        };
        (wanted && usable && self.carried_everywhere(&next.authority.anchor)).then_some(Step::Serve(Signer::Next))
    }

    fn rotate(&self) -> Option<Step> {
        if !self.may_amend {
            return None;
        }
        let Ledger { current, next, previous, previous_until } = self.ledger;
        if let Some(next) = next
            && self.carried_everywhere(&next.authority.anchor)
        {
            let over = current.as_ref().is_some_and(|current| current.anchor.ended(self.now));
            return match next.trusted_since {
                None => Some(Step::Amend(Amendment::Trust)),
                // API servers may still act on what somebody else wrote: the wait begins anew.
                Some(_) if self.regained => Some(Step::Amend(Amendment::Trust)),
                Some(since) if over || since + self.lives.overlap <= self.now => Some(Step::Amend(Amendment::Promote)),
                Some(_) => None,
            };
        }
        let forgotten = previous_until.is_some_and(|until| until <= self.now);
        if !previous.is_empty() && (forgotten || previous.iter().all(|anchor| anchor.ended(self.now))) {
            return Some(Step::Amend(Amendment::Forget));
        }
        let old = current.as_ref().is_some_and(|current| current.anchor.two_thirds() <= self.now);
        (old && next.is_none()).then_some(Step::Amend(Amendment::Announce))
    }

    /// When something of the above comes true by time alone.
    fn next_event(&self) -> Option<Timestamp> {
        let Ledger { current, next, previous_until, .. } = self.ledger;
        let rotation = current.as_ref().filter(|_| next.is_none()).map(|current| current.anchor.two_thirds());
        let trusted = next.as_ref().and_then(|next| next.trusted_since);
        [
            self.served.map(|served| served.renewal),
            rotation,
            trusted.map(|since| since + self.settled()),
            trusted.map(|since| since + self.lives.overlap),
            *previous_until,
        ]
        .into_iter()
        .flatten()
        .filter(|time| *time > self.now)
        .min()
    }

    fn settled(&self) -> Duration {
        SETTLED.min(self.lives.overlap)
    }

    /// Whom API servers trust, or may have to trust, without a word of it in the Secret.
    fn strangers(&self) -> Vec<Anchor> {
        let served = self.living().map(|served| &served.issuer);
        let known = self.ledger.bundle(self.now);
        let mut strangers: Vec<Anchor> = Vec::new();
        for anchor in self.entries().flatten().chain(served) {
            if anchor.begun(self.now)
                && !anchor.ended(self.now)
                && !known.contains(anchor)
                && !strangers.contains(anchor)
            {
                strangers.push(anchor.clone());
            }
        }
        strangers
    }

    /// What is served, as long as it holds.
    fn living(&self) -> Option<&'a Served> {
        self.served.filter(|served| self.now <= served.not_after)
    }

    fn entries(&self) -> impl Iterator<Item = &'a Vec<Anchor>> {
        self.registrations.iter().flat_map(Sight::entries)
    }

    fn carried_somewhere(&self, anchor: &Anchor) -> bool {
        self.entries().any(|entry| entry.contains(anchor))
    }

    /// Every webhook that leads here carries it, and there is one.
    fn carried_everywhere(&self, anchor: &Anchor) -> bool {
        !self.registrations.contains(&Sight::Unknown)
            && self.entries().next().is_some()
            && self.registrations.iter().all(|sight| sight.carries(anchor))
    }
}
