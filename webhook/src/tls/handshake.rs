//! Handshakes that fail: counted by their reason, and told to people without flooding the log.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::{AlertDescription, Error};
use tokio::sync::Notify;

use crate::metrics::Handshakes;

/// One line a kind is logged in this time; the rest is counted.
const QUIET: Duration = Duration::from_secs(10);

/// Why a handshake failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The client has no certificate that `--client-ca` accepts.
    Client,
    /// The client does not accept the certificate that is served.
    Distrusted,
    /// The two do not speak the same TLS.
    Protocol,
    /// The connection ended.
    Gone,
    /// It took too long.
    TooSlow,
    /// Nothing can be served.
    NoCertificate,
    /// Whom to serve is not known.
    NoClientAuthority,
}

impl Failure {
    /// Its name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client-certificate",
            Self::Distrusted => "distrusted",
            Self::Protocol => "protocol",
            Self::Gone => "gone",
            Self::TooSlow => "too-slow",
            Self::NoCertificate => "no-certificate",
            Self::NoClientAuthority => "no-client-authority",
        }
    }

    /// What a failed handshake says.
    pub fn of(error: &io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(Error::NoCertificatesPresented | Error::InvalidCertificate(_)) => Self::Client,
            Some(Error::AlertReceived(
                AlertDescription::BadCertificate
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateRevoked
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnknownCA
                | AlertDescription::UnsupportedCertificate,
            )) => Self::Distrusted,
            Some(_) => Self::Protocol,
            None => Self::Gone,
        }
    }
}

/// Counts and logs failures.
#[derive(Debug)]
pub struct Failures {
    counted: Handshakes,
    distrusted: Arc<Notify>,
    clients: Quietly,
    distrust: Quietly,
}

impl Failures {
    /// Failures that are counted on `counted`. Whoever waits for `distrusted` is told when a client does not trust what is served.
    pub fn new(counted: Handshakes, distrusted: Arc<Notify>) -> Self {
        Self { counted, distrusted, clients: Quietly::default(), distrust: Quietly::default() }
    }

    /// A handshake with `peer` failed.
    pub fn note(&self, failure: Failure, peer: SocketAddr, error: &dyn std::fmt::Display) {
        self.counted.failed(failure);
        match failure {
            Failure::Client => {
                if let Some(unsaid) = self.clients.speak(Instant::now()) {
                    tracing::warn!(%peer, %error, unsaid, "a client is refused: it shows no certificate of --client-ca");
                }
            }
            Failure::Distrusted => {
                self.distrusted.notify_one();
                if let Some(unsaid) = self.distrust.speak(Instant::now()) {
                    tracing::warn!(
                        %peer, %error, unsaid,
                        "a client does not trust the certificate that is served; if it is an API server, compare the caBundle of the webhook configurations"
                    );
                }
            }
            Failure::Protocol
            | Failure::Gone
            | Failure::TooSlow
            | Failure::NoCertificate
            | Failure::NoClientAuthority => {
                tracing::debug!(%peer, %error, reason = failure.as_str(), "handshake failed");
            }
        }
    }
}

/// Lets one line through in [`QUIET`].
#[derive(Debug, Default)]
struct Quietly(Mutex<Said>);

#[derive(Debug, Default)]
struct Said {
    last: Option<Instant>,
    unsaid: u64,
}

impl Quietly {
    /// How many were not said since the last that was, if it is time to say one.
    fn speak(&self, now: Instant) -> Option<u64> {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if said.last.is_some_and(|last| now.duration_since(last) < QUIET) {
            said.unsaid += 1;
            return None;
        }
        said.last = Some(now);
        Some(std::mem::take(&mut said.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_one_line_and_a_number() {
        let (quietly, start) = (Quietly::default(), Instant::now());
        assert_eq!(quietly.speak(start), Some(0));
        for _ in 0..41 {
            assert_eq!(quietly.speak(start + QUIET / 2), None);
        }
        assert_eq!(quietly.speak(start + QUIET), Some(41));
    }

    #[test]
    fn reasons_are_told_apart() {
        let of = |error: Error| Failure::of(&io::Error::new(io::ErrorKind::InvalidData, error));
        assert_eq!(of(Error::NoCertificatesPresented), Failure::Client);
        assert_eq!(of(Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer)), Failure::Client);
        assert_eq!(of(Error::AlertReceived(AlertDescription::UnknownCA)), Failure::Distrusted);
        assert_eq!(of(Error::AlertReceived(AlertDescription::ProtocolVersion)), Failure::Protocol);
        assert_eq!(Failure::of(&io::ErrorKind::UnexpectedEof.into()), Failure::Gone);
    }
}
