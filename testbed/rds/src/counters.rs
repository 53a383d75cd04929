//! What was called, for those who must prove that nothing was.

use std::collections::BTreeMap;

use serde::Serialize;
use tokio::sync::Mutex;

/// Counts calls by action since the server started, refused ones too.
#[derive(Debug, Default)]
pub(crate) struct Counters(Mutex<BTreeMap<String, u64>>);

/// The counters at one moment, as `/_local/counters` gives them.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Calls by action.
    pub(crate) calls: BTreeMap<String, u64>,
    /// How many of them could change something.
    pub(crate) mutating: u64,
    /// Statements that modify, as the instances' servers logged them.
    pub(crate) sql_writes: BTreeMap<String, u64>,
}

impl Counters {
    pub(crate) async fn count(&self, action: &str) {
        *self.0.lock().await.entry(action.to_owned()).or_default() += 1;
    }

    pub(crate) async fn report(&self, sql_writes: BTreeMap<String, u64>) -> Report {
        let calls = self.0.lock().await.clone();
        let mutating = calls.iter().filter(|(action, _)| is_mutating(action)).map(|(_, count)| count).sum();
        Report { calls, mutating, sql_writes }
    }
}

fn is_mutating(action: &str) -> bool {
    !["Describe", "List", "Get", "Download", "AssumeRole"].iter().any(|reading| action.starts_with(reading))
}

#[cfg(test)]
mod tests {
    use super::is_mutating;

    #[test]
    fn reading_is_not_mutating() {
        assert!(is_mutating("AddTagsToResource") && is_mutating("CreateDBInstance"));
        assert!(!is_mutating("ListTagsForResource") && !is_mutating("GetCallerIdentity"));
    }
}
