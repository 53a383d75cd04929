//! Certificates without cert-manager: the replicas share one authority in a Secret, sign leaves of their own with it, and tell API servers
//! whom to trust.
//!
//! [`plan`] decides and is pure, over the [`ledger`] (what the Secret says), what the webhook configurations carry, and the time; [`keeper`] reads,
//! asks it, and does what it says through the port [`cluster`], whose real adapter is [`kubernetes`].

pub mod certificate;
pub mod cluster;
pub mod keeper;
pub mod kubernetes;
pub mod ledger;
pub mod lifetimes;
pub mod plan;
