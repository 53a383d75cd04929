//! What is shown to clients, and demanded of them, while both may change: [`material`] holds a pair that fits, [`store`] what is served now,
//! [`acceptor`] shakes hands with it, [`watch`] and [`clients`] keep it equal to files. [`crate::authority`] does without files.

mod acceptor;
mod clients;
mod handshake;
mod material;
mod store;
mod watch;

pub use acceptor::Acceptor;
pub use clients::{ClientAuthorityError, ClientWatch};
pub use handshake::{Failure, Failures};
pub use material::{Material, MaterialError};
pub use store::{CertificateStore, Validity};
pub use watch::{CertificateFiles, LoadError, Outcome, Watch};

pub(crate) use material::validity;
