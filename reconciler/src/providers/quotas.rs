//! How many manual snapshots an account has, and may have: asked when a copy is due, and kept for a while for all objects.

use std::time::Duration;

use tokio::sync::Mutex;

use super::cloud::Cloud;
use super::error::CloudError;
use super::model::Quota;
use crate::clock::Moment;

const KEPT: Duration = Duration::from_secs(600);
/// What was refused is not asked again at once by every object.
const REFUSED: Duration = Duration::from_secs(30);

/// That of an account and region.
#[derive(Default)]
pub struct Quotas(Mutex<Option<Asked>>);

struct Asked {
    at: Moment,
    answer: Result<Quota, CloudError>,
}

impl Quotas {
    /// The quota. One asks for all who want to know.
    pub(crate) async fn snapshots(&self, cloud: &dyn Cloud, now: Moment) -> Result<Quota, CloudError> {
        let mut asked = self.0.lock().await;
        if let Some(Asked { at, answer }) = &*asked {
            let kept = if answer.is_ok() { KEPT } else { REFUSED };
            if now.since(*at) < kept {
                return answer.clone();
            }
        }
        let answer = cloud.snapshot_quota().await;
        // What was not asked, because others came first, is no answer to keep.
        if answer.as_ref().is_ok() || answer.as_ref().is_err_and(|error| error.crowded.is_none()) {
            *asked = Some(Asked { at: now, answer: answer.clone() });
        }
        answer
    }

    /// Another snapshot is being made: who wants one next asks anew.
    pub(crate) async fn forget(&self) {
        *self.0.lock().await = None;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::providers::sweep::tests::Played;

    #[tokio::test]
    async fn i13_all_objects_of_an_account_ask_once() {
        let (cloud, quotas) = (Played::default(), Quotas::default());
        let ask = async |after| quotas.snapshots(&cloud, Moment::START + after).await.expect("it is told").most;
        let asked = || cloud.asked.load(Ordering::Relaxed);
        assert_eq!((ask(Duration::ZERO).await, ask(Duration::from_secs(599)).await, asked()), (100, 100, 1));
        ask(KEPT).await;
        assert_eq!(asked(), 2, "others use it up meanwhile");
        quotas.forget().await;
        ask(KEPT).await;
        assert_eq!(asked(), 3, "one more was made");
    }
}
