//! An `RDSDatabase` as a client sees it: as plain JSON. The test bed judges what the API server serves, not what our own types make of it.

use anyhow::{Context, Result, bail};
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, GroupVersionKind},
};
use serde::Deserialize;
use serde_json::Value;

/// One entry of `status.conditions`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Condition {
    /// `Ready`, `Reconciling`, `Stalled` or the name of a concern.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// One word in CamelCase.
    pub reason: String,
    /// For people.
    pub message: String,
}

/// What the API server served of an `RDSDatabase`.
#[derive(Clone, Debug)]
pub struct Database(Value);

/// The `RDSDatabase`s of a namespace, read without knowing their schema.
pub fn databases(client: Client, namespace: &str) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("matrixmind.cloud", "v1", "RDSDatabase");
    Api::namespaced_with(client, namespace, &ApiResource::from_gvk_with_plural(&kind, "rdsdatabases"))
}

impl Database {
    /// Reads one; `None` when there is none of that name.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub async fn read(client: Client, namespace: &str, name: &str) -> Result<Option<Self>> {
        let object =
            databases(client, namespace).get_opt(name).await.with_context(|| format!("reading {namespace}/{name}"))?;
        object.map(|object| Ok(Self(serde_json::to_value(object)?))).transpose()
    }

    /// Reads one that must be there.
    ///
    /// # Errors
    /// When there is none, or the API server does not answer.
    pub async fn existing(client: Client, namespace: &str, name: &str) -> Result<Self> {
        Self::read(client, namespace, name).await?.with_context(|| format!("no RDSDatabase {namespace}/{name}"))
    }

    /// The value at a JSON pointer such as `/status/endpoint/host`; null where there is none.
    pub fn at(&self, pointer: &str) -> &Value {
        self.0.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// The text at a JSON pointer; empty where there is none.
    pub fn text(&self, pointer: &str) -> &str {
        self.at(pointer).as_str().unwrap_or_default()
    }

    /// All conditions.
    pub fn conditions(&self) -> Vec<Condition> {
        Vec::deserialize(self.at("/status/conditions")).unwrap_or_default()
    }

    /// The condition of this type.
    pub fn condition(&self, kind: &str) -> Option<Condition> {
        self.conditions().into_iter().find(|condition| condition.kind == kind)
    }

    /// Fails unless the status speaks of the present generation and has this condition with this status.
    ///
    /// # Errors
    /// Saying what is there instead.
    pub fn expect(&self, kind: &str, status: &str) -> Result<Condition> {
        if self.at("/status/observedGeneration") != self.at("/metadata/generation") {
            let (observed, present) = (self.at("/status/observedGeneration"), self.at("/metadata/generation"));
            bail!("status of generation {observed}, not yet {present}");
        }
        match self.condition(kind) {
            Some(condition) if condition.status == status => Ok(condition),
            other => bail!("wanted {kind}={status}, found {other:?}; all conditions: {:?}", self.conditions()),
        }
    }
}
