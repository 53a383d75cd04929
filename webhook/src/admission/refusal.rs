//! The Status of a refusal, in the words kubectl knows how to print.

use kube::core::Status;
use kube::core::response::{StatusCause, StatusDetails};
use shared::api::labels::GROUP;
use shared::rules::Violation;

/// Causes that are listed one by one. A generated object with thousands of mistakes gets the first of them and their number.
const CAUSES: usize = 100;

/// 422 Invalid with a cause for each violation. kubectl prints the causes when it applied one object, and only the message when it applied
/// several: so the message holds the same list.
pub(super) fn invalid(kind: &str, name: &str, violations: &[Violation]) -> Status {
    let mut listed: Vec<String> = violations.iter().take(CAUSES).map(ToString::to_string).collect();
    let mut causes: Vec<StatusCause> = violations
        .iter()
        .take(CAUSES)
        .map(|violation| StatusCause {
            reason: violation.reason.as_str().to_owned(),
            message: violation.message.clone(),
            field: violation.field.clone(),
        })
        .collect();
    if let Some(more) = violations.len().checked_sub(CAUSES).filter(|more| *more > 0) {
        let message = format!("{more} more errors are not listed");
        listed.push(message.clone());
        causes.push(StatusCause { reason: "FieldValueInvalid".to_owned(), message, field: "spec".to_owned() });
    }
    let list = match listed.as_slice() {
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    };
    Status::failure(&format!("{kind}.{GROUP} \"{name}\" is invalid: {list}"), "Invalid").with_code(422).with_details(
        StatusDetails {
            name: name.to_owned(),
            group: GROUP.to_owned(),
            kind: kind.to_owned(),
            uid: String::new(),
            causes,
            retry_after_seconds: 0,
        },
    )
}

/// 400: the request is not what the API says it is.
pub(super) fn bad_request(problem: &str) -> Status {
    Status::failure(problem, "BadRequest").with_code(400)
}

/// 500: this service is at fault.
pub(super) fn internal(problem: &str) -> Status {
    Status::failure(&format!("rds-webhook has a fault: {problem}"), "InternalError").with_code(500)
}

#[cfg(test)]
mod tests {
    use shared::rules::Reason;

    use super::*;

    fn violation(field: &str) -> Violation {
        Violation { field: field.into(), reason: Reason::Invalid, message: "is wrong".into() }
    }

    #[test]
    fn one_error_stands_alone_and_several_in_brackets() {
        let one = invalid("RDSDatabase", "orders", &[violation("spec.size")]);
        assert_eq!(one.message, r#"RDSDatabase.matrixmind.cloud "orders" is invalid: spec.size: is wrong"#);
        let two = invalid("RDSDatabase", "orders", &[violation("spec.size"), violation("spec.type")]);
        assert_eq!(
            two.message,
            r#"RDSDatabase.matrixmind.cloud "orders" is invalid: [spec.size: is wrong, spec.type: is wrong]"#
        );
        assert_eq!((two.code, two.reason.as_str()), (422, "Invalid"));
        let details = two.details.expect("details");
        assert_eq!((details.kind.as_str(), details.name.as_str(), details.causes.len()), ("RDSDatabase", "orders", 2));
    }

    #[test]
    fn thousands_of_errors_are_counted() {
        let many: Vec<Violation> = (0..5000).map(|index| violation(&format!("spec.users[u{index}]"))).collect();
        let status = invalid("RDSDatabase", "orders", &many);
        let causes = status.details.expect("details").causes;
        assert_eq!(causes.len(), 101);
        assert_eq!(causes[100].message, "4900 more errors are not listed");
        assert!(status.message.ends_with("4900 more errors are not listed]"));
    }
}
