//! Whether the operator gets into the cloud at all, by what the environment gives it: said at start in one message, and asked for again and
//! again. Objects whose class names a way of its own do not wait for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::metrics::Metrics;
use crate::providers::ProviderConfig;
use crate::providers::accounts::Accounts;

const RETRY: Duration = Duration::from_secs(10);
const RECHECK: Duration = Duration::from_secs(120);

/// Asks for the default way into the cloud for as long as the process lives, and keeps the readiness by [`readiness_after`].
pub(crate) async fn watch(accounts: Arc<Accounts>, metrics: Metrics, readiness: watch::Sender<Result<(), String>>) {
    let mut known = None;
    loop {
        let state = match accounts.get(&ProviderConfig::default()).await {
            Ok(account) => account.cloud.identity().await.map(drop).map_err(|error| error.with_remedy()),
            Err(error) => Err(error.to_string()),
        };
        metrics.cloud_ready.set(i64::from(state.is_ok()));
        let pause = if state.is_ok() { RECHECK } else { RETRY };
        if known.as_ref() != Some(&state) {
            match &state {
                Ok(()) => tracing::info!("access to the cloud is there"),
                Err(why) => tracing::error!(why, "no access to the cloud: databases wait until there is"),
            }
        }
        readiness.send_modify(|ready| *ready = readiness_after(ready.clone(), &state));
        known = Some(state);
        tokio::time::sleep(pause).await;
    }
}

/// A Pod that has never been in the cloud replaces none that has. One that has been there stays ready while that is away: nobody could do its work
/// better, and an operator that is not ready could be neither upgraded nor rolled back. The metric and its alert tell of that.
fn readiness_after(before: Result<(), String>, asked: &Result<(), String>) -> Result<(), String> {
    before.or_else(|_| asked.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_in_the_cloud_once_stays_ready() {
        let (nothing, away) = (Err("the cloud was not asked yet".to_owned()), Err("no answer".to_owned()));
        assert_eq!(readiness_after(nothing.clone(), &away), away);
        let ready = readiness_after(away.clone(), &Ok(()));
        assert_eq!(ready, Ok(()));
        assert_eq!(readiness_after(ready, &away), Ok(()));
    }
}
