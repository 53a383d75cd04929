//! What this process wrote itself: a watch tells of it as of any other change, and it is no news.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::port::Version;

/// Writes that are remembered: a watch lags by seconds, not by more of them.
const KEPT: usize = 1024;

/// The last writes of this process. Clones are handles to the same.
///
/// A write is made on the very version that a pass has read, so nothing of anybody else's hides behind it; a pass that has done something is
/// followed by another without being called. One that is forgotten, or of which the watch tells before the answer comes, costs a pass.
#[derive(Clone, Debug, Default)]
pub struct Echoes(Arc<Mutex<VecDeque<Version>>>);

impl Echoes {
    /// This process has written that.
    pub fn wrote(&self, written: Version) {
        let mut last = self.lock();
        if last.len() == KEPT {
            last.pop_front();
        }
        last.push_back(written);
    }

    /// Whether what a watch tells of is as this process left it. A deletion is a version of its own, and nobody's echo.
    pub fn hear(&self, told: &ObjectMeta) -> bool {
        let same = |written: &Version| {
            told.resource_version.as_ref() == Some(&written.resource) && told.uid.as_ref() == Some(&written.uid)
        };
        self.lock().iter().rev().any(same)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Version>> {
        // A panic elsewhere leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(uid: &str, resource: usize) -> ObjectMeta {
        ObjectMeta { uid: Some(uid.into()), resource_version: Some(resource.to_string()), ..ObjectMeta::default() }
    }

    #[test]
    fn only_what_this_process_wrote_is_no_news() {
        let echoes = Echoes::default();
        assert!(!echoes.hear(&ObjectMeta::default()));
        echoes.wrote(Version::of(&told("a", 1)));
        assert!(echoes.hear(&told("a", 1)) && echoes.hear(&told("a", 1)), "a watch may repeat itself");
        assert!(!echoes.hear(&told("a", 2)), "somebody else's write on top of it");
        assert!(!echoes.hear(&told("b", 1)), "another object");
    }

    #[test]
    fn i13_writes_are_forgotten() {
        let echoes = Echoes::default();
        (0..=KEPT).for_each(|resource| echoes.wrote(Version::of(&told("a", resource))));
        assert!(!echoes.hear(&told("a", 0)) && echoes.hear(&told("a", KEPT)));
        assert_eq!(echoes.lock().len(), KEPT);
    }
}
