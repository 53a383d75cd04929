//! A connection as the API server opens one: TLS 1.3, HTTP/1.1, one request at a time.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs::{self, cipher_suite, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::version::TLS13;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedCipherSuite};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};

use super::service::SERVER;

/// An answer that takes longer has been lost.
const PATIENCE: Duration = Duration::from_secs(10);

/// What Go's crypto/tls offers by itself since 1.24, and with it the API server since 1.33; in this order, which decides where the server has
/// no order of its own.
const SUITES: [SupportedCipherSuite; 3] = [
    cipher_suite::TLS13_AES_128_GCM_SHA256,
    cipher_suite::TLS13_AES_256_GCM_SHA384,
    cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
];
const GROUPS: [&dyn SupportedKxGroup; 4] =
    [kx_group::X25519MLKEM768, kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1];

/// Where a service listens, and how to trust it.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    address: SocketAddr,
    config: Arc<ClientConfig>,
}

impl Endpoint {
    /// A service whose certificate is signed by this CA, PEM.
    pub(super) fn new(address: SocketAddr, ca: &str) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(ca.as_bytes())?)?;
        let provider = CryptoProvider {
            cipher_suites: SUITES.to_vec(),
            kx_groups: GROUPS.to_vec(),
            ..aws_lc_rs::default_provider()
        };
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&TLS13])?
            .with_root_certificates(roots)
            .with_no_client_auth();
        // API servers do not speak HTTP/2 with webhooks.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Each connection pays for its whole handshake.
        config.resumption = Resumption::disabled();
        Ok(Self { address, config: Arc::new(config) })
    }
}

/// An open connection.
pub(super) struct Connection {
    stream: StreamOwned<ClientConnection, TcpStream>,
    received: Vec<u8>,
}

/// What came back for one request.
pub(super) struct Answer<'a> {
    /// Status line and header fields.
    pub(super) head: &'a [u8],
    /// The body.
    pub(super) body: &'a [u8],
}

impl Connection {
    /// Connects; the handshake happens with the first request.
    pub(super) fn open(endpoint: &Endpoint) -> Result<Self> {
        let stream = TcpStream::connect(endpoint.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let session = ClientConnection::new(Arc::clone(&endpoint.config), ServerName::try_from(SERVER)?)?;
        Ok(Self { stream: StreamOwned::new(session, stream), received: Vec::new() })
    }

    /// Sends one request and waits for its answer.
    ///
    /// # Errors
    /// When the connection breaks, or what comes is no HTTP.
    pub(super) fn ask(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request)?;
        self.stream.flush()?;
        self.received.clear();
        let body_at = self.receive_until(|received| Ok(head_length(received)))?;
        let end = match content_length(&self.received[..body_at])? {
            Some(length) => {
                self.receive_until(|received| Ok((received.len() >= body_at + length).then_some(body_at + length)))?
            }
            None => self.receive_chunks(body_at)?,
        };
        ensure!(self.received.len() == end, "more came than one answer");
        let (head, body) = self.received.split_at(body_at);
        Ok(Answer { head, body })
    }

    /// Says goodbye as TLS asks for.
    pub(super) fn close(mut self) -> Result<()> {
        self.stream.conn.send_close_notify();
        Ok(self.stream.flush()?)
    }

    /// Receives until something is found, and gives it.
    fn receive_until<T>(&mut self, mut find: impl FnMut(&[u8]) -> Result<Option<T>>) -> Result<T> {
        let mut piece = [0; 16 * 1024];
        loop {
            if let Some(found) = find(&self.received)? {
                return Ok(found);
            }
            let read = self.stream.read(&mut piece)?;
            ensure!(read > 0, "the connection was closed within an answer");
            self.received.extend_from_slice(&piece[..read]);
        }
    }

    /// Receives a chunked body and leaves it without the marks of its chunks; gives where it ends.
    fn receive_chunks(&mut self, body_at: usize) -> Result<usize> {
        let body = self.receive_until(|received| unchunked(&received[body_at..]))?;
        self.received.truncate(body_at);
        self.received.extend_from_slice(&body);
        Ok(self.received.len())
    }
}

fn head_length(answer: &[u8]) -> Option<usize> {
    const END: &[u8] = b"\r\n\r\n";
    answer.windows(END.len()).position(|window| window == END).map(|at| at + END.len())
}

/// The declared length of a body; none where it comes in chunks.
fn content_length(head: &[u8]) -> Result<Option<usize>> {
    let head = std::str::from_utf8(head).context("a head that is no text")?;
    let value = |wanted: &str| {
        head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim())
        })
    };
    if let Some(length) = value("content-length") {
        return Ok(Some(length.parse()?));
    }
    ensure!(value("transfer-encoding") == Some("chunked"), "an answer without a length");
    Ok(None)
}

/// The body of a chunked answer, once its last chunk is there.
fn unchunked(mut chunks: &[u8]) -> Result<Option<Vec<u8>>> {
    const LINE: &[u8] = b"\r\n";
    let mut body = Vec::new();
    loop {
        let Some(line) = chunks.windows(LINE.len()).position(|window| window == LINE) else { return Ok(None) };
        let size = usize::from_str_radix(std::str::from_utf8(&chunks[..line])?, 16).context("the size of a chunk")?;
        let (start, end) = (line + LINE.len(), line + LINE.len() + size);
        if chunks.len() < end + LINE.len() {
            return Ok(None);
        }
        if size == 0 {
            return Ok(Some(body));
        }
        body.extend_from_slice(&chunks[start..end]);
        chunks = &chunks[end + LINE.len()..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Type: x\r\ncontent-length: 7\r\n\r\n{\"a\":1}";
        let body_at = head_length(answer).unwrap();
        assert_eq!(content_length(&answer[..body_at]).unwrap(), Some(answer.len() - body_at));
        assert_eq!(head_length(b"HTTP/1.1 200 OK\r\n"), None);
        assert_eq!(content_length(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap(), None);
        assert!(content_length(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }

    #[test]
    fn chunks_are_put_together_when_the_last_is_there() {
        let whole = b"4\r\nab\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n";
        assert_eq!(unchunked(whole).unwrap().unwrap(), b"ab\r\n0123456789");
        for length in 0..whole.len() {
            assert_eq!(unchunked(&whole[..length]).unwrap(), None, "{length}");
        }
        assert!(unchunked(b"x\r\n").is_err());
    }
}
