//! Whoever is measured, as a process with a certificate as cert-manager would issue it.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use testbed::controlplane::pki::Authority;
use testbed::ports;

use super::connection::Endpoint;

/// The name that the API server calls the service by.
pub(super) const SERVER: &str = "rds-webhook.rds-system.svc";

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The webhook that is shipped.
    Ours,
    /// The same rules on controller-runtime.
    Peer,
    /// The same crates for TLS and HTTP, without rules.
    Floor,
}

impl Kind {
    /// Its name in the tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ours => "rds-webhook",
            Self::Peer => "controller-runtime",
            Self::Floor => "floor",
        }
    }
}

/// A binary that is measured.
#[derive(Clone, Debug)]
pub(super) struct Contender {
    /// Who it is, and so which arguments it takes.
    pub(super) kind: Kind,
    /// Its file.
    pub(super) program: PathBuf,
}

/// Certificate, key and the CA to trust, as files.
#[derive(Debug)]
pub(super) struct Identity {
    dir: PathBuf,
    ca: String,
}

impl Identity {
    /// Makes a CA and a leaf in a folder.
    pub(super) fn make(dir: &Path) -> Result<Self> {
        let authority = Authority::new("benchmark")?;
        let leaf = authority.server(&[SERVER])?;
        fs::write(dir.join("tls.crt"), &leaf.certificate)?;
        fs::write(dir.join("tls.key"), &leaf.key)?;
        Ok(Self { dir: dir.to_owned(), ca: authority.certificate().to_owned() })
    }

    fn path(&self, file: &str) -> PathBuf {
        self.dir.join(file)
    }
}

/// A running service, killed when it is dropped.
pub(super) struct Service {
    child: Child,
    address: SocketAddr,
    endpoint: Endpoint,
    log: PathBuf,
}

impl Service {
    /// Starts it with the arguments of its Deployment. It logs into a file, as when it is deployed.
    pub(super) fn start(Contender { kind, program }: &Contender, identity: &Identity) -> Result<Self> {
        let [port, admin] = ports::free()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let endpoint = Endpoint::new(address, &identity.ca)?;
        let log = identity.path(&format!("{}.log", kind.name()));
        let mut command = Command::new(program);
        command.env_clear().arg(format!("--listen={address}"));
        if *kind != Kind::Floor {
            command.arg(format!("--admin-listen=127.0.0.1:{admin}"));
        }
        if *kind == Kind::Ours {
            command.args(["--log-format=json", "--log-level=info"]);
            command.arg("--tls-cert").arg(identity.path("tls.crt")).arg("--tls-key").arg(identity.path("tls.key"));
        } else {
            command.arg("--cert-dir").arg(&identity.dir);
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        Ok(Self { child, address, endpoint, log })
    }

    /// Where to ask it.
    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Its process id.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it takes connections.
    pub(super) fn wait_until_listening(&self, limit: Duration) -> Result<()> {
        let began = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if began.elapsed() > limit {
                bail!("it does not listen after {limit:?}; {}", self.log());
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// The end of its log, for an error message.
    pub(super) fn log(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        format!("the end of its log:\n{}", lines[lines.len().saturating_sub(10)..].join("\n"))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
