//! The Status of a refusal, in the words kubectl knows how to print.

use kube::core::Status;
use kube::core::response::{StatusCause, StatusDetails};
use shared::api::labels::GROUP;
use shared::rules::Violation;

/// Characters of a name that are told: as many as any object's may have.
const NAME_EXCERPT: usize = 253;

/// 422 Invalid with a cause for each violation. kubectl prints the causes when it applied one object, and only the message when it applied
/// several: so the message holds the same list. The rules keep it short.
pub(super) fn invalid(kind: &str, name: &str, violations: &[Violation]) -> Status {
    let name: String = name.chars().take(NAME_EXCERPT).collect();
    let listed: Vec<String> = violations.iter().map(ToString::to_string).collect();
    let causes: Vec<StatusCause> = violations
        .iter()
        .map(|violation| StatusCause {
            reason: violation.reason().as_str().to_owned(),
            message: violation.message.clone(),
            field: violation.field.clone(),
        })
        .collect();
    let list = match listed.as_slice() {
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    };
    let message = format!("{kind}.{GROUP} \"{name}\" is invalid: {list}");
    Status::failure(&message, "Invalid").with_code(422).with_details(StatusDetails {
        name,
        group: GROUP.to_owned(),
        kind: kind.to_owned(),
        uid: String::new(),
        causes,
        retry_after_seconds: 0,
    })
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
    use shared::rules::Rule;

    use super::*;

    fn violation(field: &str) -> Violation {
        Violation { field: field.into(), rule: Rule::WrongType, message: "is wrong".into() }
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
}
