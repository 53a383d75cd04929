//! The end of a long-lived service.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that ask a process to stop: SIGTERM, which Kubernetes sends, and SIGINT, which Ctrl-C sends.
///
/// Registered when it is made, so that a signal between start and the first wait is not lost.
#[derive(Debug)]
pub struct Shutdown {
    terminate: Signal,
    interrupt: Signal,
}

impl Shutdown {
    /// Registers both signals. Needs a Tokio runtime.
    ///
    /// # Errors
    /// The operating system refused the registration.
    pub fn register() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Completes when either signal arrives, and says which. May be awaited again: the next signal completes it anew.
    pub async fn requested(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
