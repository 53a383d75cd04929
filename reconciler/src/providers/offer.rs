//! What a provider offers and how it speaks: pure, so that plans can ask.

use std::fmt;

use shared::rules::{Engine, EngineVersion, Gibibytes, Size};

use super::model::Instance;
use super::owner::{Mark, Owner};
use super::request::Origin;
use super::settings::Settings;

/// A change of an instance, by what the provider makes of its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// They are applied at once, whatever is asked, and nobody notices.
    pub now: Settings,
    /// They wait for the maintenance window unless they are to be applied at once, and nobody notices.
    pub quiet: Settings,
    /// So do these, and they are an outage.
    pub outage: Settings,
}

/// What a provider offers, and its words for people.
pub trait Offer: fmt::Debug + Send + Sync {
    /// The provider, as classes and status name it.
    fn provider(&self) -> &'static str;
    /// Its service of managed databases, as people call it.
    fn service(&self) -> &'static str;
    /// What it calls the immutable id of an instance.
    fn resource_id(&self) -> &'static str;
    /// What is allocated for a size that is asked for: there is a least one.
    fn allocate(&self, size: Size) -> Gibibytes;
    /// What is allocated to grow from one size to another: there is a least step.
    fn grow(&self, from: Gibibytes, to: Gibibytes) -> Gibibytes;
    /// Whether an instance of an engine can have these settings; what they say nothing of is the provider's to choose.
    ///
    /// # Errors
    /// The field, its value, and what is allowed.
    fn offers(&self, engine: Engine, settings: &Settings) -> Result<(), String>;
    /// What of the settings of a new instance can be said when it is made of a backup; of the rest, what is declared is asked for later.
    fn said_at_restore(&self, settings: Settings, origin: &Origin) -> Settings;
    /// How a person permits an object to take over an instance.
    fn permit_adoption(&self, namespace: &str, name: &str) -> String;
    /// What becomes of the parts of a change of an instance that runs with these settings.
    fn impact(&self, change: &Settings, running: &Settings) -> Parts;
    /// The family of servers whose parameters those of this version are.
    fn family(&self, engine: Engine, version: EngineVersion) -> String;
    /// The parameter that lets nobody in without TLS, and its value.
    fn forces_tls(&self, engine: Engine) -> (&'static str, &'static str);
    /// How it spells a mark of ownership.
    fn mark(&self, mark: Mark) -> &'static str;
    /// How a person gives an instance its marks back.
    fn mark_again(&self, instance: &Instance, owner: &Owner) -> String;
    /// How a person restores what an instance that is gone held last, to choose a time.
    fn restore_backup(&self, resource_id: &str) -> String;
    /// A tag that the provider, or this operator, gives by itself.
    fn gives_tag(&self, key: &str) -> bool;
    /// Whether `says` names another key than `is`, as far as that can be known.
    fn is_another_key(&self, says: &str, is: &str) -> bool;
}
