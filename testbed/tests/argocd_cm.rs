//! The ConfigMap for those who give Argo CD the customizations themselves is made of the scripts.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Value, json};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests/argocd");
const KIND: &str = "resource_customizations/matrixmind.cloud/RDSDatabase";

/// As Argo CD's operator manual has it: "Resource Health", way 1, and "Resource Actions".
fn config_map() -> String {
    let kind = Path::new(FOLDER).join(KIND);
    let read = |file: &Path| fs::read_to_string(file).expect("a script can be read");
    let mut definitions = BTreeMap::new();
    for entry in fs::read_dir(kind.join("actions")).expect("the folder can be listed") {
        let folder = entry.expect("an entry can be read").path();
        let script = folder.join("action.lua");
        if script.is_file() {
            let name = folder.file_name().expect("a folder has a name").to_string_lossy().into_owned();
            definitions.insert(name.clone(), json!({"name": name, "action.lua": read(&script)}));
        }
    }
    let actions = json!({
        "discovery.lua": read(&kind.join("actions/discovery.lua")),
        "definitions": definitions.into_values().collect::<Vec<_>>(),
    });
    let yaml = |value: &Value| serde_yaml_ng::to_string(value).expect("JSON is YAML");
    let object = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "argocd-cm", "namespace": "argocd", "labels": {"app.kubernetes.io/part-of": "argocd"}},
        "data": {
            "resource.customizations.health.matrixmind.cloud_RDSDatabase": read(&kind.join("health.lua")),
            "resource.customizations.actions.matrixmind.cloud_RDSDatabase": yaml(&actions),
        },
    });
    format!(
        "# Made of the scripts in resource_customizations. A patch for the ConfigMap that is there already:\n\
         #   kubectl patch configmap argocd-cm -n argocd --patch-file manifests/argocd/argocd-cm.yaml\n\
         # or, in a kustomization that installs Argo CD:  patches: [{{path: argocd-cm.yaml}}]\n{}",
        yaml(&object)
    )
}

#[test]
fn the_config_map_holds_the_scripts() {
    let file = Path::new(FOLDER).join("argocd-cm.yaml");
    let wanted = config_map();
    if std::env::var_os("WRITE_FIXTURES").is_some() {
        fs::write(&file, &wanted).expect("the ConfigMap can be written");
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    let remedy = "run `WRITE_FIXTURES=1 cargo test -p testbed --test argocd_cm`";
    assert!(found == wanted, "{} is stale: {remedy}", file.display());
    assert_eq!(found.matches("action.lua: ").count(), 2, "an action is missing");
}
