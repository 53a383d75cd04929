//! Whoever asks the same few reviews over and over.

use anyhow::{Result, ensure};

use super::connection::{Answer, Connection, Endpoint};
use super::load::Exchange;
use super::review::Request;

/// Someone who asks on one connection that is kept.
pub(super) struct Caller {
    connection: Connection,
    requests: Vec<Request>,
}

impl Caller {
    /// Connects; the handshake happens with the first request.
    pub(super) fn connect(endpoint: &Endpoint, requests: &[Request]) -> Result<Self> {
        Ok(Self { connection: Connection::open(endpoint)?, requests: requests.to_vec() })
    }
}

impl Exchange for Caller {
    fn exchange(&mut self, number: u32) -> Result<()> {
        ask(&mut self.connection, &mut self.requests, number)
    }
}

/// Someone who connects for each request anew.
pub(super) struct Newcomer {
    endpoint: Endpoint,
    requests: Vec<Request>,
}

impl Newcomer {
    /// Connects to nobody yet.
    pub(super) fn new(endpoint: &Endpoint, requests: &[Request]) -> Self {
        Self { endpoint: endpoint.clone(), requests: requests.to_vec() }
    }
}

impl Exchange for Newcomer {
    fn exchange(&mut self, number: u32) -> Result<()> {
        let mut connection = Connection::open(&self.endpoint)?;
        ask(&mut connection, &mut self.requests, number)?;
        connection.close()
    }
}

/// Asks the review whose turn it is, with a uid of that number, and checks that it is allowed.
fn ask(connection: &mut Connection, requests: &mut [Request], number: u32) -> Result<()> {
    // A remainder by the number of requests fits into usize, as that number does.
    let turn = number as usize % requests.len();
    let request = &mut requests[turn];
    request.set_number(number);
    let Answer { head, body } = connection.ask(request.bytes())?;
    let shown = || String::from_utf8_lossy(&[head, body].concat()).chars().take(500).collect::<String>();
    ensure!(head.starts_with(b"HTTP/1.1 200 "), "request {number} was answered with {}", shown());
    ensure!(contains(body, request.uid()), "the answer to {number} is to another: {}", shown());
    ensure!(contains(body, br#""allowed":true"#), "request {number} was refused: {}", shown());
    Ok(())
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
