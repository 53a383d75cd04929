//! The API beyond the life of an instance: refusals, listings, tags, versions, identity, and what only a local server has.

// clippy.toml allows these in test functions; a test's own functions are no less tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use aws_sdk_rds::types::{Filter, Tag};
use serde_json::json;
use support::{Cloud, PASSWORD, client, code, create, eventually, instance, sql};

const COMBINATION: &str = "InvalidParameterCombination";
const VALUE: &str = "InvalidParameterValue";

#[tokio::test(flavor = "multi_thread")]
async fn refuses_what_rds_refuses_and_makes_nothing_of_it() {
    let cloud = Cloud::start().await;
    let good = || create(&cloud.rds, "orders", "12");
    let tag = |key: &str| Tag::builder().key(key).value("x").build();
    let cases = vec![
        (good().set_db_instance_identifier(None), "MissingParameter", "DBInstanceIdentifier"),
        (good().db_instance_identifier("a--b"), VALUE, "is not a valid identifier"),
        (good().engine("mysql"), COMBINATION, "not supported by this local server"),
        (good().engine("oracle"), VALUE, "Invalid DB engine"),
        (good().engine_version("9.6"), COMBINATION, "Cannot find version 9.6 for postgres"),
        (good().allocated_storage(10), COMBINATION, "storage type gp3: 10"),
        (good().iops(3000).storage_type("gp3"), COMBINATION, "a storage size less than 400"),
        (good().storage_type("standard"), "StorageTypeNotSupported", "deprecated"),
        (good().db_instance_class("db.t9.micro"), COMBINATION, "DBInstanceClass=db.t9.micro"),
        (good().db_instance_class("micro"), VALUE, "Invalid DB Instance class"),
        (good().master_username("admin"), VALUE, "MasterUsername admin cannot be used"),
        (good().master_username("1st"), VALUE, "must begin with a letter"),
        (good().master_user_password("short"), VALUE, "not a valid password"),
        (good().master_user_password("a password"), VALUE, "not a valid password"),
        (good().set_master_user_password(None), "MissingParameter", "MasterUserPassword"),
        (good().manage_master_user_password(true), COMBINATION, "ManageMasterUserPassword"),
        (good().db_name("rdsadmin"), VALUE, "DBName rdsadmin"),
        (good().backup_retention_period(36), VALUE, "between 0 and 35"),
        (good().preferred_backup_window("04:00-04:10"), VALUE, "30 minutes"),
        (good().preferred_backup_window("early"), VALUE, "Invalid backup window format"),
        (
            good().preferred_backup_window("04:00-05:00").preferred_maintenance_window("sun:04:30-sun:05:30"),
            COMBINATION,
            "must not overlap",
        ),
        (good().port(80), VALUE, "Invalid port"),
        (good().kms_key_id("k"), COMBINATION, "KmsKeyId"),
        (good().multi_az(true).availability_zone("eu-central-1a"), COMBINATION, "availability zone"),
        (good().max_allocated_storage(21), COMBINATION, "max storage size"),
        (good().tags(tag("aws:mine")), VALUE, "must not begin with"),
        (good().tags(tag("a&b")), VALUE, "Invalid tag"),
        (good().tags(tag("a")).tags(tag("a")), VALUE, "Duplicate tag"),
        (
            good().engine_lifecycle_support("open-source-rds-extended-support-disabled"),
            COMBINATION,
            "past its end of standard support",
        ),
    ];
    for (request, expected, part) in cases {
        let error = request.send().await.expect_err(part).into_service_error();
        let meta = error.meta();
        let message = meta.message().unwrap_or_default();
        assert_eq!(meta.code(), Some(expected), "{message}");
        assert!(message.contains(part), "{message:?} has no {part:?}");
        assert!(!message.contains(PASSWORD));
    }
    let listed = cloud.rds.describe_db_instances().send().await.unwrap();
    assert!(listed.db_instances().is_empty());
    for (seen, expected) in [
        (instance(&cloud.rds, "none").await.unwrap_err(), "DBInstanceNotFound"),
        (not_found_snapshot(&cloud).await, "DBSnapshotNotFound"),
    ] {
        assert_eq!(seen, expected);
    }
    cloud.server.stop().await;
}

