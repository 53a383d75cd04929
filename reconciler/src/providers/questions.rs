//! Questions for the snapshots of many objects, asked together: one call where there would be one for each object.
//!
//! Whoever asks first asks at once. Those who come while that call is under way are asked for by the next one, all of them together.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::cloud::Cloud;
use super::error::CloudError;
use super::model::Snapshot;

/// Instances that one call asks for: far fewer than any provider is known to refuse.
const TOGETHER: usize = 20;

type Answer = Result<Vec<Snapshot>, CloudError>;

struct Question {
    identifier: String,
    answer: oneshot::Sender<Answer>,
}

/// What is asked of one way into an account.
#[derive(Default)]
pub(crate) struct Questions {
    waiting: Mutex<VecDeque<Question>>,
    /// Held by whoever asks for all.
    asking: tokio::sync::Mutex<()>,
}

impl Questions {
    /// The manual snapshots that were made of the instance `identifier`, by a call that began after this.
    ///
    /// # Errors
    /// Those of the call.
    pub(crate) async fn of(&self, cloud: &dyn Cloud, identifier: &str) -> Answer {
        loop {
            let (answer, mut answered) = oneshot::channel();
            self.waiting().push_back(Question { identifier: identifier.to_owned(), answer });
            loop {
                let turn = self.asking.lock();
                tokio::select! {
                    biased;
                    answer = &mut answered => match answer {
                        Ok(answer) => return answer,
                        // Who asked for all was dropped meanwhile.
                        Err(_) => break,
                    },
                    _asking = turn => {
                        // It may have been answered by the last one who asked.
                        match answered.try_recv() {
                            Ok(answer) => return answer,
                            Err(oneshot::error::TryRecvError::Closed) => break,
                            Err(oneshot::error::TryRecvError::Empty) => self.ask(cloud).await,
                        }
                    }
                }
            }
        }
    }

