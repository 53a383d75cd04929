//! What a visit to the database is made with.

use std::fmt;
use std::sync::Arc;

use shared::rules::Desired;

use crate::engine::{Dialect, Login, Mark, Passwords, Server};
use crate::providers::Instance;

/// What a visit to the database is made with. While something of it is missing there is none, so no visit is planned.
#[derive(Clone)]
pub struct VisitInputs {
    /// Of all that what is found depends on: with another one, the last visit was about something else.
    pub digest: String,
    /// What is spoken to the engine with.
    pub server: Arc<dyn Server>,
    /// Where the server runs.
    pub instance: Instance,
    /// What is declared.
    pub desired: Desired,
    /// Tells what is of this object from all else.
    pub mark: Mark,
    /// The master, in the maintenance database.
    pub master: Login,
    /// Each user's password; a user whose Secret is somebody else's has none.
    pub passwords: Passwords,
}

impl VisitInputs {
    /// How the engine is spoken of.
    pub fn dialect(&self) -> &'static dyn Dialect {
        self.server.dialect()
    }
}

/// Two visits with one digest find the same.
impl PartialEq for VisitInputs {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for VisitInputs {}

impl fmt::Debug for VisitInputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.digest)
    }
}
