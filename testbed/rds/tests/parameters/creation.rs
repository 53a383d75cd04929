//! CreateDBInstance.

use aws_sdk_rds::types::{AdditionalStorageVolume, DatabaseInsightsMode, MasterUserAuthenticationType};

use crate::support::{code, create, instance};
use crate::{
    COMBINATION, GROUP, ROLE, Shown, VALUE, complete, cores, groups, look, members, names, parameter_group, start,
    subnet_group, tag, tags,
};

#[tokio::test(flavor = "multi_thread")]
async fn of_creation() {
    let cloud = start().await;
    let rds = &cloud.rds;
    let first = create(rds, "first", "17")
        .storage_type("io1")
        .allocated_storage(100)
        .iops(1000)
        .dedicated_log_volume(true)
        .db_name("shop")
        .multi_az(true)
        .tags(tag("team", "shop"))
        .tag_specifications(tags("auto-backup"));
    let first_shown: &[Shown] = &[
        ("db_instance_identifier", |i| i.db_instance_identifier() == Some("first")),
        ("engine", |i| i.engine() == Some("postgres")),
        ("engine_version", |i| i.engine_version() == Some("17.11")),
        ("db_instance_class", |i| i.db_instance_class() == Some("db.t4g.micro")),
        ("storage_type", |i| i.storage_type() == Some("io1")),
        ("allocated_storage", |i| i.allocated_storage() == Some(100)),
        ("iops", |i| i.iops() == Some(1000)),
        ("dedicated_log_volume", |i| i.dedicated_log_volume() == Some(true)),
        ("db_name", |i| i.db_name() == Some("shop")),
        ("master_username", |i| i.master_username() == Some("sysadmin")),
        // A login of the master user is in the tests of its life.
        ("master_user_password", |_| true),
        ("multi_az", |i| i.multi_az() == Some(true)),
        ("backup_retention_period", |i| i.backup_retention_period() == Some(7)),
        ("tags", |i| i.tag_list() == [tag("team", "shop")]),
        ("tag_specifications", |_| true),
        ("vpc_security_group_ids", |i| groups(i) == ["sg-0defa017defa017d0"]),
        ("db_subnet_group_name", |i| subnet_group(i) == Some("default")),
    ];
    let second = create(rds, "second", "17")
        .storage_type("gp3")
        .allocated_storage(400)
        .iops(12_000)
        .storage_throughput(600)
        .storage_encrypted(true)
        .kms_key_id("k")
        .availability_zone("eu-central-1c")
        .db_subnet_group_name("Databases")
        .vpc_security_group_ids(GROUP)
        .preferred_backup_window("01:00-01:30")
        .preferred_maintenance_window("Mon:05:00-Mon:05:30")
        .db_parameter_group_name("default.postgres17")
        .option_group_name("default:postgres-17")
        .license_model("postgresql-license")
        .port(5433)
        .auto_minor_version_upgrade(false)
        .publicly_accessible(true)
        .copy_tags_to_snapshot(true)
        .deletion_protection(true)
        .enable_iam_database_authentication(true)
        .monitoring_interval(60)
        .monitoring_role_arn(ROLE)
        .enable_performance_insights(true)
        .performance_insights_kms_key_id("p")
        .performance_insights_retention_period(731)
        .database_insights_mode(DatabaseInsightsMode::Advanced)
        .enable_cloudwatch_logs_exports("upgrade")
        .max_allocated_storage(800)
        .network_type("IPV4")
        .enable_customer_owned_ip(false)
        .backup_target("region")
        .ca_certificate_identifier("rds-ca-ecc384-g1")
        .manage_master_user_password(false)
        .master_user_authentication_type(MasterUserAuthenticationType::Password)
        .engine_lifecycle_support("open-source-rds-extended-support-disabled");
    let second_shown: &[Shown] = &[
        ("storage_throughput", |i| i.storage_throughput() == Some(600) && i.storage_type() == Some("gp3")),
        ("storage_encrypted", |i| i.storage_encrypted() == Some(true)),
        ("kms_key_id", |i| i.kms_key_id() == Some("arn:aws:kms:eu-central-1:000000000000:key/k")),
        ("availability_zone", |i| i.availability_zone() == Some("eu-central-1c")),
        ("db_subnet_group_name", |i| subnet_group(i) == Some("databases")),
        ("vpc_security_group_ids", |i| groups(i) == [GROUP]),
        ("preferred_backup_window", |i| i.preferred_backup_window() == Some("01:00-01:30")),
        ("preferred_maintenance_window", |i| i.preferred_maintenance_window() == Some("mon:05:00-mon:05:30")),
        ("db_parameter_group_name", |i| parameter_group(i) == Some("default.postgres17")),
        ("option_group_name", |i| i.option_group_memberships()[0].option_group_name() == Some("default:postgres-17")),
        ("license_model", |i| i.license_model() == Some("postgresql-license")),
        // All instances share one address: the README says so.
        ("port", |i| i.endpoint().unwrap().port() >= Some(1150)),
        ("auto_minor_version_upgrade", |i| i.auto_minor_version_upgrade() == Some(false)),
        ("publicly_accessible", |i| i.publicly_accessible() == Some(true)),
        ("copy_tags_to_snapshot", |i| i.copy_tags_to_snapshot() == Some(true)),
        ("deletion_protection", |i| i.deletion_protection() == Some(true)),
        ("enable_iam_database_authentication", |i| i.iam_database_authentication_enabled() == Some(true)),
        ("monitoring_interval", |i| i.monitoring_interval() == Some(60)),
        ("monitoring_role_arn", |i| i.monitoring_role_arn() == Some(ROLE)),
        ("enable_performance_insights", |i| i.performance_insights_enabled() == Some(true)),
        ("performance_insights_kms_key_id", |i| i.performance_insights_kms_key_id().is_some_and(|k| k.ends_with("/p"))),
        ("performance_insights_retention_period", |i| i.performance_insights_retention_period() == Some(731)),
        ("database_insights_mode", |i| i.database_insights_mode() == Some(&DatabaseInsightsMode::Advanced)),
        ("enable_cloudwatch_logs_exports", |i| i.enabled_cloudwatch_logs_exports() == ["upgrade"]),
        ("max_allocated_storage", |i| i.max_allocated_storage() == Some(800)),
        ("network_type", |i| i.network_type() == Some("IPV4")),
        ("enable_customer_owned_ip", |i| i.customer_owned_ip_enabled() == Some(false)),
        ("backup_target", |i| i.backup_target() == Some("region")),
        ("ca_certificate_identifier", |i| i.ca_certificate_identifier() == Some("rds-ca-ecc384-g1")),
        ("manage_master_user_password", |i| i.master_user_secret().is_none()),
        ("master_user_authentication_type", |_| true),
        ("engine_lifecycle_support", |i| {
            i.engine_lifecycle_support() == Some("open-source-rds-extended-support-disabled")
        }),
    ];
    let (all, mut set) = members(first.as_input());
    set.extend(members(second.as_input()).1);

    let mut cases = refused_everywhere!(create(rds, "bad", "17"), AdditionalStorageVolume);
    let bad = || create(rds, "bad", "17");
    cases.extend(vec![
        ("backup_target", bad().backup_target("outposts"), COMBINATION),
        ("character_set_name", bad().character_set_name("UTF8"), COMBINATION),
        ("custom_iam_instance_profile", bad().custom_iam_instance_profile("p"), COMBINATION),
        ("db_cluster_identifier", bad().db_cluster_identifier("c"), "DBClusterNotFoundFault"),
        ("db_security_groups", bad().db_security_groups("g"), COMBINATION),
        ("db_system_id", bad().db_system_id("s"), COMBINATION),
        (
            "master_user_authentication_type",
            bad().master_user_authentication_type(MasterUserAuthenticationType::IamDbAuth),
            COMBINATION,
        ),
        ("multi_tenant", bad().multi_tenant(true), COMBINATION),
        ("nchar_character_set_name", bad().nchar_character_set_name("AL16UTF16"), COMBINATION),
        ("promotion_tier", bad().promotion_tier(1), COMBINATION),
        ("timezone", bad().timezone("UTC"), COMBINATION),
        ("availability_zone", bad().availability_zone("eu-central-1f"), VALUE),
        ("enable_cloudwatch_logs_exports", bad().enable_cloudwatch_logs_exports("audit"), COMBINATION),
        ("monitoring_interval", bad().monitoring_interval(60), COMBINATION),
        ("monitoring_role_arn", bad().monitoring_role_arn(ROLE), COMBINATION),
        ("performance_insights_retention_period", bad().performance_insights_retention_period(7), COMBINATION),
        (
            "storage_throughput",
            bad().storage_type("io1").allocated_storage(100).iops(1000).storage_throughput(500),
            COMBINATION,
        ),
    ]);
    let refused = each_is_refused!(cases);
    assert_eq!(instance(rds, "bad").await.unwrap_err(), "DBInstanceNotFound");
    complete(&all, &set, &names(&[first_shown, second_shown]), &refused);

    first.send().await.unwrap();
    second.send().await.unwrap();
    look(&cloud.status_is("first", "available").await, first_shown);
    look(&cloud.status_is("second", "available").await, second_shown);
    let backup = rds.describe_db_instance_automated_backups().db_instance_identifier("first").send().await.unwrap();
    assert_eq!(backup.db_instance_automated_backups()[0].tag_list(), [tag("team", "shop")]);
    cloud.server.stop().await;
}
