//! ModifyDBInstance.

use aws_sdk_rds::types::{
    AutomationMode, CloudwatchLogsExportConfiguration, DatabaseInsightsMode, MasterUserAuthenticationType,
    ModifyAdditionalStorageVolume, ReplicaMode,
};

use crate::support::{code, create, eventually, instance};
use crate::{
    COMBINATION, GROUP, Pending, ROLE, Shown, VALUE, complete, cores, groups, look, members, names, parameter_group,
    start, tag, tags,
};

#[tokio::test(flavor = "multi_thread")]
async fn of_modification() {
    let cloud = start().await;
    let rds = &cloud.rds;
    // Nothing that waits for its window is to find it open.
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    let window =
        if today.weekday() == jiff::civil::Weekday::Monday { "thu:05:00-thu:05:30" } else { "mon:05:00-mon:05:30" };
    create(rds, "orders", "17.10").preferred_maintenance_window(window).send().await.unwrap();
    let before = cloud.status_is("orders", "available").await;
    let orders = || rds.modify_db_instance().db_instance_identifier("orders");
    let logs = CloudwatchLogsExportConfiguration::builder().enable_log_types("postgresql").build();
    let first = orders()
        .apply_immediately(false)
        .db_instance_class("db.t4g.small")
        .engine_version("17")
        .engine("postgres")
        .allocated_storage(100)
        .storage_type("io1")
        .iops(1000)
        .dedicated_log_volume(true)
        .multi_az(true)
        .enable_iam_database_authentication(true)
        .ca_certificate_identifier("rds-ca-rsa4096-g1")
        .certificate_rotation_restart(false)
        .new_db_instance_identifier("Renamed")
        .backup_retention_period(9)
        .master_user_password("another-password")
        .monitoring_interval(5)
        .monitoring_role_arn(ROLE)
        .cloudwatch_logs_export_configuration(logs)
        .db_port_number(5555)
        .vpc_security_group_ids(GROUP)
        .db_parameter_group_name("default.postgres17")
        .option_group_name("default:postgres-17")
        .preferred_backup_window("02:00-02:40")
        .preferred_maintenance_window("thu:04:00-thu:05:00")
        .auto_minor_version_upgrade(false)
        .license_model("postgresql-license")
        .copy_tags_to_snapshot(true)
        .publicly_accessible(true)
        .deletion_protection(true)
        .enable_performance_insights(true)
        .performance_insights_kms_key_id("p")
        .performance_insights_retention_period(465)
        .database_insights_mode(DatabaseInsightsMode::Advanced)
        .max_allocated_storage(200)
        .network_type("IPV4")
        .enable_customer_owned_ip(false)
        .manage_master_user_password(false)
        .rotate_master_user_password(false)
        .master_user_authentication_type(MasterUserAuthenticationType::Password)
        .engine_lifecycle_support("open-source-rds-extended-support-disabled")
        .tag_specifications(tags("auto-backup"));
    let pending: &[Pending] = &[
        ("db_instance_class", |p| p.db_instance_class() == Some("db.t4g.small")),
        ("engine_version", |p| p.engine_version() == Some("17.11")),
        ("allocated_storage", |p| p.allocated_storage() == Some(100)),
        ("storage_type", |p| p.storage_type() == Some("io1")),
        ("iops", |p| p.iops() == Some(1000)),
        ("dedicated_log_volume", |p| p.dedicated_log_volume() == Some(true)),
        ("multi_az", |p| p.multi_az() == Some(true)),
        ("enable_iam_database_authentication", |p| p.iam_database_authentication_enabled() == Some(true)),
        ("ca_certificate_identifier", |p| p.ca_certificate_identifier() == Some("rds-ca-rsa4096-g1")),
        ("new_db_instance_identifier", |p| p.db_instance_identifier() == Some("renamed")),
        ("backup_retention_period", |p| p.backup_retention_period() == Some(9)),
        ("master_user_password", |p| p.master_user_password() == Some("****")),
        ("db_port_number", |p| p.port().is_some_and(|port| port >= 1150)),
        ("cloudwatch_logs_export_configuration", |p| {
            p.pending_cloudwatch_logs_exports().unwrap().log_types_to_enable() == ["postgresql"]
        }),
    ];
    let shown: &[Shown] = &[
        ("db_instance_identifier", |i| i.db_instance_identifier() == Some("orders")),
        // It is not applied: nothing but what RDS does at once is.
        ("apply_immediately", |i| i.db_instance_class() == Some("db.t4g.micro")),
        ("engine", |i| i.engine() == Some("postgres")),
        ("certificate_rotation_restart", |_| true),
        ("backup_retention_period", |i| i.backup_retention_period() == Some(9)),
        ("monitoring_interval", |i| i.monitoring_interval() == Some(5)),
        ("monitoring_role_arn", |i| i.monitoring_role_arn() == Some(ROLE)),
        ("cloudwatch_logs_export_configuration", |i| i.enabled_cloudwatch_logs_exports() == ["postgresql"]),
        ("vpc_security_group_ids", |i| groups(i) == [GROUP]),
        ("db_parameter_group_name", |i| parameter_group(i) == Some("default.postgres17")),
        ("option_group_name", |i| i.option_group_memberships()[0].option_group_name() == Some("default:postgres-17")),
        ("preferred_backup_window", |i| i.preferred_backup_window() == Some("02:00-02:40")),
        ("preferred_maintenance_window", |i| i.preferred_maintenance_window() == Some("thu:04:00-thu:05:00")),
        ("auto_minor_version_upgrade", |i| i.auto_minor_version_upgrade() == Some(false)),
        ("license_model", |i| i.license_model() == Some("postgresql-license")),
        ("copy_tags_to_snapshot", |i| i.copy_tags_to_snapshot() == Some(true)),
        ("publicly_accessible", |i| i.publicly_accessible() == Some(true)),
        ("deletion_protection", |i| i.deletion_protection() == Some(true)),
        ("enable_performance_insights", |i| i.performance_insights_enabled() == Some(true)),
        ("performance_insights_kms_key_id", |i| i.performance_insights_kms_key_id().is_some_and(|k| k.ends_with("/p"))),
        ("performance_insights_retention_period", |i| i.performance_insights_retention_period() == Some(465)),
        ("database_insights_mode", |i| i.database_insights_mode() == Some(&DatabaseInsightsMode::Advanced)),
        ("max_allocated_storage", |i| i.max_allocated_storage() == Some(200)),
        ("network_type", |i| i.network_type() == Some("IPV4")),
        ("enable_customer_owned_ip", |i| i.customer_owned_ip_enabled() == Some(false)),
        ("manage_master_user_password", |i| i.master_user_secret().is_none()),
        ("rotate_master_user_password", |i| i.master_user_secret().is_none()),
        ("master_user_authentication_type", |_| true),
        ("engine_lifecycle_support", |i| {
            i.engine_lifecycle_support() == Some("open-source-rds-extended-support-disabled")
        }),
        ("tag_specifications", |_| true),
    ];
    let second =
        orders().allocated_storage(400).storage_type("gp3").storage_throughput(1000).dedicated_log_volume(false);
    let (all, mut set) = members(first.as_input());
    set.extend(members(second.as_input()).1);

    let mut cases = refused_everywhere!(orders(), ModifyAdditionalStorageVolume);
    cases.extend(vec![
        ("automation_mode", orders().automation_mode(AutomationMode::Full), COMBINATION),
        ("aws_backup_recovery_point_arn", orders().aws_backup_recovery_point_arn("a"), "BackupPolicyNotFoundFault"),
        ("db_security_groups", orders().db_security_groups("g"), COMBINATION),
        ("db_subnet_group_name", orders().db_subnet_group_name("default"), "InvalidVPCNetworkStateFault"),
        ("db_subnet_group_name", orders().db_subnet_group_name("databases"), "InvalidVPCNetworkStateFault"),
        ("disable_domain", orders().disable_domain(true), COMBINATION),
        ("engine", orders().engine("mysql").multi_az(true), COMBINATION),
        (
            "master_user_authentication_type",
            orders().master_user_authentication_type(MasterUserAuthenticationType::IamDbAuth),
            COMBINATION,
        ),
        ("multi_tenant", orders().multi_tenant(true), COMBINATION),
        ("promotion_tier", orders().promotion_tier(1), COMBINATION),
        ("replica_mode", orders().replica_mode(ReplicaMode::Mounted), COMBINATION),
        ("resume_full_automation_mode_minutes", orders().resume_full_automation_mode_minutes(60), COMBINATION),
        ("rotate_master_user_password", orders().rotate_master_user_password(true), COMBINATION),
        ("use_default_processor_features", orders().use_default_processor_features(true), COMBINATION),
        // A flag that others need.
        (
            "allow_major_version_upgrade",
            orders().engine_version("16.15").allow_major_version_upgrade(true),
            COMBINATION,
        ),
        ("new_db_instance_identifier", orders().new_db_instance_identifier("a--b"), VALUE),
        ("db_port_number", orders().db_port_number(80), VALUE),
    ]);
    let refused = each_is_refused!(cases);
    let unchanged = instance(rds, "orders").await.unwrap();
    assert_eq!(unchanged.pending_modified_values(), before.pending_modified_values());
    let storage_throughput: &[Pending] = &[("storage_throughput", |p| p.storage_throughput() == Some(1000))];
    complete(&all, &set, &[names(&[pending, storage_throughput]), names(&[shown])].concat(), &refused);

    let answer = first.send().await.unwrap().db_instance.unwrap();
    let wrong: Vec<_> = pending.iter().filter(|(_, seen)| !seen(answer.pending_modified_values().unwrap())).collect();
    assert!(
        wrong.is_empty(),
        "not pending as sent: {:?} in {answer:#?}",
        wrong.iter().map(|w| w.0).collect::<Vec<_>>()
    );
    let after = eventually("changed", async || {
        let seen = cloud.status_is("orders", "available").await;
        if seen.monitoring_interval() == Some(5) { Ok(seen) } else { Err(seen.monitoring_interval) }
    })
    .await;
    look(&after, shown);
    assert_ne!(after.endpoint().unwrap().port(), before.endpoint().unwrap().port());
    let waits = after.pending_modified_values().unwrap();
    assert_eq!((waits.iops(), waits.backup_retention_period(), waits.port()), (Some(1000), None, None));
    let backup = rds.describe_db_instance_automated_backups().db_instance_identifier("orders").send().await.unwrap();
    assert_eq!(backup.db_instance_automated_backups()[0].tag_list(), [tag("team", "shop")]);

    let second = eventually("taken", async || second.clone().send().await).await.db_instance.unwrap();
    let waits = second.pending_modified_values().unwrap();
    assert!(storage_throughput[0].1(waits), "{waits:?}");
    assert_eq!((waits.allocated_storage(), waits.dedicated_log_volume()), (Some(400), None));
    cloud.server.stop().await;
}
