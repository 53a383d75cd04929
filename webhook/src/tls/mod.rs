//! Certificates that change while the service runs: [`material`] parses a pair, [`store`] holds the one that is served, [`watch`] keeps it
//! equal to the files.

mod material;
mod store;
mod watch;

pub use material::{Material, MaterialError};
pub use store::{CertificateStore, Validity};
pub use watch::{CertificateFiles, LoadError, Outcome, Watch};
