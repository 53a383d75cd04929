//! What one review, and all of them together, may take of the service.

mod support;

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use futures::{StreamExt, stream};
use hyper::body::{Frame, SizeHint};
use serde_json::{Value, json};
use support::{LIMITS, ask, causes, post, review, service};
use tokio::runtime::Builder;
use tokio::task::spawn_blocking;
use webhook::router::Limits;

/// A review whose body has exactly `bytes` bytes.
fn padded(bytes: usize) -> String {
    let mut review = review("CREATE", &json!({}), None);
    review["request"]["object"]["metadata"]["annotations"] = json!({"padding": ""});
    let padding = bytes - review.to_string().len();
    review["request"]["object"]["metadata"]["annotations"]["padding"] = json!("x".repeat(padding));
    review.to_string()
}

#[tokio::test]
async fn a_body_of_the_largest_size_works_and_a_larger_one_is_told_so() {
    let (router, _, _) = service(LIMITS);
    for bytes in [6_900_000, LIMITS.body] {
        assert_eq!(post(&router, "/mutate", padded(bytes)).await.response()["allowed"], true);
    }
    for bytes in [LIMITS.body + 1, 7_500_000] {
        let reply = post(&router, "/mutate", padded(bytes)).await;
        assert_eq!(reply.code, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(reply.text(), "the body is larger than 7340032 bytes\n");
    }
}

#[tokio::test]
async fn thousands_of_users_pass_the_rules() {
    let users: serde_json::Map<String, Value> =
        (0..400).map(|index| (format!("u{index}"), json!(["createdb"]))).collect();
    let members: Vec<String> = users.keys().cloned().collect();
    let databases: serde_json::Map<String, Value> =
        (0..70).map(|index| (format!("d{index}"), json!(members))).collect();
    let response = ask("/mutate", &review("CREATE", &json!({"users": users, "databases": databases}), None)).await;
    assert_eq!(response["allowed"], true, "{response}");
}

#[tokio::test]
async fn what_no_valid_specification_holds_is_not_even_read() {
    let crowd = Value::Array(vec![json!([]); 1_000_000]);
    let calm = json!({"size": "20GB"});
    for path in ["/mutate", "/validate"] {
        let mut update = review("UPDATE", &json!({"users": crowd}), Some(&calm));
        for (review, allowed) in [
            (review("CREATE", &json!({"users": crowd}), None), false),
            (update.clone(), false),
            (review("UPDATE", &calm, Some(&json!({"users": crowd}))), false),
            (
                {
                    update["request"]["object"]["metadata"]["deletionTimestamp"] = json!("2026-11-23T07:00:00Z");
                    update
                },
                true,
            ),
        ] {
            let response = ask(path, &review).await;
            assert_eq!(response["allowed"], allowed, "{response}");
            if !allowed {
                assert_eq!(response["status"]["code"], 422);
                assert_eq!(causes(&response), [("spec", "FieldValueTooLong")]);
            }
        }
    }
    // A record that is too large is no fault of the object.
    let mut review = review("CREATE", &calm, None);
    let applied = json!({"spec": {"users": crowd}}).to_string();
    review["request"]["object"]["metadata"]["annotations"] =
        json!({"kubectl.kubernetes.io/last-applied-configuration": applied});
    assert_eq!(ask("/mutate", &review).await["allowed"], true);
}

/// A body that begins with so many bytes, and then never goes on.
fn stalled(bytes: usize) -> Body {
    let begin = stream::once(async move { Ok::<_, std::io::Error>(vec![b' '; bytes]) });
    Body::from_stream(begin.chain(stream::pending()))
}

/// A body whose header announces so many bytes, of which none comes.
struct Announced(u64);

impl hyper::body::Body for Announced {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0)
    }
}

#[tokio::test]
async fn what_is_only_announced_takes_no_room() {
    let (router, _, _) = service(LIMITS);
    let announced = (0..100).map(|_| {
        let router = router.clone();
        tokio::spawn(async move { post(&router, "/mutate", Body::new(Announced(LIMITS.body as u64))).await })
    });
    let announced: Vec<_> = announced.collect();
    tokio::task::yield_now().await;
    let members: Vec<String> = (0..500).map(|index| format!("u{index}")).collect();
    let users: serde_json::Map<String, Value> = members.iter().map(|user| (user.clone(), json!([]))).collect();
    let databases: serde_json::Map<String, Value> =
        (0..100).map(|index| (format!("d{index}"), json!(members))).collect();
    let full = json!({"users": users, "databases": databases});
    let reply = post(&router, "/mutate", review("UPDATE", &json!({"paused": true}), Some(&full)).to_string()).await;
    assert_eq!(reply.response()["allowed"], true);
    assert!(announced.iter().all(|waiting| !waiting.is_finished()));
    announced.iter().for_each(tokio::task::JoinHandle::abort);
}

