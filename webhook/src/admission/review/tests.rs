//! Reviews as they are, and as they are not.

use serde_json::json;
use shared::rules::Gibibytes;

use super::*;

fn body(request: &Value) -> Vec<u8> {
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}).to_string().into_bytes()
}

fn malformed(request: &Value) -> String {
    let review = parse(&body(request)).expect("the uid is there");
    assert_eq!(review.uid, "u1");
    review.request.expect_err("one field is wrong").to_string()
}

#[test]
fn reads_what_the_rules_need() {
    let applied = json!({"spec": {"users": {"a": null}}}).to_string();
    let review = parse(&body(&json!({
        "uid": "u1",
        "kind": {"group": "matrixmind.cloud", "version": "v1", "kind": "RDSDatabase"},
        "name": "orders", "namespace": "shop", "operation": "UPDATE", "dryRun": true, "subResource": "",
        "userInfo": {"username": "someone"},
        "object": {
            "metadata": {"name": "orders", "deletionTimestamp": "2026-11-23T00:00:00Z",
                "annotations": {"kubectl.kubernetes.io/last-applied-configuration": applied}},
            "spec": {"size": "10GB"},
        },
        "oldObject": {
            "metadata": {"name": "orders", "generateName": ""}, "spec": null,
            "status": {"instance": {"identifier": "x", "created": true, "masterUser": "boss"}, "allocatedStorageGiB": 94, "engineVersion": "12.22"},
        },
    })))
    .expect("a review");
    let request = review.request.expect("a request");
    assert_eq!((request.operation, request.dry_run, request.sub_resource), (Operation::Update, true, None));
    assert_eq!(request.user.as_deref(), Some("someone"));
    let object = request.object.expect("an object");
    assert!(object.being_deleted);
    assert_eq!(object.spec, Ok(json!({"size": "10GB"})));
    assert_eq!(object.applied_spec(), Some(json!({"users": {"a": null}})));
    let old = request.old_object.expect("an old object");
    assert_eq!((old.spec, old.generate_name, old.being_deleted), (Ok(Value::Null), None, false));
    let (allocated, engine_version) = (Some(Gibibytes::new(94)), Some("12.22".to_owned()));
    let master_user = Some("boss".to_owned());
    assert_eq!(old.observed, Observed { created: true, allocated, engine_version, master_user });
}

#[test]
fn both_ways_of_reading_read_the_same() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/__fuzz__/any_bytes/corpus");
    let mut read = 0;
    for file in std::fs::read_dir(corpus).expect("the corpus") {
        let path = file.expect("a file").path();
        let bytes = std::fs::read(&path).expect("its bytes");
        let Some(straight) = std::str::from_utf8(&bytes).ok().and_then(straight) else { continue };
        let text = std::str::from_utf8(&bytes).expect("it was text");
        let careful = level_by_level(text);
        read += usize::from(careful.as_ref().is_ok_and(|review| review.request.is_ok()));
        assert_eq!(format!("{straight:?}"), format!("{careful:?}"), "{}", path.display());
    }
    assert!(read > 10, "{read} reviews");
}

#[test]
fn what_is_odd_in_a_status_is_as_if_it_were_not_there() {
    for status in [
        json!(7),
        json!({"instance": 7, "allocatedStorageGiB": -1, "engineVersion": 12}),
        json!({"instance": {"created": "yes"}, "allocatedStorageGiB": 1e9, "engineVersion": null}),
    ] {
        let request = json!({
            "uid": "u1", "kind": {"group": "g", "version": "v1", "kind": "K"}, "operation": "UPDATE", "oldObject": {"status": status},
        });
        let review = parse(&body(&request)).expect("a review").request.expect("a request");
        assert_eq!(review.old_object.expect("an old object").observed, Observed::default(), "{status}");
    }
}

#[test]
fn without_a_uid_there_is_nothing_to_answer() {
    for (body, message) in [
        (&b"{"[..], "the body is not JSON: it ends too early at line 1, column 1"),
        (b"no", "the body is not JSON: a syntax error at line 1, column 2"),
        (b"{\n \"a\": \"\xff\"}", "the body is not JSON: a byte that is no UTF-8 at line 2, column 8"),
        (b"7", "the body is not an AdmissionReview: the body must be an object without repeated keys"),
        (b"{}", "the body is not an AdmissionReview: request must be an object"),
        (
            br#"{"request":{"uid":7}}"#,
            "the body is not an AdmissionReview: request.uid must be a string that is not empty",
        ),
        (
            br#"{"request":{"uid":""}}"#,
            "the body is not an AdmissionReview: request.uid must be a string that is not empty",
        ),
    ] {
        assert_eq!(parse(body).expect_err("no uid").to_string(), message);
    }
}

#[test]
fn everything_below_the_uid_is_answered_with_it() {
    assert_eq!(malformed(&json!({"uid": "u1"})), "request.kind must be an object with group, version and kind");
    let kind = json!({"group": "g", "version": "v1", "kind": "K"});
    assert_eq!(
        malformed(&json!({"uid": "u1", "kind": kind, "operation": "PATCH"})),
        "request.operation must be CREATE, UPDATE, DELETE or CONNECT"
    );
    assert_eq!(
        malformed(&json!({"uid": "u1", "kind": kind, "operation": "CREATE", "object": {"metadata": {"name": 7}}})),
        "request.object.metadata.name must be a string"
    );
    let mut deep = json!(1);
    for _ in 0..200 {
        deep = json!([deep]);
    }
    assert!(
        malformed(&json!({"uid": "u1", "kind": kind, "operation": "CREATE", "object": {"spec": deep}}))
            .starts_with("request.object.spec must be JSON of at most 127 levels")
    );
}

#[test]
fn another_version_of_the_review_is_answered_too() {
    let review = parse(br#"{"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview","request":{"uid":"u1"}}"#);
    assert_eq!(
        review.expect("the uid is there").request.expect_err("v1beta1").to_string(),
        "apiVersion must be admission.k8s.io/v1"
    );
}