async fn not_found_snapshot(cloud: &Cloud) -> String {
    let call = cloud.rds.delete_db_snapshot();
    code(&call.db_snapshot_identifier("none").send().await.unwrap_err())
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_by_pages_and_filters() {
    // As slow as RDS, so that they are all still being created.
    let cloud = Cloud::start_with(|options| options.time_scale = 1.0).await;
    for n in 0..45 {
        let id = format!("db-{n:02}");
        create(&cloud.rds, &id, "12").send().await.unwrap();
    }
    let mut seen = Vec::new();
    let mut sizes = Vec::new();
    let mut marker = None;
    loop {
        let call = cloud.rds.describe_db_instances().max_records(20);
        let page = call.set_marker(marker).send().await.unwrap();
        sizes.push(page.db_instances().len());
        seen.extend(page.db_instances().iter().map(|i| i.db_instance_identifier.clone().unwrap()));
        marker = page.marker;
        if marker.is_none() {
            break;
        }
    }
    assert_eq!(sizes, [20, 20, 5]);
    let expected: Vec<_> = (0..45).map(|n| format!("db-{n:02}")).collect();
    assert_eq!(seen, expected);

    let one = instance(&cloud.rds, "db-07").await.unwrap();
    assert_eq!(one.db_instance_status(), Some("creating"));
    let filtered = async |name: &str, values: &[&str]| {
        let values = values.iter().map(ToString::to_string).collect();
        let filter = Filter::builder().name(name).set_values(Some(values)).build();
        let call = cloud.rds.describe_db_instances().filters(filter);
        let found = call.send().await.map_err(|error| code(&error))?;
        Ok::<_, String>(found.db_instances().len())
    };
    let resource_id = one.dbi_resource_id().unwrap();
    assert_eq!(filtered("dbi-resource-id", &[resource_id]).await, Ok(1));
    assert_eq!(filtered("db-instance-id", &["db-01", "db-02", "none"]).await, Ok(2));
    assert_eq!(filtered("engine", &["postgres"]).await, Ok(45));
    assert_eq!(filtered("engine", &["mysql"]).await, Ok(0));
    let refused = filtered("tag:team", &["x"]).await;
    assert_eq!(refused, Err("InvalidParameterValue".to_owned()));
    let few = cloud.rds.describe_db_instances().max_records(5).send().await;
    assert_eq!(code(&few.unwrap_err()), "InvalidParameterValue");
    cloud.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_logs_events_counters_and_faults_of_an_instance() {
    let cloud = Cloud::start_with(|options| options.log_statements = true).await;
    let rds = &cloud.rds;
    cloud
        .order_fault(
            json!({"action": "CreateDBInstance", "code": "Throttling", "message": "Rate exceeded", "times": 2}),
        )
        .await;
    for _ in 0..2 {
        let refused = create(rds, "orders", "17").send().await.unwrap_err();
        assert_eq!(code(&refused), "Throttling");
    }
    let lost = json!({"action": "CreateDBInstance", "code": "ServiceUnavailable", "status": 503, "carried_out": true});
    cloud.order_fault(lost).await;
    let answer = create(rds, "orders", "17").send().await.unwrap_err();
    assert_eq!(code(&answer), "ServiceUnavailable", "only the answer is lost: the instance is made");
    let orders = cloud.status_is("orders", "available").await;

    tags(&cloud, orders.db_instance_arn().unwrap()).await;

    let mut session = cloud.login(&orders, "sysadmin", "postgres").await;
    let writes = async || cloud.local("counters").await["sql_writes"]["orders"].clone();
    assert_eq!(writes().await, 0, "the server's own statements count");
    sql(&mut session, "CREATE TABLE t (n int)").await.unwrap();
    sqlx::query("INSERT INTO t VALUES ($1)").bind(1).execute(&mut session).await.unwrap();
    sql(&mut session, "SELECT * FROM t").await.unwrap();
    eventually("two writes", async || match writes().await {
        two if two == 2 => Ok(()),
        other => Err(other),
    })
    .await;
    let counters = cloud.local("counters").await;
    assert_eq!(counters["calls"]["CreateDBInstance"], 3);
    assert_eq!(counters["mutating"], 5, "{counters}");

    let files = rds.describe_db_log_files().db_instance_identifier("orders").send().await.unwrap();
    let name = files.describe_db_log_files()[0].log_file_name().unwrap();
    assert!(name.starts_with("error/postgresql.log.20"), "{name}");
    let portion = rds.download_db_log_file_portion().db_instance_identifier("orders");
    let portion = portion.log_file_name(name).marker("0").send().await.unwrap();
    let text = portion.log_file_data().unwrap();
    assert!(text.contains("sysadmin@postgres") && text.contains("CREATE TABLE t"), "{text}");
    assert!(!text.contains("SCRAM-SHA-256$"), "a verifier is in the log");
    let outside = rds.download_db_log_file_portion().db_instance_identifier("orders");
    let outside = outside.log_file_name("error/../server.key").send().await.unwrap_err();
    assert_eq!(code(&outside), "DBLogFileNotFoundFault");

    let events = rds.describe_events().source_identifier("orders").send().await.unwrap_err();
    assert_eq!(code(&events), "InvalidParameterCombination");
    let events = rds.describe_events().source_identifier("orders").source_type("db-instance".into());
    let events = events.send().await.unwrap();
    assert!(events.events().iter().any(|event| event.message() == Some("DB instance created")));

    cloud.order_fault(json!({"instance": "orders", "status": "storage-full"})).await;
    cloud.status_is("orders", "storage-full").await;
    assert_eq!(cloud.local("faults").await["instances"]["orders"]["status"], "storage-full");
    cloud.order_fault(json!({"instance": "orders", "status": null})).await;
    cloud.status_is("orders", "available").await;
    cloud.order_fault(json!({"remove_instance": "orders"})).await;
    cloud.gone("orders").await;
    let again = create(rds, "orders", "17").send().await.unwrap().db_instance.unwrap();
    assert_ne!(again.dbi_resource_id(), orders.dbi_resource_id());
    cloud.server.stop().await;
}

async fn tags(cloud: &Cloud, arn: &str) {
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
    let add = cloud.rds.add_tags_to_resource().resource_name(arn);
    add.tags(tag("a", "1")).tags(tag("b", "2")).send().await.unwrap();
    let remove = cloud.rds.remove_tags_from_resource().resource_name(arn);
    remove.tag_keys("a").send().await.unwrap();
    let listed = cloud.rds.list_tags_for_resource().resource_name(arn);
    assert_eq!(listed.send().await.unwrap().tag_list(), [tag("b", "2")]);
    let swept = cloud.rds.describe_db_instances().send().await.unwrap();
    assert_eq!(swept.db_instances()[0].tag_list(), [tag("b", "2")]);
    let other = cloud.rds.list_tags_for_resource().resource_name("arn:aws:rds:eu-central-1:1:db:x");
    assert_eq!(code(&other.send().await.unwrap_err()), "InvalidParameterValue");
}

#[tokio::test(flavor = "multi_thread")]
async fn knows_versions_callers_and_limits() {
    let cloud = Cloud::start_with(|options| {
        options.region = "eu-central-1".to_owned();
        options.account = "123456789012".to_owned();
        options.no_throttling = false;
    })
    .await;
    let versions = cloud.rds.describe_db_engine_versions().engine("postgres");
    let versions = versions.engine_version("12.20").send().await.unwrap();
    let targets = versions.db_engine_versions()[0].valid_upgrade_target();
    assert_eq!(targets[0].engine_version(), Some("12.22"));
    assert_eq!(targets[0].is_major_version_upgrade(), Some(false));
    assert!(targets.last().unwrap().is_major_version_upgrade().unwrap());
    let defaults = cloud.rds.describe_db_engine_versions().engine("postgres").default_only(true);
    let defaults = defaults.engine_version("12").send().await.unwrap();
    assert_eq!(defaults.db_engine_versions()[0].engine_version(), Some("12.22"));

    let sts = aws_sdk_sts::Client::from_conf(
        aws_sdk_sts::Config::builder()
            .behavior_version(aws_sdk_sts::config::BehaviorVersion::latest())
            .endpoint_url(cloud.server.endpoint())
            .region(aws_sdk_sts::config::Region::new("eu-central-1"))
            .credentials_provider(aws_sdk_sts::config::Credentials::new("AK", "s", None, None, "test"))
            .build(),
    );
    let identity = sts.get_caller_identity().send().await.unwrap();
    assert_eq!(identity.account(), Some("123456789012"));
    let role = "arn:aws:iam::123456789012:role/team/operator";
    let assumed = sts.assume_role().role_arn(role).role_session_name("s").send().await.unwrap();
    assert_eq!(assumed.credentials().unwrap().access_key_id(), "ASIAoperator");

    let elsewhere = client(&cloud.server.endpoint(), "us-west-2");
    let refused = elsewhere.describe_db_instances().send().await.unwrap_err();
    assert_eq!(code(&refused), "SignatureDoesNotMatch");
    let anonymous = reqwest::Client::new().post(cloud.server.endpoint());
    let anonymous = anonymous.body("Action=DescribeDBInstances&Version=2014-10-31");
    assert_eq!(anonymous.send().await.unwrap().status(), 403);

    let mut admitted = 0;
    let refused = loop {
        match cloud.rds.describe_db_instances().send().await {
            Ok(_) => admitted += 1,
            Err(error) => break code(&error),
        }
        assert!(admitted < 3_000, "never throttled");
    };
    assert_eq!(refused, "ThrottlingException");
    assert!(admitted >= 290, "{admitted}");
    cloud.server.stop().await;
}
