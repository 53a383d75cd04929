//! The clients of one account, through which every call goes: in its turn, counted, and fenced.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::bucket::Purpose;
use super::errors::{endless, fenced, throttled};
use super::rate_limit::RateLimit;
use crate::lease::Fence;
use crate::metrics::CloudCalls;
use crate::providers::error::{CloudError, ErrorClass};

/// A page of a list is asked for again so many times when RDS refuses it for the rate: a list of fifty pages would else begin anew each time.
const PAGES_AGAIN: u32 = 5;

/// RDS in one account and region.
pub struct Aws {
    pub(super) rds: aws_sdk_rds::Client,
    pub(super) sts: aws_sdk_sts::Client,
    pub(super) limit: Arc<RateLimit>,
    pub(super) calls: CloudCalls,
    pub(super) fence: Fence,
}

impl Aws {
    /// A client that is configured so, with a rate limit of its own. Its calls are counted, and change nothing beyond `fence`.
    pub fn new(config: &aws_config::SdkConfig, calls: CloudCalls, fence: Fence) -> Self {
        Self {
            rds: aws_sdk_rds::Client::new(config),
            sts: aws_sdk_sts::Client::new(config),
            limit: Arc::new(RateLimit::rds()),
            calls,
            fence,
        }
    }

    /// Waits for the account's token, makes the call and counts it.
    pub(super) async fn call<T>(
        &self,
        action: &'static str,
        purpose: Purpose,
        call: impl Future<Output = Result<T, CloudError>> + Send,
    ) -> Result<T, CloudError> {
        self.limit.take(purpose).await.map_err(|again| too_many(action, again))?;
        let began = Instant::now();
        let answer = self.counted(action, call).await;
        if answer.as_ref().is_err_and(throttled) {
            self.limit.refused(began);
        }
        answer
    }

    /// A page of the shared sweep.
    pub(super) async fn page<T, F>(
        &self,
        action: &'static str,
        ask: impl Fn() -> F + Send + Sync,
    ) -> Result<T, CloudError>
    where
        F: Future<Output = Result<T, CloudError>> + Send,
    {
        let mut tries = 0;
        loop {
            match self.call(action, Purpose::Sweep, ask()).await {
                // By now the limit makes fewer calls.
                Err(error) if throttled(&error) && tries < PAGES_AGAIN => tries += 1,
                answer => return answer,
            }
        }
    }

    /// All of a list of at most so many pages. `ask` sends for the page after a marker, and gives what is on it with the marker of the next.
    pub(super) async fn pages<T, F>(
        &self,
        action: &'static str,
        most: usize,
        ask: impl Fn(Option<String>) -> F + Send + Sync,
    ) -> Result<Vec<T>, CloudError>
    where
        T: Send,
        F: Future<Output = Result<(Vec<T>, Option<String>), CloudError>> + Send,
    {
        let (mut all, mut marker) = (Vec::new(), None);
        for _ in 0..most {
            let (page, next) = self.call(action, Purpose::Read, ask(marker)).await?;
            all.extend(page);
            marker = next.filter(|next| !next.is_empty());
            if marker.is_none() {
                return Ok(all);
            }
        }
        Err(endless(action))
    }

    /// Makes a call that RDS does not limit, and counts it.
    pub(super) async fn counted<T>(
        &self,
        action: &'static str,
        call: impl Future<Output = Result<T, CloudError>> + Send,
    ) -> Result<T, CloudError> {
        let began = Instant::now();
        let answer = call.await;
        self.calls.ended(action, answer.as_ref().err(), began);
        answer
    }

    /// The same for a call that changes something: the wait for the token may have been long, so the Lease's age is asked after it.
    pub(super) async fn change(
        &self,
        action: &'static str,
        call: impl Future<Output = Result<(), CloudError>> + Send,
    ) -> Result<(), CloudError> {
        self.call(action, Purpose::Change, async {
            self.fence.check().map_err(|old| fenced(action, old))?;
            call.await
        })
        .await
    }
}

