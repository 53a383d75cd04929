//! The one way from the machine to a node: a port of loopback that leads to the API server, through a socket that both can name.

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncRead, AsyncWrite, copy_bidirectional},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    task::JoinHandle,
};

use super::network::NODE;

const FOLDER: &str = "/tmp";
const PREFIX: &str = "rds-testbed-node-";
const SUFFIX: &str = ".sock";

/// The part outside: it forwards from the port to the socket, until it is dropped.
pub(super) struct Door {
    port: u16,
    socket: PathBuf,
    forwarding: JoinHandle<()>,
}

impl Door {
    /// Opens it, on a port that is free.
    pub(super) async fn open(owner: u32) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("a port for the API server")?;
        let (port, socket) = (listener.local_addr()?.port(), socket(owner));
        let inside = socket.clone();
        let forwarding = tokio::spawn(async move {
            while let Ok((person, _)) = listener.accept().await {
                let inside = inside.clone();
                // Before the node has opened its side, people are hung up on.
                tokio::spawn(async move { join(person, UnixStream::connect(inside).await).await });
            }
        });
        Ok(Self { port, socket, forwarding })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.forwarding.abort();
        // It is not there where no node came up.
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// The part inside: forwards from the socket to the API server, for as long as this process lives.
pub(super) fn open_inside(owner: u32) -> Result<()> {
    let path = socket(owner);
    let listener = UnixListener::bind(&path).with_context(|| format!("listening on {}", path.display()))?;
    tokio::spawn(async move {
        while let Ok((outside, _)) = listener.accept().await {
            tokio::spawn(
                async move { join(outside, TcpStream::connect((Ipv4Addr::LOCALHOST, NODE.port)).await).await },
            );
        }
    });
    Ok(())
}

/// Removes the sockets of those that are gone.
pub(super) fn sweep(is_gone: impl Fn(u32) -> bool) -> Result<()> {
    for entry in std::fs::read_dir(FOLDER)? {
        let entry = entry?;
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.parse().ok());
        if owner.is_some_and(&is_gone) {
            std::fs::remove_file(entry.path()).with_context(|| format!("removing {}", entry.path().display()))?;
        }
    }
    Ok(())
}

/// Whoever is not root may not write to it, so may not connect. A path of the machine's folder for short-lived files is short enough for a
/// socket.
fn socket(owner: u32) -> PathBuf {
    Path::new(FOLDER).join(format!("{PREFIX}{owner}{SUFFIX}"))
}

async fn join<A, B>(mut one: A, other: std::io::Result<B>)
where
    A: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    if let Ok(mut other) = other {
        // A connection that breaks is the business of its two ends.
        let _ = copy_bidirectional(&mut one, &mut other).await;
    }
}