#[test]
fn who_reads_a_file_does_not_wait_behind_large_reviews() {
    let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(1).build().expect("a runtime");
    runtime.block_on(async {
        let (router, _, _) = service(LIMITS);
        let users: serde_json::Map<String, Value> = (0..500).map(|n| (format!("u{n}"), json!(["createdb"]))).collect();
        let members: Vec<&String> = users.keys().collect();
        let databases = json!({"orders": members, "bills": members, "returns": members});
        let large = review("CREATE", &json!({"users": users, "databases": databases}), None).to_string();
        let large: Vec<_> = (0..20)
            .map(|_| {
                tokio::spawn({
                    let (router, large) = (router.clone(), large.clone());
                    async move { post(&router, "/validate", large).await.response()["allowed"] == true }
                })
            })
            .collect();
        // Each task runs as far as its turn on this one thread.
        tokio::task::yield_now().await;
        spawn_blocking(|| ()).await.expect("it runs");
        let before = large.iter().filter(|judged| judged.is_finished()).count();
        for judged in large {
            assert!(judged.await.expect("it ends"));
        }
        // Where there is other work for the processor, some are.
        assert!(before < 20, "it waited behind all of them");
    });
}

#[tokio::test]
async fn what_does_not_fit_any_more_is_turned_away_while_it_comes() {
    let (router, _, _) = service(Limits { body: 64 * 1024, in_flight: 64 * 1024, ..LIMITS });
    let hanging = tokio::spawn({
        let router = router.clone();
        async move { post(&router, "/mutate", stalled(33 * 1024)).await }
    });
    tokio::task::yield_now().await;
    // Three pieces of four are taken, and these would take two.
    assert_eq!(post(&router, "/mutate", vec![b' '; 17 * 1024]).await.code, StatusCode::TOO_MANY_REQUESTS);
    hanging.abort();
    assert!(hanging.await.is_err());
    assert_eq!(post(&router, "/mutate", vec![b' '; 17 * 1024]).await.code, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_is_dense_counts_for_more_than_its_bytes() {
    let (router, _, _) = service(Limits { body: 1024 * 1024, in_flight: 4 * 1024 * 1024, ..LIMITS });
    // 90 kB that become megabytes: alone they are answered, beside another request they have to wait.
    let dense = review("CREATE", &json!({"users": vec![json!([]); 30_000]}), None).to_string();
    let sparse = padded(dense.len());
    assert_eq!(post(&router, "/mutate", dense.clone()).await.response()["allowed"], false);
    let slow = stalled(1024 * 1024);
    let hanging = tokio::spawn({
        let router = router.clone();
        async move { post(&router, "/mutate", slow).await }
    });
    // The task runs as far as its body on this one thread.
    tokio::task::yield_now().await;
    assert_eq!(post(&router, "/mutate", dense.clone()).await.code, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(post(&router, "/mutate", sparse).await.response()["allowed"], true);
    hanging.abort();
    assert!(hanging.await.is_err());
    assert_eq!(post(&router, "/mutate", dense).await.response()["allowed"], false);
}

#[tokio::test]
async fn overload_is_shed_and_passes() {
    let limits = Limits { body: 64 * 1024, in_flight: 64 * 1024, ..LIMITS };
    let (router, _, _) = service(limits);
    // A body that comes and never ends takes all the memory there is.
    let slow = stalled(limits.body);
    let hanging = tokio::spawn({
        let router = router.clone();
        async move { post(&router, "/mutate", slow).await }
    });
    let body = review("CREATE", &json!({}), None).to_string();
    let shed = loop {
        let reply = post(&router, "/mutate", body.clone()).await;
        if reply.code != StatusCode::OK {
            break reply;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(shed.code, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(shed.headers["retry-after"], "1");
    hanging.abort();
    assert!(hanging.await.is_err());
    assert_eq!(post(&router, "/mutate", body).await.response()["allowed"], true);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_given_up() {
    let (router, _, _) = service(LIMITS);
    let slow = axum::body::Body::from_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let reply = post(&router, "/mutate", slow).await;
    assert_eq!((reply.code, reply.text()), (StatusCode::REQUEST_TIMEOUT, "the request took longer than 10s\n"));
}
