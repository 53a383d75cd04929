//! What the API answers when it refuses: a code, a message and an HTTP status. Codes and statuses are those of the service model of RDS.

/// A refused call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// The code of the service model, `DBInstanceNotFound`.
    pub code: String,
    /// For people.
    pub message: String,
    /// The status of HTTP.
    pub status: u16,
}

impl ApiError {
    /// Any refusal.
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), status }
    }

    /// A refusal with a code of the service model, whose status is 404 where something was not found.
    pub fn of(code: &str, message: impl Into<String>) -> Self {
        if code.contains("NotFound") { Self::not_found(code, message) } else { Self::sender(code, message) }
    }

    fn sender(code: &str, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    fn not_found(code: &str, message: impl Into<String>) -> Self {
        Self::new(404, code, message)
    }

    /// The server itself failed; the cause is not the caller's to know.
    pub fn internal() -> Self {
        Self::new(
            500,
            "InternalFailure",
            "An internal error has occurred. Please try your query again at a later time.",
        )
    }

    /// `InvalidParameterValue`.
    pub fn invalid_value(message: impl Into<String>) -> Self {
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

    /// `DBInstanceNotFound`.
    pub fn instance_not_found(id: &str) -> Self {
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

    /// `Sender` for what the caller can mend, `Receiver` for what only the service can.
    pub fn kind(&self) -> &'static str {
        if self.status >= 500 { "Receiver" } else { "Sender" }
    }
}
