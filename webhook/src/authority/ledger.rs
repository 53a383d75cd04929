//! What the Secret says: which authority signs, which will sign next, and which are trusted on until their last leaf has ended.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::certificate::{Anchor, Authority, AuthorityError, BACKDATED};
use super::lifetimes::Lifetimes;

/// Keys of the Secret's data.
pub mod keys {
    /// Certificate of the authority that signs, PEM.
    pub const CURRENT_CERT: &str = "current.crt";
    /// Private key of the authority that signs, PEM.
    pub const CURRENT_KEY: &str = "current.key";
    /// Certificate of the authority that will sign next, PEM.
    pub const NEXT_CERT: &str = "next.crt";
    /// Private key of the authority that will sign next, PEM.
    pub const NEXT_KEY: &str = "next.key";
    /// Since when every webhook configuration carries it, in RFC 3339.
    pub const NEXT_TRUSTED: &str = "next.trusted-since";
    /// Certificates of authorities that sign no more, PEM; their keys are gone.
    pub const PREVIOUS_CERTS: &str = "previous.crt";
    /// Until when they are trusted at the latest, in RFC 3339.
    pub const PREVIOUS_UNTIL: &str = "previous.trusted-until";
}

/// What the Secret says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    /// Signs leaves. Absent only while the first successor of something unknown gains trust.
    pub current: Option<Authority>,
    /// Signs leaves once API servers have trusted it for long enough.
    pub next: Option<Next>,
    /// Trusted on, because leaves of theirs may be in use.
    pub previous: Vec<Anchor>,
    /// Until when.
    pub previous_until: Option<Timestamp>,
}

/// The authority that will sign next.
#[derive(Clone, Debug, PartialEq)]
pub struct Next {
    /// Its certificate and its key.
    pub authority: Authority,
    /// Since when every webhook configuration carries it.
    pub trusted_since: Option<Timestamp>,
}

/// A part of the Secret that cannot be used; it is taken as absent.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Damage {
    /// A certificate or key that makes no authority.
    #[error("{key} {error}")]
    Authority {
        /// Key of the certificate in the data.
        key: &'static str,
        /// What is wrong with it.
        error: AuthorityError,
    },
    /// A time that cannot be read.
    #[error("{key} is not a time such as 2026-11-23T00:00:00Z")]
    Time {
        /// Key of the time in the data.
        key: &'static str,
    },
}

/// A change of the ledger. What it is good for is said by [`super::plan`], which chooses it.
#[derive(Clone, Debug, PartialEq)]
pub enum Amendment {
    /// A new authority signs at once: nobody trusts anything yet.
    Found,
    /// A new authority will sign next.
    Announce,
    /// These are trusted on, although nobody has their keys.
    Adopt {
        /// Authorities that a webhook configuration carries and the Secret does not have.
        strangers: Vec<Anchor>,
        /// The current authority is one that nobody trusts yet: it has to gain trust as the next one.
        unproved: bool,
    },
    /// From now on every webhook configuration carries the next authority.
    Trust,
    /// The next authority signs, and the current one is trusted on.
    Promote,
    /// No leaf of the previous authorities is in use any more.
    Forget,
}

impl Amendment {
    /// It needs an authority that nobody had before.
    pub(super) fn needs_a_new_authority(&self) -> bool {
        matches!(self, Self::Found | Self::Announce)
    }
}

impl Ledger {
    /// Reads the data of the Secret at `now`. What is damaged is left out.
    pub fn parse(data: &BTreeMap<String, Vec<u8>>, now: Timestamp) -> (Self, Vec<Damage>) {
        let mut damages = Vec::new();
        let field = |key: &str| data.get(key).map(Vec::as_slice).filter(|value| !value.is_empty());
        let mut damaged = |key, error| damages.push(Damage::Authority { key, error });
        let mut authority = |cert, key| match (field(cert), field(key)) {
            (None, None) => None,
            (certificate, key) => Authority::parse(certificate.unwrap_or_default(), key.unwrap_or_default())
                .and_then(|authority| begun(authority, now))
                .map_err(|error| damaged(cert, error))
                .ok(),
        };
        let current = authority(keys::CURRENT_CERT, keys::CURRENT_KEY);
        let next = authority(keys::NEXT_CERT, keys::NEXT_KEY);
        let previous = Anchor::parse_bundle(field(keys::PREVIOUS_CERTS).unwrap_or_default())
            .map_err(|error| damaged(keys::PREVIOUS_CERTS, error))
            .unwrap_or_default();
        let mut time = |key| {
            let text = std::str::from_utf8(field(key)?).unwrap_or_default();
            text.trim().parse().map_err(|_| damages.push(Damage::Time { key })).ok()
        };
        let (trusted_since, previous_until) = (time(keys::NEXT_TRUSTED), time(keys::PREVIOUS_UNTIL));
        // A time that is still to come would be waited for, and says nothing.
        let trusted_since = trusted_since.filter(|since| *since <= now + 2 * BACKDATED);
        let next = next.map(|authority| Next { authority, trusted_since });
        (Self { current, next, previous, previous_until }, damages)
    }

