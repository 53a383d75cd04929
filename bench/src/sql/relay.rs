//! A relay on loopback that counts what goes through it. It sees connections, bytes, and who speaks when; TLS stays closed to it.

use std::io;
use std::net::Ipv4Addr;

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

/// Length of an encrypted alert of TLS 1.3, with header, type and tag [RFC 8446, 5.2]. The server closes TLS with one: a goodbye, and no answer.
const ALERT: usize = 5 + 2 + 1 + 16;

/// What went through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Traffic {
    /// Connections.
    pub(super) connections: u64,
    /// How often the client waited for the server. That of TCP counts; the goodbye, which is not answered, does not.
    pub(super) round_trips: u64,
    /// Bytes that the client sent, with all of TLS.
    pub(super) sent: u64,
    /// Bytes that it received.
    pub(super) received: u64,
}

impl Traffic {
    fn and(self, other: Self) -> Self {
        Self {
            connections: self.connections + other.connections,
            round_trips: self.round_trips + other.round_trips,
            sent: self.sent + other.sent,
            received: self.received + other.received,
        }
    }
}

/// Listens on a port of its own.
pub(super) struct Relay {
    port: u16,
    stop: oneshot::Sender<()>,
    relaying: JoinHandle<Traffic>,
}

impl Relay {
    /// Leads to a port of this machine.
    pub(super) async fn to(server: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let (stop, stopped) = oneshot::channel();
        Ok(Self { port, stop, relaying: tokio::spawn(relay(listener, server, stopped)) })
    }

    /// Where it listens.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Waits until all connections have ended, and tells what there was.
    pub(super) async fn traffic(self) -> Result<Traffic> {
        // A relay that has ended by itself has panicked, and says so when it is waited for.
        let _ = self.stop.send(());
        Ok(self.relaying.await?)
    }
}

async fn relay(listener: TcpListener, server: u16, mut stopped: oneshot::Receiver<()>) -> Traffic {
    let mut connections = JoinSet::new();
    loop {
        select! {
            accepted = listener.accept() => {
                if let Ok((client, _)) = accepted {
                    connections.spawn(carry(client, server));
                }
            }
            _ = &mut stopped => break,
        }
    }
    connections.join_all().await.into_iter().fold(Traffic::default(), Traffic::and)
}

/// Carries one connection until one side closes it. What failed shows at the client.
async fn carry(client: TcpStream, server: u16) -> Traffic {
    let mut traffic = Traffic { connections: 1, ..Traffic::default() };
    let _ = exchange(client, server, &mut traffic).await;
    traffic
}

async fn exchange(mut client: TcpStream, server: u16, traffic: &mut Traffic) -> io::Result<()> {
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut asked, mut answered) = ([0; 16 * 1024], [0; 16 * 1024]);
    let mut waits = false;
    loop {
        select! {
            read = client.read(&mut asked) => {
                let Some(bytes) = asked.get(..read?).filter(|bytes| !bytes.is_empty()) else { return Ok(()) };
                // Counted where the client speaks again: one more than was answered, as the goodbye is not, and one less than it waited, as
                // it waited for TCP before its first word.
                traffic.round_trips += u64::from(!waits);
                waits = true;
                traffic.sent += bytes.len() as u64;
                server.write_all(bytes).await?;
            }
            read = server.read(&mut answered) => {
                let Some(bytes) = answered.get(..read?).filter(|bytes| !bytes.is_empty()) else { return Ok(()) };
                waits = waits && bytes.len() == ALERT;
                traffic.received += bytes.len() as u64;
                client.write_all(bytes).await?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_question_that_is_answered_is_a_round_trip() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut question = [0; 4];
            while client.read_exact(&mut question).await.is_ok() && question != *b"bye." {
                client.write_all(b"an answer").await.unwrap();
            }
        });
        let relay = Relay::to(port).await.unwrap();
        let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, relay.port())).await.unwrap();
        let mut answer = [0; 9];
        for question in ["why?", "how?"] {
            client.write_all(question.as_bytes()).await.unwrap();
            client.read_exact(&mut answer).await.unwrap();
        }
        client.write_all(b"bye.").await.unwrap();
        drop(client);
        let traffic = relay.traffic().await.unwrap();
        assert_eq!(traffic, Traffic { connections: 1, round_trips: 3, sent: 12, received: 18 });
    }
}
