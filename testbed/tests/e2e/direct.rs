//! Connections to the webhook past the API server, by someone who trusts whom the API server trusts.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use anyhow::Result;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};

use crate::admission::Admission;

/// How long a read waits.
const PATIENCE: Duration = Duration::from_millis(500);

/// A connection over which a request has begun.
pub(crate) struct Direct(StreamOwned<ClientConnection, TcpStream>);

impl Direct {
    /// Connects, shakes hands and sends this. No certificate is shown: who must see one says so in its first answer (TLS 1.3).
    pub(crate) async fn send(admission: &Admission, address: SocketAddr, text: String) -> Result<Self> {
        let bundle = admission.bundle().await?;
        let bundle = BASE64_STANDARD.decode(bundle.split(' ').next().unwrap_or_default())?;
        tokio::task::spawn_blocking(move || {
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(&bundle) {
                roots.add(certificate?)?;
            }
            let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
            let name = ServerName::try_from("rds-webhook.rds-system.svc")?;
            let session = ClientConnection::new(Arc::new(config), name)?;
            let mut stream = StreamOwned::new(session, TcpStream::connect(address)?);
            stream.write_all(text.as_bytes())?;
            stream.sock.set_read_timeout(Some(PATIENCE))?;
            Ok(Self(stream))
        })
        .await?
    }

    /// Whether nothing comes, for the time that a read waits.
    pub(crate) fn unanswered(&mut self) -> bool {
        self.0.read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    /// What comes, or why nothing does.
    pub(crate) fn answer(&mut self) -> std::io::Result<String> {
        let mut answer = [0; 64];
        let length = self.0.read(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
    }
}
