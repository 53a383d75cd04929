//! The AWS Query protocol: form-encoded requests in, XML answers out.

pub(crate) mod auth;
pub(crate) mod error;
pub(crate) mod xml;

pub(crate) use xml::Node;

/// The namespace of every RDS answer.
pub(crate) const RDS_NAMESPACE: &str = "http://rds.amazonaws.com/doc/2014-10-31/";
/// The namespace of every STS answer.
pub(crate) const STS_NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
