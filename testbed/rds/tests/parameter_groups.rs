//! Parameter groups: what they say is what real servers run with, at once or after a reboot.

// clippy.toml allows these in test functions; a test's own functions are no less tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use aws_sdk_rds::types::{ApplyMethod, DbInstance, Parameter, Tag};
use sqlx::PgConnection;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use support::{Cloud, PASSWORD, code, create, eventually, instance};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_runs_with_what_its_group_says() {
    let cloud = Cloud::start_with(|options| options.time_scale = 0.01).await;
    let rds = &cloud.rds;
    make_group(&cloud, "mine", "postgres17").await;
    set(&cloud, "work_mem", "8192", ApplyMethod::Immediate).await.unwrap();
    set(&cloud, "max_connections", "LEAST({DBInstanceClassMemory/9531392},40)", ApplyMethod::PendingReboot)
        .await
        .unwrap();
    set(&cloud, "shared_preload_libraries", "pg_stat_statements,auto_explain", ApplyMethod::PendingReboot)
        .await
        .unwrap();
    let refused = create(rds, "orders", "16").db_parameter_group_name("mine").send().await.unwrap_err();
    assert_eq!(code(&refused), "InvalidParameterCombination");
    create(rds, "orders", "17").db_parameter_group_name("mine").send().await.unwrap();
    let orders = cloud.status_is("orders", "available").await;
    assert_eq!(group(&orders), ("mine", "in-sync"));
    for (name, value) in [
        ("work_mem", "8MB"),
        ("max_connections", "40"),
        ("shared_preload_libraries", "pg_stat_statements, auto_explain"),
        ("wal_level", "replica"),
        ("rds.force_ssl", "1"),
    ] {
        assert_eq!(show(&cloud, &orders, name).await, value, "{name}");
    }
    assert!(login(&orders, PgSslMode::Disable).await.is_err(), "17 asks for TLS");

    // Dynamic ones come by themselves, to sessions that are open as well.
    let mut session = cloud.login(&orders, "sysadmin", "postgres").await;
    set(&cloud, "work_mem", "4096", ApplyMethod::Immediate).await.unwrap();
    set(&cloud, "rds.force_ssl", "0", ApplyMethod::Immediate).await.unwrap();
    assert_eq!(group(&instance(rds, "orders").await.unwrap()), ("mine", "applying"));
    status_is(&cloud, "in-sync").await;
    let shown: String = sqlx::query_scalar("SHOW work_mem").fetch_one(&mut session).await.unwrap();
    assert_eq!(shown, "4MB");
    login(&orders, PgSslMode::Disable).await.expect("TLS is not forced any more");

    // Static ones wait for a reboot.
    set(&cloud, "rds.logical_replication", "1", ApplyMethod::PendingReboot).await.unwrap();
    status_is(&cloud, "pending-reboot").await;
    assert_eq!(show(&cloud, &orders, "wal_level").await, "replica");
    rds.reboot_db_instance().db_instance_identifier("orders").send().await.unwrap();
    cloud.status_is("orders", "available").await;
    status_is(&cloud, "in-sync").await;
    assert_eq!(show(&cloud, &orders, "wal_level").await, "logical");
    assert_eq!(show(&cloud, &orders, "rds.logical_replication").await, "1");

    // Another group is the instance's at once, in name alone.
    let back = rds.modify_db_instance().db_instance_identifier("orders").db_parameter_group_name("default.postgres17");
    back.send().await.unwrap();
    status_is(&cloud, "pending-reboot").await;
    let orders = cloud.status_is("orders", "available").await;
    assert_eq!(group(&orders), ("default.postgres17", "pending-reboot"));
    assert_eq!(show(&cloud, &orders, "work_mem").await, "4MB");
    rds.reboot_db_instance().db_instance_identifier("orders").send().await.unwrap();
    cloud.status_is("orders", "available").await;
    status_is(&cloud, "in-sync").await;
    assert_eq!(show(&cloud, &orders, "wal_level").await, "replica");
    rds.delete_db_parameter_group().db_parameter_group_name("mine").send().await.expect("nobody uses it any more");
    cloud.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_listed_tagged_and_refused_as_on_rds() {
    let cloud = Cloud::start_with(|options| options.parameter_group_quota = 1).await;
    let rds = &cloud.rds;
    make_group(&cloud, "mine", "postgres12").await;
    let made = rds.describe_db_parameter_groups().db_parameter_group_name("Mine").send().await.unwrap();
    let arn = made.db_parameter_groups()[0].db_parameter_group_arn().unwrap().to_owned();
    assert_eq!(arn, "arn:aws:rds:eu-central-1:000000000000:pg:mine");
    assert_eq!(tags(&cloud, &arn).await, ["team"]);
    rds.add_tags_to_resource().resource_name(&arn).tags(tag("owner")).send().await.unwrap();
    rds.remove_tags_from_resource().resource_name(&arn).tag_keys("team").send().await.unwrap();
    assert_eq!(tags(&cloud, &arn).await, ["owner"]);

    let second = rds.create_db_parameter_group().db_parameter_group_name("b").db_parameter_group_family("postgres12");
    assert_eq!(code(&second.description("b").send().await.unwrap_err()), "DBParameterGroupQuotaExceeded");
    for (name, value, method, expected) in [
        ("max_connections", "50", ApplyMethod::Immediate, "InvalidParameterCombination"),
        ("max_connections", "5", ApplyMethod::PendingReboot, "InvalidParameterValue"),
        ("no_such_parameter", "1", ApplyMethod::Immediate, "InvalidParameterValue"),
        ("fsync", "0", ApplyMethod::Immediate, "InvalidParameterValue"),
    ] {
        assert_eq!(set(&cloud, name, value, method).await, Err(expected.to_owned()), "{name}");
    }
    set(&cloud, "work_mem", "64", ApplyMethod::Immediate).await.unwrap();
    let by_user = rds.describe_db_parameters().db_parameter_group_name("mine").source("user").send().await.unwrap();
    let [work_mem] = by_user.parameters() else { panic!("{by_user:?}") };
    assert_eq!((work_mem.parameter_value(), work_mem.apply_type()), (Some("64"), Some("dynamic")));
    assert_eq!((work_mem.allowed_values(), work_mem.is_modifiable()), (Some("64-2147483647"), Some(true)));

    let mut names = Vec::new();
    let mut pages = rds.describe_engine_default_parameters().db_parameter_group_family("postgres12");
    loop {
        let defaults = pages.clone().send().await.unwrap().engine_defaults.unwrap();
        names.extend(defaults.parameters().iter().filter_map(|parameter| parameter.parameter_name.clone()));
        let Some(marker) = defaults.marker() else { break };
        pages = pages.marker(marker);
    }
    assert!(names.len() > 150 && names.contains(&"wal_keep_segments".to_owned()), "{names:?}");

    create(rds, "orders", "12").db_parameter_group_name("mine").send().await.unwrap();
    let delete = rds.delete_db_parameter_group().db_parameter_group_name("mine").send().await.unwrap_err();
    assert_eq!(code(&delete), "InvalidDBParameterGroupState");
    cloud.server.stop().await;
}

async fn make_group(cloud: &Cloud, name: &str, family: &str) {
    let group = cloud.rds.create_db_parameter_group().db_parameter_group_name(name).db_parameter_group_family(family);
    group.description("for a test").tags(tag("team")).send().await.unwrap();
}

fn tag(key: &str) -> Tag {
    Tag::builder().key(key).value("shop").build()
}

async fn tags(cloud: &Cloud, arn: &str) -> Vec<String> {
    let listed = cloud.rds.list_tags_for_resource().resource_name(arn).send().await.unwrap();
    listed.tag_list().iter().filter_map(|tag| tag.key.clone()).collect()
}

/// Sets a parameter of the group `mine`.
async fn set(cloud: &Cloud, name: &str, value: &str, method: ApplyMethod) -> Result<(), String> {
    let parameter = Parameter::builder().parameter_name(name).parameter_value(value).apply_method(method).build();
    let call = cloud.rds.modify_db_parameter_group().db_parameter_group_name("mine").parameters(parameter);
    call.send().await.map(drop).map_err(|error| code(&error))
}

fn group(instance: &DbInstance) -> (&str, &str) {
    let group = &instance.db_parameter_groups()[0];
    (group.db_parameter_group_name().unwrap(), group.parameter_apply_status().unwrap())
}

async fn status_is(cloud: &Cloud, status: &str) {
    eventually(status, async || {
        let orders = instance(&cloud.rds, "orders").await?;
        if group(&orders).1 == status { Ok(()) } else { Err(format!("{:?}", group(&orders))) }
    })
    .await;
}

async fn show(cloud: &Cloud, instance: &DbInstance, name: &str) -> String {
    let mut session = cloud.login(instance, "sysadmin", "postgres").await;
    let query = format!("SHOW {name}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_one(&mut session).await.unwrap()
}

async fn login(instance: &DbInstance, mode: PgSslMode) -> Result<PgConnection, sqlx::Error> {
    use sqlx::ConnectOptions;
    let endpoint = instance.endpoint().unwrap();
    let options = PgConnectOptions::new_without_pgpass().host(endpoint.address().unwrap());
    let options = options.port(endpoint.port().unwrap().try_into().unwrap()).database("postgres");
    options.username("sysadmin").password(PASSWORD).ssl_mode(mode).connect().await
}
