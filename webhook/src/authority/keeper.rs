//! Reads the cluster, asks [`super::plan`], and does what it says.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::certificate::{Anchor, Authority, AuthorityError, BACKDATED, renewal};
use super::cluster::{Cluster, ClusterError, Registrar, Registration};
use super::ledger::{Amendment, Damage, Ledger};
use super::lifetimes::Lifetimes;
use super::plan::{Served, Sight, Signer, Step, World, plan};
use crate::metrics::AuthorityMetrics;
use crate::router::Clock;
use crate::tls::CertificateStore;

/// Steps of one pass; it takes six to get from an empty Secret to a leaf.
const STEPS: usize = 24;

/// Longest time of one pass. What it signs with was read no longer ago.
const PASS: Duration = Duration::from_secs(30);

/// First wait after a failure; each further one is twice as long, up to the usual interval.
const RETRY: Duration = Duration::from_millis(500);

/// Why a pass did not do everything.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Problem {
    /// Kubernetes does not do what it is asked to; the next pass asks again.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A part of the Secret cannot be read; it is taken as absent.
    #[error("the authority's Secret is damaged, a new one takes over where it must: {0}")]
    Damaged(#[from] Damage),
    /// A webhook configuration that leads elsewhere.
    #[error("{registrar} has no webhook that leads to the Service {service}: nobody is sent here by it")]
    LeadsElsewhere {
        /// Which of the two.
        registrar: Registrar,
        /// Names of the Service.
        service: String,
    },
    /// A webhook configuration that cert-manager writes, too.
    #[error(
        "{registrar} is annotated with {annotation}: its caBundle is cert-manager's to write, and is left alone; remove the annotation, \
         or let the webhook take its certificate from cert-manager (--tls-source=files)"
    )]
    Injected {
        /// Which of the two.
        registrar: Registrar,
        /// The key of the annotation that asks cert-manager for it.
        annotation: String,
    },
    /// Certificates would be made for another time.
    #[error(
        "the clock of this machine is {} min {} that of the API server: nothing is done about certificates before they agree; correct it",
        minutes.unsigned_abs(),
        if minutes.is_negative() { "behind" } else { "ahead of" }
    )]
    Clock {
        /// How far ahead; negative where it is behind.
        minutes: i64,
    },
    /// An authority or a leaf cannot be made; what was served is served on.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The API server takes too long.
    #[error("a look at the certificates took longer than {0:?}")]
    TooSlow(Duration),
}

/// What a pass led to.
#[derive(Clone, Debug, PartialEq)]
pub struct Pass {
    /// What went wrong. The rest was done.
    pub problems: Vec<Problem>,
    /// When something is to be done, as far as is known.
    pub until: Option<Timestamp>,
}

/// Keeps a valid leaf in the store, and its authority in the webhook configurations.
pub struct Keeper<C> {
    cluster: C,
    store: Arc<CertificateStore>,
    metrics: AuthorityMetrics,
    names: Vec<String>,
    lives: Lifetimes,
    served: Option<Served>,
    complained: Vec<Problem>,
}

/// A webhook configuration as it was seen in this pass.
struct Seen {
    registrar: Registrar,
    read: Option<Registration>,
    sight: Sight,
}

impl<C: Cluster> Keeper<C> {
    /// A keeper of leaves with these DNS names, the first of which is the one that API servers ask for.
    pub fn new(
        cluster: C,
        store: Arc<CertificateStore>,
        metrics: AuthorityMetrics,
        names: Vec<String>,
        lives: Lifetimes,
    ) -> Self {
        Self { cluster, store, metrics, names, lives, served: None, complained: Vec::new() }
    }

