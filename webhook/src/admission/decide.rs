//! What is allowed: the rules of [`shared::rules`], asked the way each endpoint has to ask them.

use jiff::civil::Date;
use json_patch::Patch;
use kube::core::Status;
use serde_json::Value;
use shared::api::labels::GROUP;
use shared::rules::{self, Subject, Verdict};

use super::refusal;
use super::{Malformed, NotAdditive, Object, Operation, Request, additions};

/// Kind of the objects that are judged here.
const KIND: &str = "RDSDatabase";

/// The two questions the API server asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// Before the schema: fills in defaults, and refuses with every error at once, because an object the schema refuses never gets as
    /// far as [`Endpoint::Validate`], and its author would see the schema's words only.
    Mutate,
    /// After the schema and every other mutating webhook: guards the final state.
    Validate,
}

impl Endpoint {
    /// Its path, without the slash.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mutate => "mutate",
            Self::Validate => "validate",
        }
    }
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Admitted.
    Allowed {
        /// What is added to the object.
        patch: Option<Patch>,
        /// What its author should know.
        warnings: Vec<String>,
    },
    /// Refused.
    Refused {
        /// Why, as the client will see it.
        status: Box<Status>,
    },
}

impl Decision {
    fn allowed() -> Self {
        Self::Allowed { patch: None, warnings: Vec::new() }
    }

    pub(super) fn refused(status: Status) -> Self {
        Self::Refused { status: Box::new(status) }
    }

    fn malformed(problem: &Malformed) -> Self {
        Self::refused(refusal::bad_request(&problem.to_string()))
    }

    /// The object is admitted.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }
}

/// Decides. Dry runs are decided like any other request: nothing here has an effect.
///
/// `today` is the date that the ends of support are compared with.
pub fn decide(endpoint: Endpoint, request: &Result<Request, Malformed>, today: Date) -> Decision {
    let request = match request {
        Ok(request) => request,
        Err(problem) => return Decision::malformed(problem),
    };
    if request.group != GROUP || request.kind != KIND {
        return foreign(request);
    }
    if request.sub_resource.is_some() {
        return Decision::allowed();
    }
    match request.operation {
        Operation::Create => match &request.object {
            Some(object) => create(endpoint, request, object, today),
            None => missing("request.object"),
        },
        Operation::Update => match (&request.object, &request.old_object) {
            (Some(new), Some(old)) => update(endpoint, request, new, old, today),
            (None, _) => missing("request.object"),
            (_, None) => missing("request.oldObject"),
        },
        Operation::Delete => match (endpoint, &request.old_object) {
            (Endpoint::Validate, Some(old)) => judge(request, rules::delete(&old.spec), None),
            (Endpoint::Validate, None) => missing("request.oldObject"),
            (Endpoint::Mutate, _) => Decision::allowed(),
        },
        Operation::Connect => Decision::allowed(),
    }
}

/// A webhook that is registered too widely must not lock the cluster, but it should be noticed.
fn foreign(request: &Request) -> Decision {
    let warning = format!("rds-webhook is registered for {}, which it has no rules for", request.kind);
    Decision::Allowed { patch: None, warnings: vec![warning] }
}

fn missing(path: &str) -> Decision {
    Decision::malformed(&Malformed::Field { path: path.to_owned(), expected: "there" })
}

fn create(endpoint: Endpoint, request: &Request, object: &Object, today: Date) -> Decision {
    if object.being_deleted {
        return Decision::allowed();
    }
    let verdict = rules::create(&subject(request, object, &object.spec), today);
    judge(request, verdict, patch(endpoint, object, None))
}

fn update(endpoint: Endpoint, request: &Request, new: &Object, old: &Object, today: Date) -> Decision {
    // Labels, finalizers and deletion never wait for a rule, also where an old spec breaks one.
    if new.being_deleted || new.spec == old.spec {
        return Decision::allowed();
    }
    let verdict = match endpoint {
        Endpoint::Mutate => rules::update(&subject(request, new, &new.spec), &subject(request, old, &old.spec), today),
        // The final state is judged as it will be read: a key that is still missing here, because nobody asked /mutate, has its
        // default, not its old value.
        Endpoint::Validate => {
            let (before, after) = (rules::defaults(&old.spec, None), rules::defaults(&new.spec, None));
            rules::update(&subject(request, new, &after), &subject(request, old, &before), today)
        }
    };
    judge(request, verdict, patch(endpoint, new, Some(old)))
}

fn patch(endpoint: Endpoint, new: &Object, old: Option<&Object>) -> Option<Result<Patch, NotAdditive>> {
    (endpoint == Endpoint::Mutate).then(|| additions(&new.spec, &rules::defaults(&new.spec, old.map(|old| &old.spec))))
}

fn subject<'a>(request: &'a Request, object: &'a Object, spec: &'a Value) -> Subject<'a> {
    Subject {
        name: object.name.as_deref().or(request.name.as_deref()),
        generate_name: object.generate_name.as_deref(),
        spec,
        last_applied: object.last_applied.as_ref(),
    }
}

fn judge(request: &Request, verdict: Verdict, patch: Option<Result<Patch, NotAdditive>>) -> Decision {
    if !verdict.admitted() {
        let object = request.object.as_ref().or(request.old_object.as_ref());
        let name = request
            .name
            .as_deref()
            .or_else(|| object.and_then(|object| object.name.as_deref().or(object.generate_name.as_deref())));
        return Decision::refused(refusal::invalid(KIND, name.unwrap_or_default(), &verdict.errors));
    }
    match patch.transpose() {
        Ok(patch) => Decision::Allowed { patch, warnings: verdict.warnings },
        Err(fault) => Decision::refused(refusal::internal(&fault.to_string())),
    }
}
