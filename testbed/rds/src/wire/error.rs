//! What the server refuses before, or fails at beside, what RDS does.

use std::fmt::Display;

use rds_model::ApiError;

/// The server itself failed: a message for the caller, the cause goes to the log.
pub(crate) fn internal(cause: &dyn Display) -> ApiError {
    tracing::error!(%cause, "a call failed inside the server");
    ApiError::internal()
}

pub(crate) fn throttled() -> ApiError {
    ApiError::new(400, "ThrottlingException", "Rate exceeded")
}

pub(crate) fn missing_token() -> ApiError {
    ApiError::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
}

pub(crate) fn incomplete_signature(message: impl Into<String>) -> ApiError {
    ApiError::new(403, "IncompleteSignature", message)
}

pub(crate) fn wrong_scope(message: impl Into<String>) -> ApiError {
    ApiError::new(403, "SignatureDoesNotMatch", message)
}

pub(crate) fn unknown_action(action: &str, version: &str) -> ApiError {
    ApiError::new(400, "InvalidAction", format!("Could not find operation {action} for version {version}"))
}

pub(crate) fn log_file_not_found(name: &str) -> ApiError {
    ApiError::of("DBLogFileNotFoundFault", format!("DBLog File: {name}, is not found on the DB instance"))
}
