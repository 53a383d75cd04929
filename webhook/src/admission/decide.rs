//! What is allowed: the rules of [`shared::rules`], asked the way each endpoint has to ask them.

use jiff::civil::Date;
use json_patch::Patch;
use kube::core::Status;
use serde_json::Value;
use shared::api::labels::GROUP;
use shared::rules::{self, DefaultVersions, Refusal, Rule, Subject, Verdict};

use super::patch::patch;
use super::refusal;
use super::review::{Malformed, Object, Operation, Request};
use super::weight::TooHeavy;

/// Kind of the objects that are judged here.
const KIND: &str = "RDSDatabase";

/// Characters of another kind's name that are told, so that the warning keeps the API server's limit.
const KIND_EXCERPT: usize = 63;

/// The two questions the API server asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Debug, PartialEq)]
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
        /// What its author should know besides.
        warnings: Vec<String>,
        /// The rules that it breaks, each once; none where the request itself is odd.
        rules: Vec<Rule>,
    },
}

impl Decision {
    fn allowed() -> Self {
        Self::Allowed { patch: None, warnings: Vec::new() }
    }

    pub(super) fn refused(status: Status) -> Self {
        Self::Refused { status: Box::new(status), warnings: Vec::new(), rules: Vec::new() }
    }

    fn malformed(problem: &Malformed) -> Self {
        Self::refused(refusal::bad_request(&problem.to_string()))
    }

    /// The object is admitted.
    #[cfg(test)]
    fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }
}

/// Decides. Dry runs are decided like any other request: nothing here has an effect.
///
/// `today` is the date that the ends of support are compared with, `versions` are those of objects that name none.
pub fn decide(
    endpoint: Endpoint,
    request: &Result<Request, Malformed>,
    today: Date,
    versions: DefaultVersions,
) -> Decision {
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
            Some(object) => create(endpoint, request, object, today, versions),
            None => missing("request.object"),
        },
        Operation::Update => match (&request.object, &request.old_object) {
            (Some(new), Some(old)) => update(endpoint, request, new, old, today, versions),
            (None, _) => missing("request.object"),
            (_, None) => missing("request.oldObject"),
        },
        Operation::Delete => match (endpoint, &request.old_object) {
            // One that weighs too much goes: a deletion is the only way out of it.
            (Endpoint::Validate, Some(old)) => {
                let verdict = old.spec.as_ref().map(rules::delete).unwrap_or_default();
                judge(request, &verdict, || None)
            }
            (Endpoint::Validate, None) => missing("request.oldObject"),
            (Endpoint::Mutate, _) => Decision::allowed(),
        },
        Operation::Connect => Decision::allowed(),
    }
}

/// A webhook that is registered too widely must not lock the cluster, but it should be noticed.
fn foreign(request: &Request) -> Decision {
    let kind: String = request.kind.chars().take(KIND_EXCERPT).collect();
    let warning = format!("rds-webhook is registered for {kind}, which it has no rules for");
    Decision::Allowed { patch: None, warnings: vec![warning] }
}

fn missing(path: &str) -> Decision {
    Decision::malformed(&Malformed::Field { path: path.to_owned(), expected: "there" })
}

fn create(endpoint: Endpoint, request: &Request, object: &Object, today: Date, versions: DefaultVersions) -> Decision {
    if object.being_deleted {
        return Decision::allowed();
    }
    let Ok(spec) = &object.spec else { return too_heavy(request) };
    let applied = object.applied_spec();
    let rule = match endpoint {
        Endpoint::Mutate => rules::create,
        Endpoint::Validate => rules::insert,
    };
    let verdict = rule(&subject(request, object, spec, applied.as_ref(), versions), today);
    judge(request, &verdict, || filled_in(endpoint, spec, None, versions))
}

fn update(
    endpoint: Endpoint,
    request: &Request,
    new: &Object,
    old: &Object,
    today: Date,
    versions: DefaultVersions,
) -> Decision {
    if new.being_deleted {
        return Decision::allowed();
    }
    let (Ok(spec), Ok(old_spec)) = (&new.spec, &old.spec) else { return too_heavy(request) };
    // Labels and finalizers never wait for a rule, also where an old spec breaks one.
    if spec == old_spec {
        return Decision::allowed();
    }
    // A record that this request does not write is of an earlier one, and says nothing of what is wanted now.
    let applied = if new.last_applied == old.last_applied { None } else { new.applied_spec() };
    let rule = match endpoint {
        Endpoint::Mutate => rules::update,
        // Nobody fills anything in after this, also where nobody asked /mutate.
        Endpoint::Validate => rules::replace,
    };
    let (before, after) =
        (subject(request, old, old_spec, None, versions), subject(request, new, spec, applied.as_ref(), versions));
    judge(request, &rule(&after, &before, today), || {
        filled_in(endpoint, spec, Some(old_spec), versions.behind(&old.observed))
    })
}

fn too_heavy(request: &Request) -> Decision {
    let violation = Refusal::new(Rule::TooManyEntries, TooHeavy.to_string()).at("spec");
    judge(request, &Verdict { errors: vec![violation], warnings: Vec::new() }, || None)
}

fn filled_in(endpoint: Endpoint, spec: &Value, old_spec: Option<&Value>, versions: DefaultVersions) -> Option<Patch> {
    (endpoint == Endpoint::Mutate).then(|| patch(spec, &rules::additions(spec, old_spec, versions)))
}

