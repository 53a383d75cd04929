//! What must be new: drawn at random by the server, from its seed by a simulation.

use crate::error::ApiError;

/// The source of what no two instances share.
pub trait Fresh {
    /// `db-` and 26 letters and digits, never given twice.
    fn resource_id(&mut self) -> String;

    /// A port that is not among `taken`: the one that is `wanted` where it can be had.
    ///
    /// # Errors
    /// When there is none left.
    fn port(&mut self, taken: &[u16], wanted: Option<u16>) -> Result<u16, ApiError>;

    /// The SCRAM-SHA-256 verifier of a password, with a salt of its own.
    fn verifier(&mut self, password: &str) -> String;
}
