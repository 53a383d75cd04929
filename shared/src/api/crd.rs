//! The CustomResourceDefinitions as they are installed.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt as _;

use super::{RDSDatabase, RDSDatabaseClass};

/// The definitions of both resources.
pub fn crds() -> Vec<CustomResourceDefinition> {
    vec![RDSDatabase::crd(), RDSDatabaseClass::crd()]
}
