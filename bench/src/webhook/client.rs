//! A connection as the API server keeps one: TLS 1.3, HTTP/1.1, one request at a time.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::version::TLS13;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};

use super::load::Exchange;
use super::review::Request;
use super::service::SERVER;

/// An answer that takes longer has been lost.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where a service listens, and how to trust it.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    address: SocketAddr,
    config: Arc<ClientConfig>,
}

impl Endpoint {
    /// A service whose certificate is signed by this CA, PEM.
    pub(super) fn new(address: SocketAddr, ca: &str) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(ca.as_bytes())?)?;
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&TLS13])?
            .with_root_certificates(roots)
            .with_no_client_auth();
        // Each connection pays for its whole handshake.
        config.resumption = Resumption::disabled();
        Ok(Self { address, config: Arc::new(config) })
    }
}

/// Someone who asks the same few reviews over and over on one connection.
pub(super) struct Caller {
    stream: StreamOwned<ClientConnection, TcpStream>,
    requests: Vec<Request>,
    answer: Vec<u8>,
}

impl Caller {
    /// Connects; the handshake happens with the first request.
    pub(super) fn connect(endpoint: &Endpoint, requests: &[Request]) -> Result<Self> {
        let stream = TcpStream::connect(endpoint.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let session = ClientConnection::new(Arc::clone(&endpoint.config), ServerName::try_from(SERVER)?)?;
        Ok(Self { stream: StreamOwned::new(session, stream), requests: requests.to_vec(), answer: Vec::new() })
    }

    /// Asks the review whose turn it is, with a uid of that number, and checks that it is allowed.
    ///
    /// # Errors
    /// When the connection breaks, or the answer is not what it should be.
    pub(super) fn ask(&mut self, number: u32) -> Result<()> {
        // A remainder by the number of requests fits into usize, as that number does.
        let turn = number as usize % self.requests.len();
        let request = &mut self.requests[turn];
        request.set_number(number);
        self.stream.write_all(request.bytes())?;
        self.stream.flush()?;
        let body_at = self.read_answer()?;
        let (head, body) = self.answer.split_at(body_at);
        let shown = || String::from_utf8_lossy(&self.answer).chars().take(500).collect::<String>();
        ensure!(head.starts_with(b"HTTP/1.1 200 "), "request {number} was answered with {}", shown());
        ensure!(contains(body, self.requests[turn].uid()), "the answer to {number} is to another: {}", shown());
        ensure!(contains(body, br#""allowed":true"#), "request {number} was refused: {}", shown());
        Ok(())
    }

    /// Reads one answer, head and body, into the buffer; gives where the body begins.
    fn read_answer(&mut self) -> Result<usize> {
        self.answer.clear();
        let mut piece = [0; 16 * 1024];
        let mut ends = None;
        loop {
            if let Some((body_at, end)) = ends
                && self.answer.len() >= end
            {
                ensure!(self.answer.len() == end, "more came than one answer");
                return Ok(body_at);
            }
            let read = self.stream.read(&mut piece)?;
            ensure!(read > 0, "the connection was closed within an answer");
            self.answer.extend_from_slice(&piece[..read]);
            if ends.is_none()
                && let Some(body_at) = head_length(&self.answer)
            {
                ends = Some((body_at, body_at + content_length(&self.answer[..body_at])?));
            }
        }
    }
}

impl Exchange for Caller {
    fn exchange(&mut self, number: u32) -> Result<()> {
        self.ask(number)
    }
}

fn head_length(answer: &[u8]) -> Option<usize> {
    const END: &[u8] = b"\r\n\r\n";
    answer.windows(END.len()).position(|window| window == END).map(|at| at + END.len())
}

fn content_length(head: &[u8]) -> Result<usize> {
    let head = std::str::from_utf8(head).context("a head that is no text")?;
    let mut lengths = head.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim())
    });
    Ok(lengths.next().context("an answer without a length")?.parse()?)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Type: x\r\ncontent-length: 7\r\n\r\n{\"a\":1}";
        let body_at = head_length(answer).unwrap();
        assert_eq!(content_length(&answer[..body_at]).unwrap(), answer.len() - body_at);
        assert_eq!(head_length(b"HTTP/1.1 200 OK\r\n"), None);
        assert!(content_length(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
