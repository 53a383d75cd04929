//! The CustomResourceDefinitions as they are installed.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps,
};
use kube::CustomResourceExt as _;
use serde_json::json;

use super::{RDSDatabase, RDSDatabaseClass, cel};

/// The definitions of both resources.
pub fn crds() -> Vec<CustomResourceDefinition> {
    vec![database(), class()]
}

fn database() -> CustomResourceDefinition {
    let mut crd = RDSDatabase::crd();
    for root in schemas(&mut crd) {
        root.x_kubernetes_validations = Some(cel::database_rules());
        root.required = None;
        if let Some(spec) = property(root, "spec") {
            spec.x_kubernetes_validations = Some(cel::spec_rules());
            spec.required = None;
            if let Some(backup) = property(spec, "backup") {
                backup.required = None;
            }
        }
        // An object without conditions counts as current (kstatus), so a new one has to say that it is not.
        if let Some(status) = property(root, "status") {
            status.default = Some(JSON(json!({"observedGeneration": -1})));
        }
    }
    crd
}

fn class() -> CustomResourceDefinition {
    let mut crd = RDSDatabaseClass::crd();
    for root in schemas(&mut crd) {
        root.x_kubernetes_validations = Some(cel::class_rules());
        if let Some(spec) = property(root, "spec") {
            spec.required = None;
        }
    }
    crd
}

/// The root schema of each version.
fn schemas(crd: &mut CustomResourceDefinition) -> impl Iterator<Item = &mut JSONSchemaProps> {
    crd.spec.versions.iter_mut().filter_map(|version| version.schema.as_mut()?.open_api_v3_schema.as_mut())
}

fn property<'a>(schema: &'a mut JSONSchemaProps, name: &str) -> Option<&'a mut JSONSchemaProps> {
    schema.properties.as_mut()?.get_mut(name)
}