fn too_many(action: &'static str, again: Duration) -> CloudError {
    let message = "too many calls to this account wait already";
    CloudError { crowded: Some(again), ..CloudError::new(action, "TooManyCalls", message, ErrorClass::Transient) }
}

/// A client of an endpoint that somebody plays.
#[cfg(test)]
impl Aws {
    pub(crate) fn at(endpoint: String) -> Self {
        let config = aws_config::SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .region(aws_config::Region::new("eu-central-1"))
            .credentials_provider(aws_sdk_rds::config::SharedCredentialsProvider::new(
                aws_sdk_rds::config::Credentials::new("test", "test", None, None, "test"),
            ))
            .endpoint_url(endpoint)
            .build();
        Self::new(&config, CloudCalls::default(), Fence::open())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const ACTION: &str = "DescribeDBInstances";

    fn refused() -> CloudError {
        CloudError::new(ACTION, "ThrottlingException", "Rate exceeded", ErrorClass::Transient)
    }

    #[tokio::test(start_paused = true)]
    async fn i9_a_throttled_page_is_asked_for_again_ever_more_slowly() {
        let (aws, asked, began) = (Aws::at("http://127.0.0.1:1".into()), AtomicU32::new(0), Instant::now());
        let ask = |refusals: u32| {
            let time = asked.fetch_add(1, Ordering::Relaxed);
            async move { if time < refusals { Err(refused()) } else { Ok(time) } }
        };
        assert_eq!(aws.page(ACTION, || ask(3)).await, Ok(3));
        assert!(began.elapsed() > Duration::from_secs(2), "{:?}", began.elapsed());
        assert_eq!(aws.page(ACTION, || ask(100)).await, Err(refused()), "not for ever");
        assert_eq!(asked.load(Ordering::Relaxed), 4 + 1 + PAGES_AGAIN);
    }

    #[tokio::test(start_paused = true)]
    async fn i3_a_list_is_whole_or_none() {
        let aws = Aws::at("http://127.0.0.1:1".into());
        // Five pages, the last of which has an empty marker.
        let ask = |marker: Option<String>| async move {
            let page: u32 = marker.map_or(0, |marker| marker.parse().expect("the marker of the page before"));
            Ok((vec![page], Some(if page < 4 { (page + 1).to_string() } else { String::new() })))
        };
        assert_eq!(aws.pages(ACTION, 5, ask).await, Ok(vec![0, 1, 2, 3, 4]));
        assert_eq!(aws.pages(ACTION, 4, ask).await.expect_err("it has more pages").code, "NoEnd");
    }

    #[tokio::test(start_paused = true)]
    async fn i11_a_throttled_change_is_sent_once() {
        let (aws, sent) = (Aws::at("http://127.0.0.1:1".into()), AtomicU32::new(0));
        let send = async {
            sent.fetch_add(1, Ordering::Relaxed);
            Err(refused())
        };
        assert_eq!(aws.change("CreateDBInstance", send).await, Err(refused()));
        assert_eq!(sent.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn i13_who_finds_no_place_has_sent_nothing_and_knows_when_to_come_again() {
        let (aws, sent) = (Arc::new(Aws::at("http://127.0.0.1:1".into())), Arc::new(AtomicU32::new(0)));
        let calls: Vec<_> = (0..150)
            .map(|_| {
                let (aws, sent) = (aws.clone(), sent.clone());
                tokio::spawn(async move {
                    let call = async {
                        sent.fetch_add(1, Ordering::Relaxed);
                        Ok(())
                    };
                    aws.change("CreateDBInstance", call).await
                })
            })
            .collect();
        let mut away = 0;
        for call in calls {
            if let Err(error) = call.await.expect("it does not panic") {
                assert!(error.crowded.is_some_and(|again| again > Duration::from_secs(1)), "{error:?}");
                away += 1;
            }
        }
        assert_eq!((sent.load(Ordering::Relaxed), away), (112, 38));
    }
}
