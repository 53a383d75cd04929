//! Which namespaces the operator works in: all of them, or one, with rights for that one only.

use std::fmt::Debug;

use kube::api::Api;
use kube::runtime::watcher;
use kube::{Client, Resource};
use serde::de::DeserializeOwned;

/// Where objects are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// In every namespace.
    Cluster,
    /// In this namespace alone.
    Namespace(String),
}

impl Scope {
    /// One namespace where it is given, else all.
    pub(crate) fn new(namespace: Option<String>) -> Self {
        namespace.map_or(Self::Cluster, Self::Namespace)
    }

    /// Objects of a kind, wherever the operator works.
    pub(crate) fn api<K>(&self, client: &Client) -> Api<K>
    where
        K: Resource<Scope = k8s_openapi::NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
        K::DynamicType: Default,
    {
        match self {
            Self::Cluster => Api::all(client.clone()),
            Self::Namespace(namespace) => Api::namespaced(client.clone(), namespace),
        }
    }

    /// What to watch of the namespaces themselves. Rights for one object by its name allow a watch only where it is selected by name.
    pub(crate) fn namespaces(&self) -> watcher::Config {
        match self {
            Self::Cluster => watcher::Config::default(),
            Self::Namespace(namespace) => watcher::Config::default().fields(&format!("metadata.name={namespace}")),
        }
    }

    /// Whether objects of a namespace are seen.
    pub(crate) fn covers(&self, namespace: &str) -> bool {
        match self {
            Self::Cluster => true,
            Self::Namespace(one) => one == namespace,
        }
    }

    /// The namespace of the aliases, where it has to be watched besides.
    pub(crate) fn beside<'a>(&self, aliases: Option<&'a str>) -> Option<&'a str> {
        match self {
            Self::Cluster => None,
            Self::Namespace(namespace) => aliases.filter(|aliases| aliases != namespace),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_namespace_is_selected_by_name() {
        let one = Scope::new(Some("shop".to_owned()));
        assert_eq!(one.namespaces().field_selector.as_deref(), Some("metadata.name=shop"));
        assert_eq!(Scope::new(None).namespaces().field_selector, None);
    }

    #[test]
    fn aliases_are_watched_once() {
        let one = Scope::new(Some("shop".to_owned()));
        assert_eq!(one.beside(Some("rds")), Some("rds"));
        assert_eq!(one.beside(Some("shop")), None, "that namespace is watched already");
        assert_eq!(one.beside(None), None);
        assert_eq!(Scope::new(None).beside(Some("rds")), None, "all namespaces are watched already");
    }
}
