//! Which parameters there are, by family: asked for once, and kept for long. Providers add some with a new minor version.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::cloud::Cloud;
use super::error::CloudError;
use super::parameters::Offered;
use crate::clock::Moment;

const KEPT: Duration = Duration::from_secs(24 * 3600);
/// What was refused is not asked again at once by every object.
const REFUSED: Duration = Duration::from_secs(30);

/// Those of an account and region.
#[derive(Default)]
pub struct Catalogues(Mutex<BTreeMap<String, Asked>>);

struct Asked {
    at: Moment,
    answer: Result<Arc<Offered>, CloudError>,
}

impl Catalogues {
    /// The parameters of a family. One asks for all who want to know; what was known before outlives a refusal.
    pub(crate) async fn of(&self, cloud: &dyn Cloud, family: &str, now: Moment) -> Result<Arc<Offered>, CloudError> {
        let mut asked = self.0.lock().await;
        if let Some(Asked { at, answer }) = asked.get(family) {
            let kept = if answer.is_ok() { KEPT } else { REFUSED };
            if now.since(*at) < kept {
                return answer.clone();
            }
        }
        let before = asked.get(family).and_then(|asked| asked.answer.clone().ok());
        let answer = cloud.parameters(family).await.map(Arc::new);
        let answer = answer.or_else(|error| before.ok_or(error));
        // What was not asked, because others came first, is no answer to keep.
        if answer.as_ref().is_err_and(|error| error.crowded.is_some()) {
            return answer;
        }
        asked.insert(family.to_owned(), Asked { at: now, answer: answer.clone() });
        answer
    }
}
