//! Without engines: what the API says is as always, and nothing stands behind it.

// clippy.toml allows these in test functions; a test's own functions are no less tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use serde_json::json;
use support::{Cloud, code, create};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_lives_its_life_with_nothing_behind_it() {
    let cloud = Cloud::start_with(|options| options.no_engines = true).await;
    let rds = &cloud.rds;
    create(rds, "orders", "17").send().await.unwrap();
    let instance = cloud.status_is("orders", "available").await;
    let port = u16::try_from(instance.endpoint().unwrap().port().unwrap()).unwrap();
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err(), "nobody listens");

    rds.modify_db_instance().db_instance_identifier("orders").backup_retention_period(9).send().await.unwrap();
    cloud.status_is("orders", "modifying").await;
    assert_eq!(cloud.status_is("orders", "available").await.backup_retention_period(), Some(9));
    rds.delete_db_instance()
        .db_instance_identifier("orders")
        .final_db_snapshot_identifier("orders-final")
        .send()
        .await
        .unwrap();
    cloud.gone("orders").await;
    let snapshots = rds.describe_db_snapshots().db_snapshot_identifier("orders-final").send().await.unwrap();
    assert_eq!(snapshots.db_snapshots()[0].status(), Some("available"));
    cloud.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_as_many_calls_left_as_was_ordered() {
    let cloud = Cloud::start_with(|options| options.no_engines = true).await;
    let rds = &cloud.rds;
    cloud.order_fault(json!({"tokens": 0})).await;
    assert_eq!(code(&rds.describe_db_instances().send().await.unwrap_err()), "ThrottlingException");
    cloud.order_fault(json!({"tokens": null})).await;
    for _ in 0..20 {
        rds.describe_db_instances().send().await.unwrap();
    }
    cloud.server.stop().await;
}
