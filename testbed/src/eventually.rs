//! Waiting for something to become true, and saying what was seen last when it does not.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(200);

/// For what hangs: how fast something comes to pass is nothing that a test asserts, and a machine can be busy.
const PATIENCE: Duration = Duration::from_mins(3);

/// Looks until `look` gives a value, and returns it. An error counts as "not yet": it is what was seen last.
///
/// # Errors
/// After minutes, saying what was waited for, how long, and the last error of `look`.
pub async fn eventually<T, F>(what: &str, look: F) -> Result<T>
where
    F: AsyncFnMut() -> Result<T>,
{
    eventually_within(PATIENCE, what, look).await
}

/// The same, for what takes longer, or has to be there by then.
///
/// # Errors
/// After `deadline`, saying what was waited for, how long, and the last error of `look`.
pub async fn eventually_within<T, F>(deadline: Duration, what: &str, mut look: F) -> Result<T>
where
    F: AsyncFnMut() -> Result<T>,
{
    let started = Instant::now();
    loop {
        // A look that hangs must not outlast the deadline by much.
        let left = deadline.saturating_sub(started.elapsed()).max(Duration::from_secs(1));
        let seen = match tokio::time::timeout(left, look()).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => format!("{error:#}"),
            Err(_) => "no answer in time".to_owned(),
        };
        if started.elapsed() >= deadline {
            bail!("{what}: not within {} s; last seen: {seen}", deadline.as_secs());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use anyhow::ensure;

    use super::*;

    #[tokio::test]
    async fn returns_the_first_value() {
        let mut looks = 0;
        let value = eventually("the third look", async || {
            looks += 1;
            ensure!(looks == 3, "look {looks}");
            Ok(looks)
        });
        assert_eq!(value.await.unwrap(), 3);
    }

    #[tokio::test]
    async fn says_what_was_seen_last() {
        let error = eventually_within(Duration::from_millis(1), "rain", async || -> Result<()> { bail!("sunshine") })
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "rain: not within 0 s; last seen: sunshine");
    }
}
