//! What the API answers when it refuses: a code, a message and an HTTP status. Codes and statuses are those of the service model of RDS.

use std::fmt::Display;

use axum::http::StatusCode;

/// A refused call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct ApiError {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) status: StatusCode,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), status }
    }

    /// A refusal with a code of the service model, whose status is 404 where something was not found.
    pub(crate) fn of(code: &str, message: impl Into<String>) -> Self {
        if code.contains("NotFound") { Self::not_found(code, message) } else { Self::sender(code, message) }
    }

    fn sender(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    fn not_found(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    fn forbidden(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    /// The server itself failed: a message for the caller, the cause goes to the log.
    pub(crate) fn internal(cause: &dyn Display) -> Self {
        tracing::error!(%cause, "a call failed inside the server");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalFailure",
            "An internal error has occurred. Please try your query again at a later time.",
        )
    }

    pub(crate) fn invalid_value(message: impl Into<String>) -> Self {
        Self::sender("InvalidParameterValue", message)
    }

    pub(crate) fn invalid_combination(message: impl Into<String>) -> Self {
        Self::sender("InvalidParameterCombination", message)
    }

    pub(crate) fn missing_parameter(name: &str) -> Self {
        Self::sender("MissingParameter", format!("The request must contain the parameter {name}"))
    }

    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self::sender("MalformedInput", message)
    }

    pub(crate) fn instance_exists() -> Self {
        Self::sender("DBInstanceAlreadyExists", "DB instance already exists")
    }

    pub(crate) fn instance_not_found(id: &str) -> Self {
        Self::not_found("DBInstanceNotFound", format!("DBInstance {id} not found."))
    }

    pub(crate) fn invalid_instance_state(message: impl Into<String>) -> Self {
        Self::sender("InvalidDBInstanceState", message)
    }

    pub(crate) fn snapshot_exists(id: &str) -> Self {
        Self::sender(
            "DBSnapshotAlreadyExists",
            format!("Cannot create the snapshot because a snapshot with the identifier {id} already exists."),
        )
    }

    pub(crate) fn snapshot_not_found(id: &str) -> Self {
        Self::not_found("DBSnapshotNotFound", format!("DBSnapshot {id} not found."))
    }

    pub(crate) fn invalid_snapshot_state(message: impl Into<String>) -> Self {
        Self::sender("InvalidDBSnapshotState", message)
    }

    pub(crate) fn log_file_not_found(name: &str) -> Self {
        Self::not_found("DBLogFileNotFoundFault", format!("DBLog File: {name}, is not found on the DB instance"))
    }

    pub(crate) fn storage_type_not_supported(message: impl Into<String>) -> Self {
        Self::sender("StorageTypeNotSupported", message)
    }

    pub(crate) fn instance_quota() -> Self {
        Self::sender("InstanceQuotaExceeded", "DB Instance quota exceeded")
    }

    pub(crate) fn snapshot_quota() -> Self {
        Self::sender("SnapshotQuotaExceeded", "Cannot create more than the allowed number of manual snapshots")
    }

    pub(crate) fn retained_backup_quota() -> Self {
        Self::sender(
            "DBInstanceAutomatedBackupQuotaExceeded",
            "The quota for retained automated backups was exceeded. This prevents you from retaining any additional automated backups.",
        )
    }

    pub(crate) fn throttled() -> Self {
        Self::sender("ThrottlingException", "Rate exceeded")
    }

    pub(crate) fn missing_token() -> Self {
        Self::forbidden("MissingAuthenticationToken", "Request is missing Authentication Token")
    }

    pub(crate) fn incomplete_signature(message: impl Into<String>) -> Self {
        Self::forbidden("IncompleteSignature", message)
    }

    pub(crate) fn wrong_scope(message: impl Into<String>) -> Self {
        Self::forbidden("SignatureDoesNotMatch", message)
    }

    pub(crate) fn unknown_action(action: &str, version: &str) -> Self {
        Self::sender("InvalidAction", format!("Could not find operation {action} for version {version}"))
    }

    /// `Sender` for what the caller can mend, `Receiver` for what only the service can.
    pub(crate) fn kind(&self) -> &'static str {
        if self.status.is_server_error() { "Receiver" } else { "Sender" }
    }
}