    /// Passes for ever, from time to time, and soon after an API server did not trust what is served.
    pub async fn run(mut self, clock: Clock, distrusted: &Notify) -> Infallible {
        let mut failures = 0_u32;
        loop {
            let pass = self.look(clock).await;
            let wait = if pass.problems.is_empty() {
                failures = 0;
                let due = pass.until.and_then(|until| Duration::try_from(until.duration_since(clock())).ok());
                // Certificates know whole seconds, so nothing is due a moment later.
                due.map_or(self.lives.poll, |due| self.lives.poll.min(due.max(RETRY)))
            } else {
                failures = failures.saturating_add(1);
                self.lives.poll.min(RETRY * 2_u32.saturating_pow(failures.min(10) - 1))
            };
            let wait = wait.mul_f64(rand::random_range(0.8..1.2));
            // Anybody may refuse a certificate: it brings no more looks than a failure does.
            let soon = async {
                sleep(RETRY).await;
                distrusted.notified().await;
            };
            // Either way it is time.
            let _ = timeout(wait, soon).await;
        }
    }

    /// One pass, and what is new about it in the log.
    pub async fn look(&mut self, clock: impl Fn() -> Timestamp) -> Pass {
        let limit = PASS.min(self.lives.overlap);
        let pass = timeout(limit, self.pass(clock))
            .await
            .unwrap_or_else(|_| Pass { problems: vec![Problem::TooSlow(limit)], until: None });
        for problem in &pass.problems {
            // Two replicas may want to write the same: the one that comes second looks again.
            if matches!(problem, Problem::Cluster(ClusterError::Conflict { .. })) {
                tracing::debug!(%problem, "looking again");
                continue;
            }
            self.metrics.errors.inc();
            if !self.complained.contains(problem) {
                tracing::error!(error = %problem, "the webhook's certificates need attention; what is served is served on");
            }
        }
        self.complained.clone_from(&pass.problems);
        pass
    }

    async fn pass(&mut self, clock: impl Fn() -> Timestamp) -> Pass {
        let mut problems = Vec::new();
        // Before the Secret: what they carry was then written by someone who knew no newer one, and nothing newer is overwritten.
        let mut seen = Vec::new();
        for registrar in Registrar::ALL {
            seen.push(self.see(registrar, &mut problems).await);
        }
        let mut stored = match self.cluster.secret().await {
            Ok(stored) => stored,
            Err(error) => {
                problems.push(error.into());
                return Pass { problems, until: None };
            }
        };
        if let Some(problem) = stored.time.and_then(|theirs| disagreement(clock(), theirs)) {
            problems.push(problem);
            return Pass { problems, until: None };
        }
        let (mut ledger, damages) = Ledger::parse(&stored.data, clock());
        let mut damaged = !damages.is_empty();
        problems.extend(damages.into_iter().map(Problem::from));
        let (mut may_amend, mut may_publish, mut regained) = (true, true, false);
        for _ in 0..STEPS {
            // Of this step: what an earlier one has written was not there before.
            let now = clock();
            let registrations: Vec<Sight> = seen.iter().map(|seen| seen.sight.clone()).collect();
            let world = World {
                ledger: &ledger,
                damaged,
                registrations: &registrations,
                regained,
                served: self.served.as_ref(),
                may_amend,
                may_publish,
                lives: &self.lives,
                now,
            };
            match plan(&world) {
                Step::Amend(amendment) => match self.amend(&stored.version, &ledger, &amendment, now).await {
                    Ok((version, amended)) => {
                        regained &= amendment != Amendment::Trust;
                        (stored.version, ledger, damaged) = (version, amended, false);
                    }
                    Err(problem) => {
                        may_amend = false;
                        problems.push(problem);
                    }
                },
                Step::Publish { registration, bundle } => {
                    let seen = &mut seen[registration];
                    let trusted = ledger.next.as_ref().filter(|next| next.trusted_since.is_some());
                    let lost = trusted.is_some_and(|next| !seen.sight.carries(&next.authority.anchor));
                    match self.publish(seen, bundle).await {
                        // Nobody else has written it since it was read, so it had really lost it.
                        Ok(()) => regained |= lost,
                        Err(error) => {
                            may_publish = false;
                            problems.push(error.into());
                        }
                    }
                }
                Step::Serve(signer) => {
                    let next = ledger.next.as_ref().map(|next| &next.authority);
                    let signer = match signer {
                        Signer::Current => ledger.current.as_ref(),
                        Signer::Next => next,
                    };
                    if let Some(Err(error)) = signer.map(|signer| self.serve(signer, now)) {
                        problems.push(error.into());
                        return Pass { problems, until: None };
                    }
                }
                Step::Rest(until) => {
                    let signer = ledger.current.as_ref().map(|current| current.anchor.not_after.as_second());
                    self.metrics.not_after.set(signer.unwrap_or_default());
                    return Pass { problems, until };
                }
            }
        }
        Pass { problems, until: None }
    }

