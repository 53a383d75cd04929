//! What RDS is made to suffer: failures that no caller asks for. An order is refused where there is nothing that could fail so.

use jiff::SignedDuration;
use rds_model::{ApiError, Quotas, State, order};

use super::history::{By, CloudEvent, Record};
use super::port::SimulatedCloud;

/// Longer than any life.
const FAR_AWAY: SignedDuration = SignedDuration::from_hours(24 * 60);

impl SimulatedCloud {
    /// The creation that is going on fails.
    pub(crate) fn fail_creation(&self, identifier: &str) -> Result<(), ApiError> {
        self.act(|state, now, told| {
            let fail = |rds: &mut State| order::fail_creation(rds, identifier, "there is no capacity", now);
            state.change(now, By::Rds, told, |_, rds, _| fail(rds))
        })
    }

    /// The next change is accepted and dropped.
    pub(crate) fn drop_change(&self, identifier: &str) -> Result<(), ApiError> {
        self.suffer(|rds| order::drop_change(rds, identifier, "the change could not be applied"))
    }

    /// The next snapshot fails, the final one among them.
    pub(crate) fn fail_snapshot(&self, identifier: &str) -> Result<(), ApiError> {
        self.suffer(|rds| order::fail_snapshot(rds, identifier))
    }

    /// The instance is shown in this state, one of RDS's words or one that nobody knows, and its rules hold; none ends it.
    pub(crate) fn show_state(&self, identifier: &str, word: Option<&str>) -> Result<(), ApiError> {
        self.suffer(|rds| order::show_status(rds, identifier, word.map(str::to_owned)))
    }

    /// The storage is full until it has grown.
    pub(crate) fn fill_storage(&self, identifier: &str) -> Result<(), ApiError> {
        self.show_state(identifier, Some("storage-full"))
    }

    /// The endpoint is shown, or is not.
    pub(crate) fn show_endpoint(&self, identifier: &str, shown: bool) -> Result<(), ApiError> {
        self.suffer(|rds| order::show_endpoint(rds, identifier, shown))
    }

    /// RDS is going to upgrade the engine by itself, in a window that is far away: until then any change that is applied at once brings it.
    pub(crate) fn require_upgrade(&self, identifier: &str) -> Result<(), ApiError> {
        self.act(|state, now, told| {
            let after = now + FAR_AWAY;
            state.change(now, By::Rds, told, |_, rds, _| order::require_upgrade(rds, identifier, after))?;
            let event = state.view().named(identifier).and_then(|instance| instance.resource_id.clone());
            let event = event.map(|resource_id| CloudEvent::UpgradeRequired { resource_id });
            told.extend(event.map(|event| Record { at: now, by: By::Rds, sent: None, event }));
            Ok(())
        })
    }

    /// The instance is gone at once, data and all.
    pub(crate) fn lose(&self, identifier: &str) -> Result<(), ApiError> {
        self.suffer(|rds| order::remove(rds, identifier).map(drop))
    }

    /// The account may have so many from now on.
    pub(crate) fn limit(&self, quotas: Quotas) {
        self.act(|state, _, _| state.limit(quotas));
    }

    fn suffer(&self, order: impl FnOnce(&mut State) -> Result<(), ApiError>) -> Result<(), ApiError> {
        self.act(|state, now, told| state.change(now, By::Rds, told, |_, rds, _| order(rds)))
    }
}
