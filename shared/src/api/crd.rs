//! The CustomResourceDefinitions as they are installed.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
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
            nothing_required(spec);
        }
        unwrap_descriptions(root);
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
        unwrap_descriptions(root);
    }
    crd
}

/// Every field may be left out, those of fields too: a schema of one's own makes schemars take it for required.
fn nothing_required(schema: &mut JSONSchemaProps) {
    schema.required = None;
    schema.properties.iter_mut().flat_map(|properties| properties.values_mut()).for_each(nothing_required);
}

/// Lines of doc comments end where the source ends them; `kubectl explain` breaks its lines itself.
fn unwrap_descriptions(schema: &mut JSONSchemaProps) {
    if let Some(description) = &mut schema.description {
        *description = description.replace('\n', " ");
    }
    schema.properties.iter_mut().flat_map(|properties| properties.values_mut()).for_each(unwrap_descriptions);
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        unwrap_descriptions(values);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        unwrap_descriptions(items);
    }
}

/// The root schema of each version.
fn schemas(crd: &mut CustomResourceDefinition) -> impl Iterator<Item = &mut JSONSchemaProps> {
    crd.spec.versions.iter_mut().filter_map(|version| version.schema.as_mut()?.open_api_v3_schema.as_mut())
}

fn property<'a>(schema: &'a mut JSONSchemaProps, name: &str) -> Option<&'a mut JSONSchemaProps> {
    schema.properties.as_mut()?.get_mut(name)
}
