//! The port to Kubernetes: what the reconciler reads and writes there, and nothing more.

mod echoes;
mod events;
mod kubernetes;
mod port;

pub use echoes::Echoes;
pub use kubernetes::Kubernetes;
pub use port::{Cluster, ClusterError, NamespaceFacts, Notice, Version};
