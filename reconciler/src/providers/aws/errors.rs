//! RDS error codes, sorted by what to do about them.

use aws_sdk_rds::error::{ProvideErrorMetadata, SdkError};

use crate::lease::Fenced;
use crate::providers::error::{CloudError, ErrorClass};

/// Turns an SDK error into ours.
///
/// The SDK's own text is used only where RDS did not answer: an error of the service has a code and a message.
pub(super) fn cloud_error<E, R>(action: &'static str, error: &SdkError<E, R>) -> CloudError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    match error {
        SdkError::ServiceError(service) => {
            let meta = service.err();
            let code = meta.code().unwrap_or("InternalFailure");
            refused(action, code, meta.message().unwrap_or("the service gave no message"))
        }
        SdkError::TimeoutError(_) => timed_out(action),
        SdkError::ConstructionFailure(_) | SdkError::DispatchFailure(_) => {
            CloudError::new(action, "Unreachable", causes(error), ErrorClass::Unreachable)
        }
        _ => CloudError::new(action, "UnreadableResponse", causes(error), ErrorClass::Transient),
    }
}

/// RDS's refusal, by its code and message.
pub fn refused(action: &'static str, code: &str, message: &str) -> CloudError {
    let error = CloudError::new(action, code, message, classify(code, message));
    CloudError { remedy: remedy(code, error.class).unwrap_or(error.remedy), ..error }
}

/// No answer came in time: whether the call had its effect is not known.
pub fn timed_out(action: &'static str) -> CloudError {
    CloudError::new(action, "Timeout", "the endpoint did not answer in time", ErrorClass::Unreachable)
}

/// The answer to a question for one instance has none in it. One name gives one instance, or the error that there is none: this says neither.
pub fn empty_answer(action: &'static str, identifier: &str) -> CloudError {
    let message = format!("RDS answered without the instance {identifier} and without an error");
    CloudError::new(action, "EmptyAnswer", message, ErrorClass::Transient)
}

/// RDS refused it for the rate of the account's calls.
pub(super) fn throttled(error: &CloudError) -> bool {
    matches!(error.code.as_str(), "Throttling" | "ThrottlingException" | "RequestLimitExceeded")
}

/// This process may not act any more, and asked for nothing.
pub fn fenced(action: &'static str, fenced: Fenced) -> CloudError {
    CloudError::new(action, "Fenced", fenced.to_string(), ErrorClass::Transient)
}

/// The chain of causes. The SDK's own context would add the raw answer.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(next) = cause {
        let text = next.to_string();
        if texts.last() != Some(&text) {
            texts.push(text);
        }
        cause = next.source();
    }
    texts.join(": ")
}

/// Sorts a code. RDS answers one code, `InvalidParameterCombination`, also for the storage cooldown, which passes by itself: the
/// message is all there is to tell it by.
fn classify(code: &str, message: &str) -> ErrorClass {
    match code {
        "Throttling"
        | "ThrottlingException"
        | "RequestLimitExceeded"
        | "InternalFailure"
        | "InternalError"
        | "ServiceUnavailable" => ErrorClass::Transient,
        "InvalidDBInstanceState"
        | "InvalidDBSnapshotState"
        | "InvalidDBInstanceStateFault"
        | "InvalidDBParameterGroupState"
        | "InvalidDBParameterGroupStateFault" => ErrorClass::WrongState,
        "InvalidParameterCombination" if message.contains("being optimized") => ErrorClass::StorageCooldown,
        "InstanceQuotaExceeded"
        | "SnapshotQuotaExceeded"
        | "DBInstanceAutomatedBackupQuotaExceeded"
        | "DBParameterGroupQuotaExceeded"
        | "StorageQuotaExceeded"
        | "InsufficientDBInstanceCapacity"
        | "ProvisionedIopsNotAvailableInAZFault" => ErrorClass::Exhausted,
        "DBInstanceNotFound"
        | "DBInstanceNotFoundFault"
        | "DBSnapshotNotFound"
        | "DBSnapshotNotFoundFault"
        | "DBInstanceAutomatedBackupNotFound"
        | "DBInstanceAutomatedBackupNotFoundFault"
        | "DBParameterGroupNotFound"
        | "DBParameterGroupNotFoundFault" => ErrorClass::NotFound,
        "DBInstanceAlreadyExists" | "DBSnapshotAlreadyExists" | "DBParameterGroupAlreadyExists" => {
            ErrorClass::AlreadyExists
        }
        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "MissingAuthenticationToken"
        | "OptInRequired" => ErrorClass::Unauthorized,
        _ => ErrorClass::Refused,
    }
}

/// What a person can do, where RDS has words of its own for it.
fn remedy(code: &str, class: ErrorClass) -> Option<&'static str> {
    match code {
        "SnapshotQuotaExceeded" => Some("ask AWS for a higher quota of manual snapshots in this region"),
        "DBParameterGroupQuotaExceeded" => Some(
            "delete parameter groups that nobody needs, let databases ask for the same spec.parameters, which share a group, or ask AWS for a higher quota of them in this region",
        ),
        "DBInstanceAutomatedBackupQuotaExceeded" => {
            Some("ask AWS for a higher quota of retained automated backups in this region")
        }
        _ => match class {
            ErrorClass::StorageCooldown => {
                Some("nothing to do: RDS takes the next change of storage up to six hours after the last")
            }
            ErrorClass::Exhausted => Some("ask AWS for a higher quota, or choose another instance class or zone"),
            _ => None,
        },
    }
}

/// A list that is not whole is none.
pub(super) fn endless(action: &'static str) -> CloudError {
    CloudError::new(action, "NoEnd", "the list has no end that was reached", ErrorClass::Transient)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_by_what_to_do() {
        let table = [
            ("Throttling", "Rate exceeded", ErrorClass::Transient),
            ("InvalidDBInstanceState", "Database instance is not in available state.", ErrorClass::WrongState),
            (
                "InvalidParameterCombination",
                "You can't currently modify the storage of this DB instance because the previous storage change is being optimized.",
                ErrorClass::StorageCooldown,
            ),
            ("InvalidParameterCombination", "Invalid storage size", ErrorClass::Refused),
            ("InstanceQuotaExceeded", "", ErrorClass::Exhausted),
            ("SnapshotQuotaExceeded", "", ErrorClass::Exhausted),
            ("DBInstanceAutomatedBackupQuotaExceeded", "", ErrorClass::Exhausted),
            ("DBParameterGroupQuotaExceeded", "", ErrorClass::Exhausted),
            ("DBParameterGroupNotFound", "", ErrorClass::NotFound),
            ("DBParameterGroupAlreadyExists", "", ErrorClass::AlreadyExists),
            ("InvalidDBParameterGroupState", "", ErrorClass::WrongState),
            ("DBInstanceNotFound", "", ErrorClass::NotFound),
            ("DBInstanceAlreadyExists", "", ErrorClass::AlreadyExists),
            ("AccessDenied", "", ErrorClass::Unauthorized),
            ("KMSKeyNotAccessibleFault", "", ErrorClass::Refused),
        ];
        for (code, message, class) in table {
            assert_eq!(classify(code, message), class, "{code}: {message}");
        }
    }
}