fn subject<'a>(
    request: &'a Request,
    object: &'a Object,
    spec: &'a Value,
    last_applied: Option<&'a Value>,
    versions: DefaultVersions,
) -> Subject<'a> {
    Subject {
        name: object.name.as_deref().or(request.name.as_deref()),
        generate_name: object.generate_name.as_deref(),
        spec,
        last_applied,
        observed: Some(&object.observed),
        versions,
    }
}

/// The decision of a verdict. The patch is made only where it is sent.
fn judge(request: &Request, verdict: &Verdict, patch: impl FnOnce() -> Option<Patch>) -> Decision {
    let warnings = verdict.warnings.iter().map(ToString::to_string).collect();
    if !verdict.admitted() {
        let status = refusal::invalid(KIND, request.object_name().unwrap_or_default(), &verdict.errors);
        let mut rules = Vec::new();
        for violation in &verdict.errors {
            if !rules.contains(&violation.rule) {
                rules.push(violation.rule);
            }
        }
        return Decision::Refused { status: Box::new(status), warnings, rules };
    }
    Decision::Allowed { patch: patch(), warnings }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::{Map, json};

    use super::super::review::parse;
    use super::*;

    fn decided(endpoint: Endpoint, operation: &str, spec: &Value, old_spec: Option<&Value>) -> Decision {
        let object = |spec: &Value| json!({"metadata": {"name": "orders"}, "spec": spec});
        let review = json!({
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": {
                "uid": "u1", "kind": {"group": GROUP, "version": "v1", "kind": KIND}, "operation": operation,
                "object": object(spec), "oldObject": old_spec.map(object),
            },
        });
        let review = parse(review.to_string().as_bytes()).expect("a review");
        decide(endpoint, &review.request, date(2026, 11, 23), DefaultVersions::BUILT_IN)
    }

    fn created(endpoint: Endpoint, spec: &Value) -> Decision {
        decided(endpoint, "CREATE", spec, None)
    }

    /// Nobody asked /mutate: it was away, or shed the request, and its failure policy is Ignore.
    #[test]
    fn what_nobody_filled_in_is_judged_with_its_defaults() {
        for spec in [
            json!(null),
            json!({}),
            json!({"version": 18, "size": "20Gi"}),
            json!({"type": "mysql", "users": {"postgres": []}}),
            json!({"backup": {"retention": "30d"}}),
            json!({"size": "ten", "backup": {"every": "5m"}}),
            json!({"users": {"sysadmin": []}}),
            json!({"users": {"postgres": []}, "version": "8.4"}),
            json!("text"),
        ] {
            let complete = rules::defaults(&spec, None, DefaultVersions::BUILT_IN);
            let decision = created(Endpoint::Validate, &spec);
            assert_eq!(decision, created(Endpoint::Validate, &complete), "{spec}");
            assert_eq!(decision.is_allowed(), created(Endpoint::Mutate, &spec).is_allowed(), "{spec}");
        }
    }

    #[test]
    fn what_was_stored_without_defaults_can_be_changed() {
        for old in [json!(null), json!({}), json!({"type": "mysql"}), json!({"size": "100GB", "users": {"a": []}})] {
            // With them, once /mutate is back, and without them again.
            let mut paused = old.as_object().cloned().unwrap_or_default();
            paused.insert("paused".into(), true.into());
            let paused = Value::from(paused);
            for new in [rules::defaults(&paused, Some(&old), DefaultVersions::BUILT_IN), paused] {
                for endpoint in [Endpoint::Mutate, Endpoint::Validate] {
                    let decision = decided(endpoint, "UPDATE", &new, Some(&old));
                    assert!(decision.is_allowed(), "{old} to {new}: {decision:?}");
                }
            }
        }
    }

    #[test]
    fn what_would_fall_back_to_a_default_is_refused() {
        let old = json!({"version": "15", "size": "100GB"});
        let Decision::Refused { status, .. } = decided(Endpoint::Validate, "UPDATE", &Map::new().into(), Some(&old))
        else {
            panic!("admitted, though the reconciler would read version 12 of 10GB");
        };
        let fields: Vec<String> =
            status.details.into_iter().flat_map(|details| details.causes).map(|cause| cause.field).collect();
        assert_eq!(fields, ["spec.version", "spec.size"]);
    }

    #[test]
    fn the_platforms_version_is_written_unless_the_object_or_the_instance_has_one() {
        let versions = DefaultVersions::given(&["postgresql=17".parse().expect("a version")]).expect("one version");
        let written = |old: Option<Value>, running: Option<&str>| {
            let object =
                |spec: Value| json!({"metadata": {"name": "a"}, "spec": spec, "status": {"engineVersion": running}});
            let review = json!({
                "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
                "request": {
                    "uid": "u1", "kind": {"group": GROUP, "version": "v1", "kind": KIND},
                    "operation": if old.is_some() { "UPDATE" } else { "CREATE" },
                    "object": object(json!({"paused": true})), "oldObject": old.map(object),
                },
            });
            let review = parse(review.to_string().as_bytes()).expect("a review");
            let decision = decide(Endpoint::Mutate, &review.request, date(2026, 11, 23), versions);
            let Decision::Allowed { patch: Some(patch), .. } = decision else { panic!("{decision:?}") };
            let mut object = json!({"spec": {"paused": true}});
            json_patch::patch(&mut object, &patch.0).expect("the patch applies");
            object["spec"]["version"].clone()
        };
        assert_eq!(written(None, None), "17");
        assert_eq!(written(Some(json!({"version": "12"})), None), "12");
        assert_eq!(written(Some(json!({})), Some("12.22")), "12", "it was stored while nobody filled it in");
        assert_eq!(written(Some(json!({})), None), "17");
    }
}
