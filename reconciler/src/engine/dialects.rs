//! Which engine is spoken of how.

use shared::rules::Engine;

use super::dialect::Dialect;
use super::postgres;

/// The dialect of an engine; `None` where it is not built yet.
pub fn dialect(engine: Engine) -> Option<&'static dyn Dialect> {
    match engine {
        Engine::Postgresql => Some(postgres::DIALECT),
        Engine::MySql => None,
    }
}
