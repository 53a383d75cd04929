//! An HTTP/1.1 client over TLS, as plain as can be: it shows what the server does with the connection.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::pki::{Pair, SERVER};

/// One connection.
pub struct Client {
    stream: TlsStream<TcpStream>,
}

/// An answer, and whether the server said that it closes the connection.
pub struct Answer {
    pub code: u16,
    pub closes: bool,
    pub body: Vec<u8>,
}

impl Client {
    pub async fn connect(
        address: SocketAddr,
        root: &CertificateDer<'static>,
        version: &'static SupportedProtocolVersion,
    ) -> io::Result<Self> {
        Self::connect_as(None, address, root, version).await
    }

    /// Connects, and shows a certificate to a server that asks for one.
    pub async fn connect_as(
        identity: Option<&Pair>,
        address: SocketAddr,
        root: &CertificateDer<'static>,
        version: &'static SupportedProtocolVersion,
    ) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(root.clone()).expect("a root");
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[version])
            .expect("a version")
            .with_root_certificates(roots);
        let config = match identity {
            None => config.with_no_client_auth(),
            Some(pair) => {
                let chain = vec![CertificateDer::from_pem_slice(pair.cert.as_bytes()).expect("a certificate")];
                let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).expect("a key");
                config.with_client_auth_cert(chain, key).expect("a pair")
            }
        };
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from(SERVER).expect("a name");
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        Ok(Self { stream })
    }

    /// The leaf the server showed.
    pub fn leaf(&self) -> Vec<u8> {
        let (_, connection) = self.stream.get_ref();
        connection.peer_certificates().expect("certificates")[0].to_vec()
    }

    pub async fn post(&mut self, path: &str, review: &Value) -> io::Result<Answer> {
        self.send(path, &review.to_string()).await
    }

    pub async fn send(&mut self, path: &str, body: &str) -> io::Result<Answer> {
        self.request(path, body).await?;
        self.answer().await
    }

    /// Asks, and leaves the answer where it is.
    pub async fn request(&mut self, path: &str, body: &str) -> io::Result<()> {
        let head = format!("POST {path} HTTP/1.1\r\nHost: {SERVER}\r\nContent-Length: {}\r\n\r\n", body.len());
        self.stream.write_all(head.as_bytes()).await?;
        self.stream.write_all(body.as_bytes()).await?;
        self.stream.flush().await
    }

    /// Begins to ask, and leaves it at that.
    pub async fn begin(&mut self, text: &str) -> io::Result<()> {
        self.stream.write_all(text.as_bytes()).await?;
        self.stream.flush().await
    }

    async fn answer(&mut self) -> io::Result<Answer> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.stream.read_u8().await?);
        }
        let head = String::from_utf8(head).expect("a header is text").to_lowercase();
        let code = head[9..12].parse().expect("a status code");
        let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let length = header("content-length:").expect("a length").parse().expect("a number");
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        Ok(Answer { code, closes: header("connection:") == Some("close"), body })
    }

    /// Bytes until the server closes.
    pub async fn rest(&mut self) -> usize {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).await.unwrap_or_default()
    }
}