    /// The data of the Secret: values to set, and keys to remove.
    pub fn render(&self) -> BTreeMap<&'static str, Option<String>> {
        let (current_cert, current_key) = self.current.as_ref().map(Authority::render).unzip();
        let (next_cert, next_key) = self.next.as_ref().map(|next| next.authority.render()).unzip();
        let trusted_since = self.next.as_ref().and_then(|next| next.trusted_since);
        let previous = (!self.previous.is_empty()).then(|| Anchor::render_bundle(&self.previous));
        BTreeMap::from([
            (keys::CURRENT_CERT, current_cert),
            (keys::CURRENT_KEY, current_key),
            (keys::NEXT_CERT, next_cert),
            (keys::NEXT_KEY, next_key),
            (keys::NEXT_TRUSTED, trusted_since.map(|time| time.to_string())),
            (keys::PREVIOUS_UNTIL, previous.as_ref().and(self.previous_until).map(|time| time.to_string())),
            (keys::PREVIOUS_CERTS, previous),
        ])
    }

    /// The ledger after a change at `now`. `new` is the authority for a change that [needs one](Amendment::needs_a_new_authority).
    #[must_use]
    pub(super) fn amended(
        &self,
        amendment: &Amendment,
        new: Option<Authority>,
        now: Timestamp,
        lives: &Lifetimes,
    ) -> Self {
        let mut ledger = self.clone();
        // A leaf that is signed while this is written, by someone who does not see it yet, lives that long.
        let until = now + lives.leaf + lives.overlap;
        match amendment {
            Amendment::Found => (ledger.current, ledger.next) = (new, None),
            Amendment::Announce => ledger.next = new.map(|authority| Next { authority, trusted_since: None }),
            Amendment::Adopt { strangers, unproved } => {
                if *unproved {
                    ledger.next = ledger.current.take().map(|authority| Next { authority, trusted_since: None });
                }
                ledger.retire(strangers.iter().cloned(), until);
            }
            Amendment::Trust => ledger.next = ledger.next.map(|next| Next { trusted_since: Some(now), ..next }),
            Amendment::Promote => {
                let retired = ledger.current.take();
                ledger.current = ledger.next.take().map(|next| next.authority);
                ledger.retire(retired.map(|authority| authority.anchor), until);
            }
            Amendment::Forget => (ledger.previous, ledger.previous_until) = (Vec::new(), None),
        }
        ledger.previous.retain(|anchor| !anchor.ended(now));
        ledger
    }

    fn retire(&mut self, anchors: impl IntoIterator<Item = Anchor>, until: Timestamp) {
        for anchor in anchors {
            self.previous_until = Some(self.previous_until.map_or(until, |earlier| earlier.max(until)));
            if !self.previous.contains(&anchor) {
                self.previous.push(anchor);
            }
        }
    }

    /// What API servers shall trust at `now`: everything here that has not ended.
    pub fn bundle(&self, now: Timestamp) -> Vec<Anchor> {
        let signers = self.current.iter().chain(self.next.as_ref().map(|next| &next.authority));
        let anchors = signers.map(|authority| &authority.anchor).chain(&self.previous);
        anchors.filter(|anchor| !anchor.ended(now)).cloned().collect()
    }
}

/// API servers refuse every leaf of an authority that has not begun.
fn begun(authority: Authority, now: Timestamp) -> Result<Authority, AuthorityError> {
    let not_before = authority.anchor.not_before;
    if authority.anchor.begun(now) { Ok(authority) } else { Err(AuthorityError::NotBegun(not_before)) }
}