    async fn see(&self, registrar: Registrar, problems: &mut Vec<Problem>) -> Seen {
        match self.cluster.registration(registrar).await {
            Ok(Some(Registration { injected: Some(annotation), .. })) => {
                problems.push(Problem::Injected { registrar, annotation });
                Seen { registrar, read: None, sight: Sight::Injected }
            }
            Ok(Some(read)) if !read.webhooks.is_empty() => {
                let carried = read.webhooks.iter().map(|webhook| Anchor::bundle(&webhook.bundle)).collect();
                Seen { registrar, read: Some(read), sight: Sight::Carries(carried) }
            }
            Ok(Some(_)) => {
                let service = self.names.first().cloned().unwrap_or_default();
                problems.push(Problem::LeadsElsewhere { registrar, service });
                Seen { registrar, read: None, sight: Sight::Absent }
            }
            Ok(None) => {
                let (object, flag) = (registrar.to_string(), "--webhook-configuration");
                problems.push(ClusterError::Missing { object, flag }.into());
                Seen { registrar, read: None, sight: Sight::Absent }
            }
            Err(error) => {
                problems.push(error.into());
                Seen { registrar, read: None, sight: Sight::Unknown }
            }
        }
    }

    async fn amend(
        &self,
        version: &str,
        ledger: &Ledger,
        amendment: &Amendment,
        now: Timestamp,
    ) -> Result<(String, Ledger), Problem> {
        let new =
            amendment.needs_a_new_authority().then(|| Authority::generate(now, self.lives.authority)).transpose()?;
        let amended = ledger.amended(amendment, new, now, &self.lives);
        let version = self.cluster.amend(version, amended.render()).await?;
        self.metrics.wrote_secret();
        tracing::info!(change = ?amendment, current = ?amended.current, next = ?amended.next, "the authority's Secret was written");
        Ok((version, amended))
    }

    async fn publish(&self, seen: &mut Seen, bundle: Vec<Anchor>) -> Result<(), ClusterError> {
        let Some(read) = &mut seen.read else { return Ok(()) };
        let pem = Anchor::render_bundle(&bundle);
        read.version = self.cluster.publish(seen.registrar, read, &pem).await?;
        self.metrics.wrote_registration();
        tracing::info!(registrar = %seen.registrar, ?bundle, "API servers are told whom to trust");
        seen.sight = Sight::Carries(vec![bundle; read.webhooks.len()]);
        Ok(())
    }

    fn serve(&mut self, signer: &Authority, now: Timestamp) -> Result<(), AuthorityError> {
        let leaf = signer.issue(&self.names, now, self.lives.leaf)?;
        let served = Served { issuer: signer.anchor.clone(), renewal: renewal(&leaf), not_after: leaf.not_after };
        tracing::info!(not_after = %leaf.not_after, issuer = ?signer, "serving a new certificate");
        self.store.replace(leaf);
        self.served = Some(served);
        Ok(())
    }
}

/// Two clocks that differ by more than certificates allow for. Which of them is wrong cannot be known; what would be made in the meantime
/// might be of a time that is over or still to come, and take the place of what is good.
fn disagreement(ours: Timestamp, theirs: Timestamp) -> Option<Problem> {
    let ahead = ours.duration_since(theirs);
    (ahead.unsigned_abs() > BACKDATED).then(|| Problem::Clock { minutes: ahead.as_mins() })
}
