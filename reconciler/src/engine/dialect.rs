//! What an engine is called, and how its servers are led to, outside of them: pure.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use shared::rules::RoleFlags;

use super::password::Password;

/// What is left as it is in a part of a URI (RFC 3986, "unreserved").
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text as a part of a URI.
pub(super) fn encoded(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, ENCODED)
}

/// A database of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address<'a> {
    /// Host, which the server's certificate must name.
    pub host: &'a str,
    /// Port.
    pub port: u16,
    /// Database.
    pub database: &'a str,
}

/// How applications and Kubernetes speak of an engine.
pub trait Dialect: fmt::Debug + Send + Sync {
    /// `type` of its Secrets after the Service Binding specification, also the suffix of their Kubernetes type and the name of the port
    /// of a Service.
    fn binding_type(&self) -> &'static str;

    /// The database that every server has, where statements run that belong to no other.
    fn maintenance_database(&self) -> &'static str;

    /// Whether a user may connect to the maintenance database. `mapped` is whether it works in another one.
    fn enters_maintenance(&self, flags: RoleFlags, mapped: bool) -> bool;

    /// The keys and values by which a Secret tells its library to verify the server's certificate and name. `authorities` is the name of
    /// the file that holds whom to trust, where the Secret is mounted.
    fn verification(&self, authorities: &'static str) -> [(&'static str, &'static str); 2];

    /// The URI that leads a user to a database, with the certificate verified.
    fn uri(&self, user: &str, password: &Password, to: Address<'_>) -> String;

    /// The same for Java. Spring and Quarkus take it as it is and print it, so it names no user and brings the authority along, as PEM: no
    /// path is right everywhere.
    fn jdbc_url(&self, to: Address<'_>, authority: &str) -> String;
}

/// Each engine has one.
impl PartialEq for dyn Dialect {
    fn eq(&self, other: &Self) -> bool {
        self.binding_type() == other.binding_type()
    }
}

impl Eq for dyn Dialect {}

/// The Kubernetes type of an engine's Secrets.
pub(crate) fn secret_type(dialect: &dyn Dialect) -> String {
    format!("servicebinding.io/{}", dialect.binding_type())
}
