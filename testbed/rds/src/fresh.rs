//! What is new with every instance, drawn at random.

use rds_model::{ApiError, Fresh};

use crate::postgres::free_port;
use crate::wire::error::internal;

/// Chance, and this machine's ports.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drawn;

impl Fresh for Drawn {
    fn resource_id(&mut self) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let random = (0..26).map(|_| char::from(LETTERS[rand::random_range(0..LETTERS.len())]));
        format!("db-{}", random.collect::<String>())
    }

    fn port(&mut self, taken: &[u16], wanted: Option<u16>) -> Result<u16, ApiError> {
        free_port(taken, wanted).map_err(|error| internal(&error))
    }

    fn verifier(&mut self, password: &str) -> String {
        postgres_protocol::password::scram_sha_256(password.as_bytes())
    }
}
