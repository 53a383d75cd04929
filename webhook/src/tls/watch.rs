//! Keeps the store equal to two files by reading and comparing them.
//!
//! File events are no alternative: kubelet swaps a symlink of the directory above, watches on it break, and a missed event would only be
//! noticed when the old certificate has ended. Two small files every few seconds cost nothing.

use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::material::{Material, MaterialError};
use super::store::CertificateStore;
use crate::router::Clock;

/// Where the pair lies.
#[derive(Clone, Debug)]
pub struct CertificateFiles {
    /// PEM chain, leaf first.
    pub cert: PathBuf,
    /// PEM key of the leaf.
    pub key: PathBuf,
}

/// What one look at the files led to.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The files are as they were.
    Unchanged,
    /// A new pair is served.
    Replaced,
    /// The files hold nothing that can be served; the last good pair stays.
    Kept(LoadError),
}

/// Why the files do not give a pair to serve.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LoadError {
    /// A file cannot be read.
    #[error("cannot read {path}: {kind}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        kind: io::ErrorKind,
    },
    /// The files hold no pair.
    #[error(transparent)]
    Material(#[from] MaterialError),
    /// A pair, but its time is not now.
    #[error("the certificate holds from {not_before} to {not_after}, which is not now")]
    OutOfTime {
        /// First second.
        not_before: jiff::Timestamp,
        /// Last second.
        not_after: jiff::Timestamp,
    },
}

/// The bytes of the certificate file and of the key file.
type Pair = (Vec<u8>, Vec<u8>);

/// Compares the files with what is served.
#[derive(Debug)]
pub struct Watch {
    files: CertificateFiles,
    store: Arc<CertificateStore>,
    clock: Clock,
    served: Option<Pair>,
    complained: Option<LoadError>,
}

impl Watch {
    /// Watches `files` for `store`.
    pub fn new(files: CertificateFiles, store: Arc<CertificateStore>, clock: Clock) -> Self {
        Self { files, store, clock, served: None, complained: None }
    }

    /// Looks for ever, each time after `every`, at least 10 ms.
    pub async fn run(mut self, every: Duration) -> Infallible {
        let every = every.max(Duration::from_millis(10));
        let mut ticks = interval_at(Instant::now() + every, every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.look().await;
        }
    }

    /// Looks once, and says in the log what is new.
    pub async fn look(&mut self) -> Outcome {
        let pair = async { Ok((read(&self.files.cert).await?, read(&self.files.key).await?)) }.await;
        self.judge(pair)
    }

    /// The same at the start, when there is nothing yet that reading would hold up: a thread for it would take longer than the files.
    pub(crate) fn first_look(&mut self) -> Outcome {
        let read = |path: &Path| std::fs::read(path).map_err(|error| unreadable(path, &error));
        let pair = read(&self.files.cert).and_then(|cert| Ok((cert, read(&self.files.key)?)));
        self.judge(pair)
    }

    fn judge(&mut self, pair: Result<Pair, LoadError>) -> Outcome {
        let outcome = match pair.and_then(|pair| self.load(pair)) {
            Ok(None) => Outcome::Unchanged,
            Ok(Some(material)) => {
                tracing::info!(not_after = %material.not_after, "serving a new certificate");
                self.store.replace(material);
                Outcome::Replaced
            }
            Err(error) => Outcome::Kept(error),
        };
        match &outcome {
            Outcome::Kept(error) if self.complained.as_ref() != Some(error) => {
                tracing::warn!(%error, "the certificate files cannot be used; what was served is served on");
                self.complained = Some(error.clone());
            }
            Outcome::Kept(_) => {}
            Outcome::Unchanged | Outcome::Replaced => self.complained = None,
        }
        outcome
    }

    fn load(&mut self, pair: Pair) -> Result<Option<Material>, LoadError> {
        if self.served.as_ref() == Some(&pair) {
            return Ok(None);
        }
        let material = Material::parse(&pair.0, &pair.1)?;
        if !material.holds_at((self.clock)()) {
            let Material { not_before, not_after, .. } = material;
            return Err(LoadError::OutOfTime { not_before, not_after });
        }
        self.served = Some(pair);
        Ok(Some(material))
    }
}

async fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    tokio::fs::read(path).await.map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &io::Error) -> LoadError {
    LoadError::Unreadable { path: path.to_owned(), kind: error.kind() }
}
