//! The AdmissionReview as it is answered.
//!
//! `kube::core::admission::AdmissionResponse` writes the patch as a list of numbers and a Status even where nothing failed; this one
//! writes what the API's documentation shows.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kube::core::Status;
use serde::Serialize;

use super::decide::Decision;
use super::refusal;
use super::warnings::fitted;

/// The answer to the review `uid`, as JSON.
pub fn render(uid: &str, decision: Decision) -> Vec<u8> {
    serialize(uid, decision).unwrap_or_else(|error| {
        // A response of texts and a status always serializes.
        let decision = Decision::refused(refusal::internal("an answer that cannot be written"));
        tracing::error!(%error, uid, "an answer cannot be written");
        serialize(uid, decision).unwrap_or_default()
    })
}

fn serialize(uid: &str, decision: Decision) -> serde_json::Result<Vec<u8>> {
    let response = match decision {
        Decision::Allowed { patch, warnings } => {
            let patch = match patch {
                Some(patch) if !patch.0.is_empty() => Some(STANDARD.encode(serde_json::to_vec(&patch)?)),
                _ => None,
            };
            let patch_type = patch.as_ref().map(|_| "JSONPatch");
            Response { uid, allowed: true, status: None, patch_type, patch, warnings: fitted(warnings) }
        }
        // The API server passes the warnings of a refusal on as well.
        Decision::Refused { status, warnings, .. } => Response {
            uid,
            allowed: false,
            status: Some(status),
            patch_type: None,
            patch: None,
            warnings: fitted(warnings),
        },
    };
    serde_json::to_vec(&Review { api_version: "admission.k8s.io/v1", kind: "AdmissionReview", response })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Review<'a> {
    api_version: &'static str,
    kind: &'static str,
    response: Response<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    uid: &'a str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Box<Status>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}
