//! The two endpoints, asked with reviews as the API server writes them.

mod support;

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use support::{LIMITS, ask, causes, post, review, service};

/// The object after the patch of a response.
fn patched(review: &Value, response: &Value) -> Value {
    assert_eq!(response["patchType"], "JSONPatch");
    let bytes = STANDARD.decode(response["patch"].as_str().expect("a patch")).expect("base64");
    let patch: json_patch::Patch = serde_json::from_slice(&bytes).expect("a JSON patch");
    let mut object = review["request"]["object"].clone();
    json_patch::patch(&mut object, &patch.0).expect("the patch applies");
    object
}

fn warnings(response: &Value) -> Vec<&str> {
    response["warnings"].as_array().map(|all| all.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}

#[tokio::test]
async fn an_empty_spec_gets_every_default_and_a_warning_of_what_it_costs() {
    let mut absent = review("CREATE", &json!({}), None);
    absent["request"]["object"].as_object_mut().expect("an object").remove("spec");
    for review in [review("CREATE", &json!({}), None), review("CREATE", &Value::Null, None), absent] {
        let response = ask("/mutate", &review).await;
        assert_eq!(response["allowed"], true, "{response}");
        assert_eq!(
            patched(&review, &response)["spec"],
            json!({
                "type": "Postgresql", "version": "12", "size": "10GB", "masteruser": "sysadmin",
                "backup": {"every": "24h", "retention": "7d"},
            })
        );
        let mut complete = review.clone();
        complete["request"]["object"] = patched(&review, &response);
        let validated = ask("/validate", &complete).await;
        let warnings = [warnings(&response), warnings(&validated)].concat();
        assert!(!warnings.iter().any(|warning| warning.contains("spec.size")), "nobody wrote it: {warnings:?}");
        assert!(warnings.iter().any(|warning| warning.contains("Extended Support")), "{warnings:?}");
        assert!(warnings.iter().all(|warning| warning.chars().count() <= 120), "{warnings:?}");
    }
}

#[tokio::test]
async fn what_was_defaulted_once_is_left_alone() {
    let old = json!({"type": "MySQL", "size": "100GB"});
    for (spec, old) in [
        (json!({}), None),
        (json!({"type": "mysql", "backup": {"every": null}}), None),
        (json!({"users": {"a": null, "b": ["createdb"]}, "databases": {"d": ["b"]}, "size": "1e2GB"}), None),
        (json!({"users": {"a": []}}), Some(&old)),
        (Value::Null, Some(&old)),
    ] {
        let operation = if old.is_some() { "UPDATE" } else { "CREATE" };
        let first = review(operation, &spec, old);
        let complete = patched(&first, &ask("/mutate", &first).await)["spec"].clone();
        for path in ["/mutate", "/validate"] {
            let again = ask(path, &review(operation, &complete, old)).await;
            assert_eq!((&again["allowed"], again.get("patch")), (&json!(true), None), "{complete}");
        }
    }
}

#[tokio::test]
async fn what_is_complete_gets_no_patch() {
    let spec = json!({
        "type": "postgresql", "version": 17, "size": "100Gi", "masteruser": "boss",
        "backup": {"every": "24h", "retention": "14d"}, "users": {"app": null},
    });
    let response = ask("/mutate", &review("CREATE", &spec, None)).await;
    assert_eq!(response["allowed"], true, "{response}");
    assert_eq!((response.get("patch"), response.get("patchType"), response.get("status")), (None, None, None));
}

#[tokio::test]
async fn every_error_is_reported_at_once_by_both_endpoints() {
    let spec = json!({
        "type": "Oracle", "size": "tiny", "users": {"Master": []}, "databases": {"orders": ["nobody"]},
    });
    for path in ["/mutate", "/validate"] {
        let response = ask(path, &review("CREATE", &spec, None)).await;
        assert_eq!(response["allowed"], false);
        assert_eq!(response["status"]["code"], 422);
        assert_eq!(response["status"]["reason"], "Invalid");
        let details = &response["status"]["details"];
        assert_eq!(
            (&details["group"], &details["kind"], &details["name"]),
            (&json!("matrixmind.cloud"), &json!("RDSDatabase"), &json!("orders"))
        );
        let causes = causes(&response);
        let message = response["status"]["message"].as_str().expect("a message");
        for field in ["spec.type", "spec.size", "spec.users[Master]", "spec.databases[orders][0]"] {
            assert!(causes.iter().any(|(at, _)| *at == field), "{field} in {causes:?}");
            assert!(message.contains(field), "{field} in {message}");
        }
        assert!(causes.iter().all(|(_, reason)| reason.starts_with("FieldValue")), "{causes:?}");
        assert_eq!(response.get("patch"), None);
    }
}

#[tokio::test]
async fn a_key_that_left_the_manifest_keeps_its_value() {
    let old = json!({"type": "Postgresql", "version": "17", "size": "100GB", "masteruser": "boss", "backup": {"every": "24h", "retention": "7d"}});
    let review = review("UPDATE", &json!({"users": {"app": []}}), Some(&old));
    let response = ask("/mutate", &review).await;
    assert_eq!(response["allowed"], true, "{response}");
    let spec = &patched(&review, &response)["spec"];
    assert_eq!((&spec["size"], &spec["version"], &spec["masteruser"]), (&json!("100GB"), &json!("17"), &json!("boss")));
    assert_eq!(spec["users"], json!({"app": []}));
}

#[tokio::test]
async fn what_mutate_never_saw_is_sent_back() {
    let old = json!({
        "type": "Postgresql", "version": "17", "size": "100GB", "masteruser": "boss", "users": {"app": []},
        "backup": {"every": "24h", "retention": "30d"},
    });
    let response = ask("/validate", &review("UPDATE", &json!({"version": "17", "paused": true}), Some(&old))).await;
    assert_eq!(response["allowed"], false, "whoever reads it would drop the users and shrink the rest");
    let fields = ["spec.size", "spec.masteruser", "spec.users", "spec.backup.retention"];
    assert_eq!(causes(&response), fields.map(|field| (field, "FieldValueRequired")));
    let message = response["status"]["message"].as_str().expect("a message");
    assert!(message.contains("the defaults were not filled in; apply again"), "{message}");
}

/// A review of an update, with the status of the object that is there.
fn update_of(old: &Value, status: &Value, new: &Value) -> Value {
    let mut review = review("UPDATE", new, Some(old));
    review["request"]["oldObject"]["status"] = status.clone();
    review
}

#[tokio::test]
async fn a_volume_shrinks_only_where_it_was_never_allocated() {
    let allocated =
        |gib: u32| json!({"instance": {"identifier": "orders", "created": true}, "allocatedStorageGiB": gib});
    let (old, new) = (json!({"size": "5TB"}), json!({"size": "100GB"}));
    for path in ["/mutate", "/validate"] {
        for status in [json!({}), json!({"instance": {"identifier": "orders", "created": false}}), allocated(94)] {
            assert_eq!(ask(path, &update_of(&old, &status, &new)).await["allowed"], true, "{status}");
        }
        for status in [json!({"instance": {"identifier": "orders", "created": true}}), allocated(95)] {
            let response = ask(path, &update_of(&old, &status, &new)).await;
            assert_eq!(causes(&response), [("spec.size", "FieldValueForbidden")], "{status}");
        }
    }
}

#[tokio::test]
async fn a_version_follows_an_upgrade_made_elsewhere() {
    let (old, new) = (json!({"version": "12"}), json!({"version": "13"}));
    for path in ["/mutate", "/validate"] {
        let follows = ask(path, &update_of(&old, &json!({"engineVersion": "13.20"}), &new)).await;
        assert_eq!(follows["allowed"], true, "{follows}");
        let leads = ask(path, &update_of(&old, &json!({"engineVersion": "12.22"}), &new)).await;
        assert_eq!(causes(&leads), [("spec.version", "FieldValueForbidden")]);
    }
}

#[tokio::test]
async fn a_refusal_of_what_is_not_in_the_manifest_explains_itself() {
    let old = json!({"type": "Postgresql", "version": "15", "backup": {"every": "6h", "retention": "7d"}});
    let response = ask("/mutate", &review("UPDATE", &json!({"type": "MySQL"}), Some(&old))).await;
    let message = response["status"]["message"].as_str().expect("a message");
    assert!(message.contains("; spec.version left the manifest and keeps 15"), "{message}");
    let warnings = warnings(&response);
    assert!(warnings.iter().any(|warning| warning.starts_with("spec.backup.every: left the manifest and keeps 6h")));
    assert!(warnings.iter().any(|warning| warning.starts_with("spec.version: left the manifest")), "{warnings:?}");
}

#[tokio::test]
async fn deletion_and_metadata_never_wait_for_a_rule() {
    let bad = json!({"size": "tiny"});
    for path in ["/mutate", "/validate"] {
        let unchanged = ask(path, &review("UPDATE", &bad, Some(&bad))).await;
        assert_eq!((&unchanged["allowed"], unchanged.get("patch")), (&json!(true), None));

        let mut leaving = review("UPDATE", &json!({"size": "tinier"}), Some(&bad));
        leaving["request"]["object"]["metadata"]["deletionTimestamp"] = json!("2026-11-23T07:00:00Z");
        let leaving = ask(path, &leaving).await;
        assert_eq!((&leaving["allowed"], leaving.get("patch")), (&json!(true), None));

        let mut status = review("UPDATE", &json!({"size": "tinier"}), Some(&bad));
        status["request"]["subResource"] = json!("status");
        assert_eq!(ask(path, &status).await["allowed"], true);
    }
}

#[tokio::test]
async fn a_protected_object_is_not_deleted_where_deletes_are_registered() {
    let mut review = review("DELETE", &Value::Null, Some(&json!({"deletionProtection": true})));
    review["request"]["object"] = Value::Null;
    let response = ask("/validate", &review).await;
    assert_eq!(causes(&response), [("spec.deletionProtection", "FieldValueForbidden")]);
    assert_eq!(ask("/mutate", &review).await["allowed"], true);
}

#[tokio::test]
async fn a_name_that_will_be_generated_is_judged_by_its_prefix() {
    let mut review = review("CREATE", &json!({}), None);
    review["request"]["name"] = json!("");
    review["request"]["object"]["metadata"] = json!({"generateName": "orders-", "namespace": "shop"});
    assert_eq!(ask("/mutate", &review).await["allowed"], true);
    review["request"]["object"]["metadata"]["generateName"] = json!("7-");
    let response = ask("/mutate", &review).await;
    assert_eq!(causes(&response)[0].0, "metadata.generateName");
    assert_eq!(response["status"]["details"]["name"], "7-");
}

#[tokio::test]
async fn a_null_that_would_drop_a_user_is_refused() {
    let old = json!({"users": {"app": [], "report": []}});
    let mut review = review("UPDATE", &json!({"users": {"report": []}}), Some(&old));
    let applied = json!({"spec": {"users": {"app": null, "report": []}}}).to_string();
    review["request"]["object"]["metadata"]["annotations"] =
        json!({"kubectl.kubernetes.io/last-applied-configuration": applied});
    let response = ask("/mutate", &review).await;
    assert_eq!(response["allowed"], false, "{response}");
    assert_eq!(causes(&response)[0].0, "spec.users[app]");
    // The same record is of an earlier request once it is stored: this one was made without kubectl apply.
    review["request"]["oldObject"]["metadata"]["annotations"] =
        review["request"]["object"]["metadata"]["annotations"].clone();
    assert_eq!(ask("/mutate", &review).await["allowed"], true);
}

#[tokio::test]
async fn a_dry_run_is_answered_alike() {
    let mut review = review("CREATE", &json!({"size": "tiny"}), None);
    let wet = ask("/mutate", &review).await;
    review["request"]["dryRun"] = json!(true);
    assert_eq!(ask("/mutate", &review).await, wet);
}

#[tokio::test]
async fn another_kind_is_admitted_with_a_warning() {
    let mut review = review("CREATE", &json!({"size": "tiny"}), None);
    review["request"]["kind"] = json!({"group": "", "version": "v1", "kind": "Pod"});
    let response = ask("/validate", &review).await;
    assert_eq!(response["allowed"], true);
    assert_eq!(warnings(&response), ["rds-webhook is registered for Pod, which it has no rules for"]);
}

#[tokio::test]
async fn a_malformed_body_gets_a_400_and_the_service_lives() {
    let (router, _, _) = service(LIMITS);
    for body in ["", "no", "[]", "{}", r#"{"request":{}}"#, r#"[null,null,{"uid":"uid"}]"#, r#"{"request":["uid"]}"#] {
        let reply = post(&router, "/mutate", body).await;
        assert_eq!(reply.code, StatusCode::BAD_REQUEST, "{body}");
        assert!(reply.text().starts_with("the body is not "), "{}", reply.text());
    }
    let fine = post(&router, "/mutate", review("CREATE", &json!({}), None).to_string()).await;
    assert_eq!(fine.response()["allowed"], true);
}

#[tokio::test]
async fn a_request_that_makes_no_sense_is_refused_with_its_uid() {
    let mut review = review("UPDATE", &json!({}), None);
    let response = ask("/validate", &review).await;
    assert_eq!(
        (&response["status"]["code"], &response["status"]["message"]),
        (&json!(400), &json!("request.oldObject must be there"))
    );
    review["request"]["operation"] = json!(7);
    let response = ask("/validate", &review).await;
    assert_eq!(response["status"]["message"], "request.operation must be CREATE, UPDATE, DELETE or CONNECT");
}

#[tokio::test]
async fn only_the_two_paths_exist() {
    let (router, _, _) = service(LIMITS);
    assert_eq!(post(&router, "/", "").await.code, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn connections_close_while_draining() {
    let (router, _, draining) = service(LIMITS);
    let body = review("CREATE", &json!({}), None).to_string();
    assert!(!post(&router, "/mutate", body.clone()).await.headers.contains_key("connection"));
    draining.cancel();
    let reply = post(&router, "/mutate", body).await;
    assert_eq!(reply.headers["connection"], "close");
    assert_eq!(reply.response()["allowed"], true);
}

#[tokio::test]
async fn requests_are_counted_without_names() {
    let (router, registry, _) = service(LIMITS);
    post(&router, "/mutate", review("CREATE", &json!({}), None).to_string()).await;
    post(&router, "/validate", review("CREATE", &json!({"size": "tiny"}), None).to_string()).await;
    post(&router, "/validate", "no").await;
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).expect("metrics encode");
    for line in [
        r#"rds_webhook_requests_total{path="mutate",operation="CREATE",allowed="true"} 1"#,
        r#"rds_webhook_requests_total{path="validate",operation="CREATE",allowed="false"} 1"#,
        r#"rds_webhook_http_errors_total{path="validate",code="400"} 1"#,
        r#"rds_webhook_request_duration_seconds_count{path="mutate"} 1"#,
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
    assert!(!text.contains("orders"));
}