    /// Asks for those who have waited longest.
    async fn ask(&self, cloud: &dyn Cloud) {
        let asked: Vec<Question> = {
            let mut waiting = self.waiting();
            let many = waiting.len().min(TOGETHER);
            waiting.drain(..many).collect()
        };
        // A pass that was dropped wants no answer.
        let asked: Vec<Question> = asked.into_iter().filter(|question| !question.answer.is_closed()).collect();
        let mut identifiers: Vec<String> = asked.iter().map(|question| question.identifier.clone()).collect();
        identifiers.sort_unstable();
        identifiers.dedup();
        if identifiers.is_empty() {
            return;
        }
        let answers = cloud.snapshots_of_all(&identifiers).await;
        for Question { identifier, answer } in asked {
            // Nobody is left to tell where the pass was dropped.
            let _ = answer.send(of_one(&answers, &identifier));
        }
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Question>> {
        // Each change leaves it whole: a panic elsewhere leaves nothing half done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn of_one(answers: &Result<BTreeMap<String, Vec<Snapshot>>, CloudError>, identifier: &str) -> Answer {
    match answers {
        Ok(found) => Ok(found.get(identifier).cloned().unwrap_or_default()),
        Err(error) => Err(error.clone()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use async_trait::async_trait;
    use tokio::time::sleep;

    use super::*;
    use crate::providers::{Backup, ErrorClass, Identity, Instance, Request, SnapshotKind, Source};

    /// Answers after a second, and notes who was asked for.
    #[derive(Default)]
    struct Slow(Mutex<Vec<Vec<String>>>);

    const SECOND: Duration = Duration::from_secs(1);

    fn refused() -> CloudError {
        CloudError::new("any", "AccessDenied", "not this role", ErrorClass::Unauthorized)
    }

    fn snapshot(of: &str) -> Snapshot {
        Snapshot {
            identifier: format!("{of}-final"),
            kind: SnapshotKind::Manual,
            status: "available".into(),
            created: None,
            resource_id: None,
        }
    }

    #[async_trait]
    impl Cloud for Slow {
        async fn identity(&self) -> Result<Identity, CloudError> {
            Err(refused())
        }

        async fn inventory(&self) -> Result<Vec<Instance>, CloudError> {
            Err(refused())
        }

        async fn snapshots_of(&self, identifier: &str) -> Result<Vec<Snapshot>, CloudError> {
            Ok(vec![snapshot(identifier)])
        }

        async fn snapshots_of_all(
            &self,
            identifiers: &[String],
        ) -> Result<BTreeMap<String, Vec<Snapshot>>, CloudError> {
            self.0.lock().expect("no panic").push(identifiers.to_vec());
            sleep(SECOND).await;
            if identifiers.iter().any(|identifier| identifier == "refused") {
                return Err(refused());
            }
            Ok(identifiers.iter().map(|identifier| (identifier.clone(), vec![snapshot(identifier)])).collect())
        }

        async fn backups(&self, _: &Source) -> Result<Vec<Backup>, CloudError> {
            Err(refused())
        }

        async fn look(&self, _: &str) -> Result<Option<Instance>, CloudError> {
            Err(refused())
        }

        async fn carry_out(&self, _: &Request) -> Result<(), CloudError> {
            Err(refused())
        }
    }

    fn ask(
        questions: &Arc<Questions>,
        cloud: &Arc<Slow>,
        identifier: &str,
    ) -> tokio::task::JoinHandle<Result<Vec<Snapshot>, CloudError>> {
        let (questions, cloud, identifier) = (questions.clone(), cloud.clone(), identifier.to_owned());
        tokio::spawn(async move { questions.of(&*cloud, &identifier).await })
    }

    #[tokio::test(start_paused = true)]
    async fn i13_who_asks_while_a_call_is_under_way_is_asked_for_with_the_others() {
        let (questions, cloud) = (Arc::<Questions>::default(), Arc::<Slow>::default());
        let first = ask(&questions, &cloud, "first");
        sleep(SECOND / 2).await;
        let others: Vec<_> = (10..40).map(|n| (n, ask(&questions, &cloud, &format!("n{n}")))).collect();
        assert_eq!(first.await.expect("no panic"), Ok(vec![snapshot("first")]));
        for (n, other) in others {
            assert_eq!(other.await.expect("no panic"), Ok(vec![snapshot(&format!("n{n}"))]), "each has its own");
        }
        let sizes: Vec<_> = cloud.0.lock().expect("no panic").iter().map(Vec::len).collect();
        assert_eq!(sizes, [1, TOGETHER, 10]);
    }

    #[tokio::test(start_paused = true)]
    async fn i3_an_answer_is_of_a_call_that_began_after_the_question() {
        let (questions, cloud) = (Arc::<Questions>::default(), Arc::<Slow>::default());
        let first = ask(&questions, &cloud, "orders");
        sleep(SECOND / 2).await;
        let second = ask(&questions, &cloud, "orders");
        assert!(first.await.expect("no panic").is_ok() && !second.is_finished());
        assert!(second.await.expect("no panic").is_ok());
        assert_eq!(cloud.0.lock().expect("no panic").len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn i11_who_is_dropped_while_it_asks_for_all_leaves_nobody_without_an_answer() {
        let (questions, cloud) = (Arc::<Questions>::default(), Arc::<Slow>::default());
        let first = ask(&questions, &cloud, "first");
        sleep(SECOND / 2).await;
        let (second, third) = (ask(&questions, &cloud, "second"), ask(&questions, &cloud, "third"));
        sleep(SECOND).await;
        second.abort();
        assert!(first.await.expect("no panic").is_ok());
        assert_eq!(third.await.expect("no panic"), Ok(vec![snapshot("third")]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_everybodys_who_was_asked_for() {
        let (questions, cloud) = (Arc::<Questions>::default(), Arc::<Slow>::default());
        let first = ask(&questions, &cloud, "first");
        sleep(SECOND / 2).await;
        let (second, third) = (ask(&questions, &cloud, "refused"), ask(&questions, &cloud, "third"));
        assert!(first.await.expect("no panic").is_ok());
        assert_eq!(second.await.expect("no panic"), Err(refused()));
        assert_eq!(third.await.expect("no panic"), Err(refused()));
    }
}
