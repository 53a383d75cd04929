//! An answer that all objects share which reach an account by one way: one asks for all who want to know, and it is good for a while.

use std::time::Duration;

use tokio::sync::Mutex;

use super::error::CloudError;
use crate::clock::Moment;

const KEPT: Duration = Duration::from_secs(600);
/// What was refused is not asked again at once by every object.
const REFUSED: Duration = Duration::from_secs(30);

/// That to one question.
pub struct Kept<T>(Mutex<Option<Asked<T>>>);

struct Asked<T> {
    at: Moment,
    answer: Result<T, CloudError>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Kept<T> {
    /// The answer: the one that is kept, or one to the question.
    pub(crate) async fn answer(
        &self,
        now: Moment,
        question: impl Future<Output = Result<T, CloudError>>,
    ) -> Result<T, CloudError> {
        let mut asked = self.0.lock().await;
        if let Some(Asked { at, answer }) = &*asked {
            let kept = if answer.is_ok() { KEPT } else { REFUSED };
            if now.since(*at) < kept {
                return answer.clone();
            }
        }
        let answer = question.await;
        // What was not asked, because others came first, is no answer to keep.
        if answer.as_ref().err().is_none_or(|error| error.crowded.is_none()) {
            *asked = Some(Asked { at: now, answer: answer.clone() });
        }
        answer
    }

    /// It has become otherwise: who wants to know next asks anew.
    pub(crate) async fn forget(&self) {
        *self.0.lock().await = None;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::providers::error::ErrorClass;

    #[tokio::test]
    async fn i13_all_objects_of_an_account_ask_once() {
        let (kept, asked) = (Kept::default(), AtomicUsize::default());
        let ask = async |after| {
            let question = async { Ok(asked.fetch_add(1, Ordering::Relaxed)) };
            kept.answer(Moment::START + after, question).await.expect("it is told")
        };
        let (first, soon) = (ask(Duration::ZERO).await, ask(KEPT / 2).await);
        assert_eq!((first, soon), (0, 0));
        assert_eq!(ask(KEPT).await, 1, "others change it meanwhile");
        kept.forget().await;
        assert_eq!(ask(KEPT).await, 2);
    }

    #[tokio::test]
    async fn what_is_refused_is_asked_again_sooner_and_what_was_not_asked_at_once() {
        let kept: Kept<()> = Kept::default();
        let refused = |crowded| CloudError {
            crowded,
            ..CloudError::new("DescribeAccountAttributes", "AccessDenied", "not this role", ErrorClass::Unauthorized)
        };
        let ask = async |after, error: CloudError| {
            let answer = kept.answer(Moment::START + after, async { Err(error) }).await;
            answer.expect_err("it is refused").crowded
        };
        let others = Some(Duration::from_secs(5));
        assert_eq!(ask(Duration::ZERO, refused(others)).await, others);
        assert_eq!(ask(Duration::ZERO, refused(None)).await, None, "others' turn is no answer");
        assert_eq!(ask(REFUSED / 2, refused(others)).await, None, "kept");
        assert_eq!(ask(REFUSED, refused(others)).await, others, "asked");
    }
}
