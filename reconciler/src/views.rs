//! The port to what the watches have seen. It lags behind: it tells when to look, and never what is true of an object.

use std::sync::Arc;

use async_trait::async_trait;

use crate::subject::GuardedClass;
use crate::turns::Key;

/// The objects and the classes, as this process has them.
#[async_trait]
pub trait Views: Send + Sync {
    /// Whether an object is being deleted, or is gone.
    fn leaving(&self, object: &Key) -> bool;
    /// How many objects there are.
    fn objects(&self) -> usize;
    /// All classes, a moment old: a class is policy, not truth. `None` where they have not all been seen within seconds.
    async fn classes(&self) -> Option<Vec<Arc<GuardedClass>>>;
}
