//! Starts processes from one thread that lives as long as the server.
//!
//! The kernel's parent-death signal is sent when the *thread* that started a process ends, and the threads of a runtime come and go.

use std::io;
use std::thread;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

type Request = (Command, oneshot::Sender<io::Result<Child>>);

/// A handle on the thread. The thread ends when the last handle is dropped.
#[derive(Clone, Debug)]
pub(crate) struct Spawner {
    requests: mpsc::UnboundedSender<Request>,
}

impl Spawner {
    /// Starts the thread. Must be called within a Tokio runtime.
    pub(crate) fn start() -> io::Result<Self> {
        let (requests, mut inbox) = mpsc::unbounded_channel::<Request>();
        let runtime = Handle::current();
        thread::Builder::new().name("spawner".to_owned()).spawn(move || {
            let _entered = runtime.enter();
            while let Some((mut command, reply)) = inbox.blocking_recv() {
                // Who asked may have gone; its process is then killed on drop.
                let _ = reply.send(command.spawn());
            }
        })?;
        Ok(Self { requests })
    }

    /// Starts `command`.
    pub(crate) async fn spawn(&self, command: Command) -> io::Result<Child> {
        let (reply, answer) = oneshot::channel();
        let gone = || io::Error::other("the thread that starts processes has ended");
        self.requests.send((command, reply)).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}
