//! Engines whose types nobody outside of them knows.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use shared::rules;

use super::dialect::Dialect;
use super::port::Engine;
use super::visit::{Inside, Visit};

/// An [`Engine`] whose catalog and steps nobody else knows.
pub trait Server: Send + Sync {
    /// How the engine is spoken of.
    fn dialect(&self) -> &'static dyn Dialect;

    /// A visit, of which nothing has been done yet.
    fn visit(self: Arc<Self>) -> Box<dyn Visit>;
}

impl fmt::Debug for dyn Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.dialect().fmt(f)
    }
}

impl<E: Engine> Server for E {
    fn dialect(&self) -> &'static dyn Dialect {
        E::DIALECT
    }

    fn visit(self: Arc<Self>) -> Box<dyn Visit> {
        Box::new(Inside::new(self))
    }
}

/// The engines that this process speaks, by what a `spec.type` calls them.
#[derive(Clone, Default)]
pub struct Servers(BTreeMap<rules::Engine, Arc<dyn Server>>);

impl Servers {
    /// These, and one more.
    #[must_use]
    pub fn with(mut self, engine: rules::Engine, server: Arc<dyn Server>) -> Self {
        self.0.insert(engine, server);
        self
    }

    /// That of an engine; `None` where it is not built yet.
    pub fn of(&self, engine: rules::Engine) -> Option<Arc<dyn Server>> {
        self.0.get(&engine).cloned()
    }
}
