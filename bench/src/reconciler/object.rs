//! The objects that are made, and when one of them is Ready.

use anyhow::Result;
use kube::api::{DynamicObject, ListParams};
use testbed::resource::databases;
use testbed::stack::Stack;

/// Where they are.
pub(super) const NAMESPACE: &str = "bench";

/// The name of an object.
pub(super) fn name(number: u16) -> String {
    format!("orders-{number:03}")
}

/// The documentation's example under another name: two users who share a database.
pub(super) fn manifest(name: &str) -> String {
    format!(
        "\
apiVersion: matrixmind.cloud/v1
kind: RDSDatabase
metadata:
  name: {name}
  namespace: {NAMESPACE}
spec:
  type: Postgresql
  version: \"12\"
  size: 10GB
  users:
    app: [createdb]
    report: []
  databases:
    orders: [app, report]
"
    )
}

/// How many objects are Ready.
pub(super) async fn ready(stack: &Stack) -> Result<usize> {
    let api = databases(stack.controlplane().client(), NAMESPACE);
    let objects = api.list(&ListParams::default()).await?;
    Ok(objects.iter().filter(|object| is_ready(object)).count())
}

/// Whether its status says so, of the generation that it has now.
pub(super) fn is_ready(object: &DynamicObject) -> bool {
    let status = &object.data["status"];
    let conditions = status["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    status["observedGeneration"].as_i64() == object.metadata.generation
        && conditions.iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(observed: i64, ready: &str) -> DynamicObject {
        let object = json!({
            "apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabase",
            "metadata": {"name": "orders-001", "generation": 2},
            "status": {
                "observedGeneration": observed,
                "conditions": [{"type": "Stalled", "status": "False"}, {"type": "Ready", "status": ready}],
            },
        });
        serde_json::from_value(object).unwrap()
    }

    #[test]
    fn ready_is_of_the_present_generation() {
        assert!(is_ready(&object(2, "True")));
        assert!(!is_ready(&object(1, "True")));
        assert!(!is_ready(&object(2, "False")));
    }
}
