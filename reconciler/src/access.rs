//! The access initializer: finds out at start whether the operator gets into AWS at all, says so in one message, and goes on asking
//! until it does. Objects whose class has a region and role of its own do not wait for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::metrics::Metrics;
use crate::providers::Access;
use crate::providers::accounts::Accounts;

const RETRY: Duration = Duration::from_secs(10);
const RECHECK: Duration = Duration::from_secs(120);

/// Keeps the readiness true to the default way into AWS, for as long as the process lives.
pub(crate) async fn watch(accounts: Arc<Accounts>, metrics: Metrics, readiness: watch::Sender<Result<(), String>>) {
    loop {
        let state = match accounts.get(&Access::default()).await {
            Ok(account) => {
                account.cloud.identity().await.map(drop).map_err(|error| format!("{error}; {}", error.remedy()))
            }
            Err(error) => Err(error.to_string()),
        };
        metrics.cloud_ready.set(i64::from(state.is_ok()));
        let pause = if state.is_ok() { RECHECK } else { RETRY };
        readiness.send_if_modified(|before| {
            let changed = *before != state;
            if changed {
                match &state {
                    Ok(()) => tracing::info!("access to AWS is there"),
                    Err(why) => {
                        tracing::error!(why, "no access to AWS: databases wait until there is");
                    }
                }
                *before = state;
            }
            changed
        });
        tokio::time::sleep(pause).await;
    }
}
