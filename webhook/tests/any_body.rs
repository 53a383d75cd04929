//! Whatever is posted, there is an answer: a review with the uid where there is one, a 400 where there is none.

mod support;

use axum::http::StatusCode;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use support::{LIMITS, post, review, service};

/// JSON of any shape, with the words the service looks for among its keys and values.
fn anything() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("uid".to_owned()),
        Just("metadata".to_owned()),
        Just("spec".to_owned()),
        Just("users".to_owned()),
        Just("databases".to_owned()),
        Just("size".to_owned()),
        Just("version".to_owned()),
        Just("backup".to_owned()),
        Just("name".to_owned()),
        Just("10GB".to_owned()),
        ".{0,8}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn answer(path: &str, body: Vec<u8>) -> support::Reply {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (router, _, _) = service(LIMITS);
        post(&router, path, body).await
    })
}

proptest! {
    #[test]
    fn any_json(body in anything(), path in prop_oneof![Just("/mutate"), Just("/validate")]) {
        let reply = answer(path, body.to_string().into_bytes());
        if let Some(uid) = body["request"]["uid"].as_str().filter(|uid| !uid.is_empty()) {
            prop_assert_eq!(&reply.response()["uid"], &json!(uid));
        } else {
            prop_assert_eq!(reply.code, StatusCode::BAD_REQUEST);
        }
    }

    #[test]
    fn any_bytes(body in prop::collection::vec(any::<u8>(), 0..64)) {
        prop_assert_eq!(answer("/mutate", body).code, StatusCode::BAD_REQUEST);
    }

    #[test]
    fn any_spec(spec in anything(), old in prop::option::of(anything()), path in prop_oneof![Just("/mutate"), Just("/validate")]) {
        let review = review(if old.is_some() { "UPDATE" } else { "CREATE" }, &spec, old.as_ref());
        let response = answer(path, review.to_string().into_bytes()).response();
        prop_assert_eq!(&response["uid"], &review["request"]["uid"]);
        // A fault of the rules would be a 500.
        prop_assert_ne!(&response["status"]["code"], &json!(500));
    }

    #[test]
    fn any_field_of_a_review(value in anything(), pointer in prop_oneof![
        Just("/apiVersion"), Just("/kind"), Just("/request/kind"), Just("/request/name"), Just("/request/namespace"),
        Just("/request/operation"), Just("/request/object"), Just("/request/oldObject"), Just("/request/dryRun"),
        Just("/request/object/metadata"), Just("/request/object/metadata/name"),
    ]) {
        let mut review = review("CREATE", &json!({}), None);
        *review.pointer_mut(pointer).expect("the field is there") = value;
        let response = answer("/mutate", review.to_string().into_bytes()).response();
        prop_assert_eq!(&response["uid"], &review["request"]["uid"]);
    }
}
